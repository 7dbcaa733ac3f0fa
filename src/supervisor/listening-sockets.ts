/**
 * The listening sockets of an address, one for each worker's place: they share it, and the kernel spreads connections
 * over them. They are the supervisor's, which never accepts: what waits in one survives the worker that served it.
 */
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createError } from '../core/errors.ts'
import { closeListening, type Gate, type GateAddress, type Listening } from '../native/gate.ts'
import { cannotListen } from '../server/listen-error.ts'
import { bindUnheard } from './bound-socket.ts'
import { freePort } from './free-port.ts'

/** One of them, as it is handed to a worker. */
export interface ListeningSocket {
  readonly slot: number
  /** No other socket of the server has it. */
  readonly key: string
  readonly isTls: boolean
  /** What `ChildProcess.send` takes beside a message: Node's own handle, as its cluster module sends it. */
  readonly handle: unknown
}

/** A listening socket that nothing is read from. */
export interface Held {
  readonly handle: unknown
  readonly port: number
  readonly close: () => void
}

interface Open extends ListeningSocket, Held {}

/** Where to listen, and for what. */
export interface SocketAddress {
  readonly host: string | null
  readonly port: number
  readonly isTls: boolean
}

/** How often an address is tried that workers may still have whose supervisor was killed. */
const TRIES = 30
const PAUSE_MS = 100

export class ListeningSockets {
  readonly port: number
  /** Null: all places share what there is. */
  readonly #gate: Gate | null
  readonly #host: string | undefined
  readonly #isTls: boolean
  readonly #open: Open[]
  /** Those that all places share: no other is opened. */
  readonly #shared: readonly Held[]

  private constructor(
    gate: Gate | null,
    { host, port, isTls }: SocketAddress,
    shared: readonly Held[] = [],
  ) {
    this.#gate = gate
    this.#host = host ?? undefined
    this.#isTls = isTls
    this.#shared = shared
    this.port = port
    this.#open = []
  }

  /**
   * `isPatient` waits a while for an address that is taken. Rejects with UWAS_ERR_SERVER_LISTEN. Sockets that share an
   * address do not notice others that share it too, so one that does not asks first whether it is free.
   */
  static async open(
    gate: Gate,
    address: SocketAddress,
    isPatient: boolean,
  ): Promise<ListeningSockets> {
    const host = address.host ?? undefined
    const probe = await listenAlone(gate, { host, port: address.port }, isPatient)
    closeListening(probe)
    return new ListeningSockets(gate, { ...address, port: probe.port })
  }

  /** One for all places, where sockets cannot share an address. Rejects with UWAS_ERR_SERVER_LISTEN. */
  static async openOne(address: SocketAddress): Promise<ListeningSockets> {
    const host = address.host ?? undefined
    const port = await freePort({ host, port: address.port })
    const held = await bindUnheard({ host, port })
    return new ListeningSockets(null, { ...address, port }, [held])
  }

  /** Of sockets that it was started with. */
  static inherit(address: SocketAddress, inherited: readonly Held[]): ListeningSockets {
    const port = Math.min(...inherited.map((one) => one.port))
    return new ListeningSockets(null, { ...address, port }, inherited)
  }

  /** The first `count`, opened where they are not yet. There are never fewer than before, nor than are shared. */
  async first(count: number): Promise<readonly ListeningSocket[]> {
    const wanted = Math.max(count, this.#shared.length)
    while (this.#open.length < wanted) this.#open.push(await this.#openNext())
    return this.#open
  }

  get all(): readonly ListeningSocket[] {
    return this.#open
  }

  /** From now on they are the workers' alone: what waits in them is taken by those that accept. */
  close(): void {
    for (const { close } of [...this.#open, ...this.#shared]) close()
    this.#open.length = 0
  }

  async #openNext(): Promise<Open> {
    const slot = this.#open.length
    const isTls = this.#isTls
    const own = { slot, isTls, key: isTls ? `tls ${slot}` : String(slot) }
    const shared = this.#shared[slot % this.#shared.length]
    if (shared !== undefined) return { ...shared, ...own }
    const address = { host: this.#host, port: this.port, reusePort: true }
    const { fd } = await listenOrSay(this.#gate as Gate, address)
    return { ...hold(fd), ...own }
  }
}

/** The listening socket `fd`, which becomes the caller's. Throws UWAS_ERR_SUPERVISOR_SOCKET. */
export function adoptSocket(fd: number): Held {
  let held: Held
  try {
    held = hold(fd)
  } catch (error) {
    const { message } = error as Error
    throw createError('UWAS_ERR_SUPERVISOR_SOCKET', { fd, problem: message }, error)
  }
  if (held.port > 0) return held
  throw createError('UWAS_ERR_SUPERVISOR_SOCKET', { fd, problem: 'it listens on no TCP port' })
}

function hold(fd: number): Held {
  const socket = new Socket({ fd, readable: false, writable: false })
  const { _handle: handle } = socket as Socket & { readonly _handle: unknown }
  return { handle, port: portOf(handle), close: () => void socket.destroy() }
}

/** Of its own address; 0 where it has none. */
function portOf(handle: unknown): number {
  const name: { port?: number } = {}
  const { getsockname } = handle as { getsockname?: (out: object) => number }
  getsockname?.call(handle, name)
  return name.port ?? 0
}

async function listenAlone(
  gate: Gate,
  address: GateAddress,
  isPatient: boolean,
): Promise<Listening> {
  for (let left = isPatient ? TRIES : 1; left > 1; left--) {
    try {
      return gate.listen(address)
    } catch {
      await sleep(PAUSE_MS)
    }
  }
  return listenOrSay(gate, address)
}

async function listenOrSay(gate: Gate, address: GateAddress): Promise<Listening> {
  try {
    return gate.listen(address)
  } catch (error) {
    throw await cannotListen(address, error)
  }
}
