/**
 * The listening sockets of an address, one for each worker's place: they share it, and the kernel spreads connections
 * over them. They are the supervisor's, which never accepts: what waits in one survives the worker that served it.
 */
import { chmodSync, closeSync, constants, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createError } from '../core/errors.ts'
import { closeListening, type Gate, type Listening } from '../native/gate.ts'
import type { FrontAddress } from '../server/front.ts'
import { cannotListen } from '../server/listen-error.ts'
import { SocketFile } from '../server/socket-file.ts'
import { nameOf } from '../was/address.ts'
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
  /** Of a unix socket that was opened here, or by who has handed it over. */
  readonly file?: SocketFile
}

/** What another process gets that is to listen there, too. */
export interface HandedSockets {
  /** As the configuration has it. */
  readonly address: SocketAddress
  /** The port that has been found. */
  readonly port: number
  readonly fds: readonly number[]
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
  /** Whether the process was started with them by a service manager. */
  readonly isActivated: boolean
  /** Whether they are still another process's, which may go on with them: their files are left alone. */
  #isLent: boolean

  private constructor(
    gate: Gate | null,
    address: SocketAddress,
    port: number,
    shared: readonly Held[] = [],
    { isActivated = false, isLent = false } = {},
  ) {
    this.#gate = gate
    this.#address = address
    this.#shared = shared
    this.port = port
    this.#open = []
    this.isActivated = isActivated
    this.#isLent = isLent
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
      return new ListeningSockets(null, address, 0, [
        { ...hold(fd, true), file: new SocketFile(path) },
      ])
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
    const { port } = inherited[0] ?? { port: 0 }
    return new ListeningSockets(null, address, port, inherited, { isActivated: true })
  }

  /**
   * Of another process that listens at the same address, and goes on with it until it is told that it need not. Throws
   * UWAS_ERR_SUPERVISOR_SOCKET.
   */
  static borrow(
    gate: Gate,
    address: SocketAddress,
    { port, fds }: Omit<HandedSockets, 'address'>,
  ): ListeningSockets {
    const { path } = address
    const held = fds.map((fd) => adoptSocket(gate, fd))
    const isLent = true
    if (path !== null) {
      const shared = held.map((one) => ({ ...one, file: new SocketFile(path) }))
      return new ListeningSockets(null, address, 0, shared, { isLent })
    }
    const sockets = new ListeningSockets(gate, address, port, [], { isLent })
    for (const one of held) sockets.#open.push({ ...one, ...sockets.#place() })
    return sockets
  }

  /** For another process; null where a file has gone, so that nobody gets there any more. */
  get handed(): HandedSockets | null {
    const held = this.#shared.length > 0 ? this.#shared : this.#open
    if (held.some(({ file }) => file?.isThere === false)) return null
    const fds = held.map(({ handle }) => (handle as { readonly fd: number }).fd)
    return { address: this.#address, port: this.port, fds }
  }

  /** Whether another process listens there, too. */
  get isLent(): boolean {
    return this.#isLent
  }

  /** From now on they are those of this process alone. */
  keep(): void {
    const { path, mode } = this.#address
    if (this.#isLent && path !== null) setMode(path, mode)
    this.#isLent = false
  }

  /** From now on they are those of another process, which has been handed them. */
  leave(): void {
    this.#isLent = true
    this.close()
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
    for (const { close, file } of [...this.#open, ...this.#shared]) {
      close()
      if (!this.#isLent) file?.remove()
    }
    this.#open.length = 0
  }

  /** Of the next one. */
  #place(): { readonly slot: number; readonly isTls: boolean; readonly key: string } {
    const slot = this.#open.length
    const name = nameOf({ ...this.#address, port: this.port })
    return { slot, isTls: this.#address.isTls, key: `${name} ${slot}` }
  }

  async #openNext(): Promise<Open> {
    const own = this.#place()
    const { host } = this.#address
    const shared = this.#shared[own.slot % this.#shared.length]
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

/** Linux open(2); Node has no name for it. */
const O_PATH = 0o10000000

/** Of a socket and nothing else: in its place may stand a link by now, to a file of root's. */
function setMode(path: string, mode: number): void {
  try {
    const fd = openSync(path, O_PATH | constants.O_NOFOLLOW)
    try {
      if (fstatSync(fd).isSocket()) chmodSync(`/proc/self/fd/${fd}`, mode)
    } finally {
      closeSync(fd)
    }
  } catch {
    // It is gone, or not ours to change: it is served as it is.
  }
}
