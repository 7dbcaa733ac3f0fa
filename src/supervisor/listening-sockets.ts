/**
 * The listening sockets of an address, one for each worker's place: they share it, and the kernel spreads connections
 * over them. They are the supervisor's, which never accepts: what waits in one survives the worker that served it.
 */
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createError } from '../core/errors.ts'
import { closeListening, type Gate, type Listening } from '../native/gate.ts'
import type { FrontAddress } from '../server/front.ts'
import { cannotListen } from '../server/listen-error.ts'
import { SocketFile } from '../server/socket-file.ts'
import { nameOf } from '../was/listen.ts'
import type { SocketAddress } from './addresses.ts'
import { bindUnheard } from './bound-socket.ts'
import { freePort } from './free-port.ts'

/** One of them, as it is handed to a worker. */
export interface ListeningSocket {
  readonly slot: number
  /** No other socket of the server has it. */
  readonly key: string
  readonly isTls: boolean
  /** Whether it is a unix socket. */
  readonly isLocal: boolean
  /** What `ChildProcess.send` takes beside a message: Node's own handle, as its cluster module sends it. */
  readonly handle: unknown
}

/** A listening socket that nothing is read from. */
export interface Held {
  readonly handle: unknown
  /** 0 of a unix socket. */
  readonly port: number
  readonly isLocal: boolean
  readonly close: () => void
}

interface Open extends ListeningSocket, Held {}

/** How often an address is tried that workers may still have whose supervisor was killed. */
const TRIES = 30
const PAUSE_MS = 100

export class ListeningSockets {
  /** 0 where it is a unix socket. */
  readonly port: number
  /** Null: all places share what there is. */
  readonly #gate: Gate | null
  readonly #address: SocketAddress
  readonly #open: Open[]
  /** Those that all places share: no other is opened. */
  readonly #shared: readonly Held[]

  private constructor(
    gate: Gate | null,
    address: SocketAddress,
    port: number,
    shared: readonly Held[] = [],
  ) {
    this.#gate = gate
    this.#address = address
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
    const { host, port, path, mode } = address
    if (path !== null) {
      const at = { port, path, mode }
      const { fd } = await insist(at, () => gate.listenPath(at), isPatient)
      return new ListeningSockets(null, address, 0, [holdAt(fd, path)])
    }
    const at = { host: host ?? undefined, port }
    const probe = await insist(at, () => gate.listen(at), isPatient)
    closeListening(probe)
    return new ListeningSockets(gate, address, probe.port)
  }

  /** One for all places, where sockets cannot share an address. Rejects with UWAS_ERR_SERVER_LISTEN. */
  static async openOne(address: SocketAddress): Promise<ListeningSockets> {
    const host = address.host ?? undefined
    const port = await freePort({ host, port: address.port })
    return new ListeningSockets(null, address, port, [await bindUnheard({ host, port })])
  }

  /** Of sockets that it was started with. */
  static inherit(address: SocketAddress, inherited: readonly Held[]): ListeningSockets {
    return new ListeningSockets(null, address, inherited[0]?.port ?? 0, inherited)
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
    const { host, isTls } = this.#address
    const own = { slot, isTls, key: `${nameOf({ ...this.#address, port: this.port })} ${slot}` }
    const shared = this.#shared[slot % this.#shared.length]
    if (shared !== undefined) return { ...shared, ...own }
    const at = { host: host ?? undefined, port: this.port, reusePort: true }
    const { fd } = await insist(at, () => (this.#gate as Gate).listen(at), false)
    return { ...hold(fd, false), ...own }
  }
}

/** The listening socket `fd`, which becomes the caller's. Throws UWAS_ERR_SUPERVISOR_SOCKET. */
export function adoptSocket(gate: Gate, fd: number): Held {
  const kind = gate.kindOf(fd)
  const problem = { tcp: '', unix: '', deaf: 'it does not listen', none: 'it is no such socket' }[
    kind
  ]
  if (problem !== '') throw createError('UWAS_ERR_SUPERVISOR_SOCKET', { fd, problem })
  return hold(fd, kind === 'unix')
}

function hold(fd: number, isLocal: boolean): Held {
  const socket = new Socket({ fd, readable: false, writable: false })
  const { _handle: handle } = socket as Socket & { readonly _handle: unknown }
  const port = isLocal ? 0 : portOf(handle)
  return { handle, port, isLocal, close: () => void socket.destroy() }
}

/** Of one that has been made at `path`: its file goes with it. */
function holdAt(fd: number, path: string): Held {
  const file = new SocketFile(path)
  const held = hold(fd, true)
  const close = (): void => {
    held.close()
    file.remove()
  }
  return { ...held, close }
}

/** Of its own address; 0 where it has none. */
function portOf(handle: unknown): number {
  const name: { port?: number } = {}
  const { getsockname } = handle as { getsockname?: (out: object) => number }
  getsockname?.call(handle, name)
  return name.port ?? 0
}

/** Rejects with UWAS_ERR_SERVER_LISTEN. */
async function insist(
  address: FrontAddress,
  open: () => Listening,
  isPatient: boolean,
): Promise<Listening> {
  for (let left = isPatient ? TRIES : 1; ; left--) {
    try {
      return open()
    } catch (error) {
      if (left <= 1) throw await cannotListen(address, error)
      await sleep(PAUSE_MS)
    }
  }
}
