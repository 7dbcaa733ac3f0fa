/**
 * The listening sockets, one for each worker's place: they share an address, and the kernel spreads connections over
 * them. They are the supervisor's, which never accepts: what waits in one survives the worker that served it.
 */
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createError } from '../core/errors.ts'
import { closeListening, type Gate, type GateAddress, type Listening } from '../native/gate.ts'
import { cannotListen } from '../server/listen-error.ts'

/** One of them, as it is handed to a worker. */
export interface ListeningSocket {
  readonly slot: number
  /** What `ChildProcess.send` takes beside a message: Node's own handle, as its cluster module sends it. */
  readonly handle: unknown
}

interface Open extends ListeningSocket {
  /** Holds the descriptor; nothing is read from it. */
  readonly socket: Socket
}

/** How often an address is tried that workers may still have whose supervisor was killed. */
const TRIES = 30
const PAUSE_MS = 100

export class ListeningSockets {
  readonly port: number
  readonly #gate: Gate
  readonly #host: string | undefined
  readonly #open: Open[]
  /** Those that came with the process: all places share them, and no other is opened. */
  readonly #inherited: readonly Omit<Open, 'slot'>[]

  private constructor(
    gate: Gate,
    host: string | undefined,
    port: number,
    inherited: readonly Omit<Open, 'slot'>[] = [],
  ) {
    this.#inherited = inherited
    this.#gate = gate
    this.#host = host
    this.port = port
    this.#open = []
  }

  /**
   * `isPatient` waits a while for an address that is taken. Rejects with UWAS_ERR_SERVER_LISTEN. Sockets that share an
   * address do not notice others that share it too, so one that does not asks first whether it is free.
   */
  static async open(
    gate: Gate,
    address: { readonly host: string | null; readonly port: number },
    isPatient: boolean,
  ): Promise<ListeningSockets> {
    const host = address.host ?? undefined
    const probe = await listenAlone(gate, { host, port: address.port }, isPatient)
    closeListening(probe)
    return new ListeningSockets(gate, host, probe.port)
  }

  /** Of the listening sockets `fds`, which become its own. Throws UWAS_ERR_SUPERVISOR_SOCKET. */
  static inherit(gate: Gate, fds: readonly number[]): ListeningSockets {
    const inherited = fds.map(adopt)
    const port = Math.min(...inherited.map(({ handle }) => portOf(handle)))
    return new ListeningSockets(gate, undefined, port, inherited)
  }

  /** The first `count`, opened where they are not yet. There are never fewer than before, nor than were inherited. */
  async first(count: number): Promise<readonly ListeningSocket[]> {
    const wanted = Math.max(count, this.#inherited.length)
    while (this.#open.length < wanted) this.#open.push(await this.#openNext())
    return this.#open
  }

  get all(): readonly ListeningSocket[] {
    return this.#open
  }

  /** From now on they are the workers' alone: what waits in them is taken by those that accept. */
  close(): void {
    for (const { socket } of [...this.#open, ...this.#inherited]) socket.destroy()
    this.#open.length = 0
  }

  async #openNext(): Promise<Open> {
    const slot = this.#open.length
    const shared = this.#inherited[slot % this.#inherited.length]
    if (shared !== undefined) return { ...shared, slot }
    const address = { host: this.#host, port: this.port, reusePort: true }
    const { fd } = await listenOrSay(this.#gate, address)
    return { ...hold(fd), slot }
  }
}

function hold(fd: number): Omit<Open, 'slot'> {
  const socket = new Socket({ fd, readable: false, writable: false })
  const { _handle: handle } = socket as Socket & { readonly _handle: unknown }
  return { socket, handle }
}

function adopt(fd: number): Omit<Open, 'slot'> {
  let held: Omit<Open, 'slot'>
  try {
    held = hold(fd)
  } catch (error) {
    const { message } = error as Error
    throw createError('UWAS_ERR_SUPERVISOR_SOCKET', { fd, problem: message }, error)
  }
  if (portOf(held.handle) > 0) return held
  throw createError('UWAS_ERR_SUPERVISOR_SOCKET', { fd, problem: 'it listens on no TCP port' })
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
