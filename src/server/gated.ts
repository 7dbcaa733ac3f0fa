/**
 * Listens through the addon's gate: every new connection is looked at once and goes to the lane that its
 * first request belongs to. Called by `server.ts` where there is a gate.
 */
import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import {
  type Acceptor,
  closeListening,
  type Gate,
  type Lane,
  type OnConnection,
} from '../native/gate.ts'
import type { ConnectionLimits } from './connection-limits.ts'
import type { LoadedEngine } from './engine.ts'
import type { Front, FrontAddress } from './front.ts'
import type { Inner } from './inner.ts'
import { endLingering } from './linger.ts'
import { cannotListen } from './listen-error.ts'
import { LOCAL_PEERS } from './local-peers.ts'
import type { NativeLane } from './native-lane.ts'
import { MAX_COPIED_BYTES } from './native-writer.ts'
import { Peers } from './peers.ts'
import { PROXY_SENDERS, ProxyHeaders } from './proxy-senders.ts'
import { SocketFile } from './socket-file.ts'
import { StrictLane } from './strict-lane.ts'

/** All of the addresses, or none: rejects with UWAS_ERR_SERVER_LISTEN. */
export async function listenGated(
  front: GatedFront,
  gate: Gate,
  addresses: readonly FrontAddress[],
): Promise<Front> {
  const open: Opened[] = []
  const stop = (): void => {
    for (const one of open) one.close()
  }
  for (const address of addresses) {
    try {
      open.push(openOne(front, gate, address))
    } catch (error) {
      stop()
      throw await cannotListen(address, error)
    }
  }
  return {
    ports: open.map(({ port }) => port),
    gated: true,
    stop() {
      stop()
      front.stop()
    },
    busy: () => front.busy(),
    connections: () => front.connections(),
    close: () => front.close(),
  }
}

interface Opened {
  readonly port: number
  readonly close: () => void
}

function openOne(front: GatedFront, gate: Gate, address: FrontAddress): Opened {
  const { path, mode } = address
  const listening =
    path === undefined
      ? gate.listen(address)
      : gate.listenPath({ path, ...(mode !== undefined && { mode }) })
  const file = path === undefined ? null : new SocketFile(path)
  const stopAccepting = front.accept(listening.fd, path !== undefined)
  return {
    port: listening.port,
    close() {
      stopAccepting()
      closeListening(listening)
      file?.remove()
    },
  }
}

/** What answers, and what there is room for. */
export interface GatedParts {
  readonly clear: Inner
  readonly local: Inner
  /** Null: for any number of connections. */
  readonly limits: ConnectionLimits | null
}

/** Where connections of a kind go. */
interface Way extends Inner {
  readonly strict: StrictLane
}

/** Both lanes behind the gate, for any number of listening sockets. */
export class GatedFront {
  readonly #gate: Gate
  readonly #maxHeaderBytes: number
  readonly #clear: Way
  readonly #local: Way
  readonly #headers: ProxyHeaders
  readonly #limits: ConnectionLimits | null
  /** With whether each accepts; those that do not are kept while connections wait in them. */
  readonly #acceptors: Map<Acceptor, boolean>

  /** `clear` answers what comes by TCP, `local` what comes by unix sockets. Both become its own. */
  constructor(gate: Gate, engine: LoadedEngine, { clear, local, limits }: GatedParts) {
    this.#gate = gate
    this.#maxHeaderBytes = engine.maxHeaderBytes
    const { maxHeaderBytes } = engine
    this.#clear = { ...clear, strict: new StrictLane(clear.lane, { maxHeaderBytes }) }
    this.#local = { ...local, strict: new StrictLane(local.lane, { maxHeaderBytes }) }
    this.#headers = new ProxyHeaders()
    this.#limits = limits
    this.#acceptors = new Map()
    if (!engine.knowsAdopted) clear.lane.peers = new Peers(gate)
    local.lane.peers = LOCAL_PEERS
  }

  /** Accepts from the listening socket `fd`, which stays the caller's, until what it returns is called. */
  accept(fd: number, isLocal: boolean): () => void {
    const way = isLocal ? this.#local : this.#clear
    const take: OnConnection = (taken, kind, paths) => this.#take(way, taken, kind, paths)
    const acceptor = this.#gate.accept(fd, this.#maxHeaderBytes, take, this.#limits?.counts)
    this.#forgetStopped()
    this.#acceptors.set(acceptor, true)
    return () => {
      acceptor.stop()
      if (this.#acceptors.has(acceptor)) this.#acceptors.set(acceptor, false)
      this.#forgetStopped()
    }
  }

  /** What has been accepted goes on, for as long as it does something. */
  stop(): void {
    for (const acceptor of this.#acceptors.keys()) acceptor.stop()
    for (const { strict } of this.#ways) strict.closeIdle()
  }

  busy(): number {
    const active = this.#ways.reduce((sum, { strict }) => sum + strict.active, 0)
    return this.#unread() + active
  }

  /** Those that the engine does not have. */
  connections(): number {
    const strict = this.#ways.reduce((sum, { strict }) => sum + strict.connections, 0)
    return this.#unread() + strict
  }

  /** They have no lane yet. */
  #unread(): number {
    let waiting = this.#headers.waiting
    for (const acceptor of this.#acceptors.keys()) waiting += acceptor.waiting()
    return waiting
  }

  close(): void {
    for (const acceptor of this.#acceptors.keys()) acceptor.close()
    this.#headers.close()
    for (const { strict, app } of this.#ways) {
      strict.close()
      app.close()
    }
  }

  get #ways(): readonly Way[] {
    return [this.#clear, this.#local]
  }

  #forgetStopped(): void {
    for (const [acceptor, accepts] of this.#acceptors) {
      if (accepts || acceptor.waiting() > 0) continue
      acceptor.close()
      this.#acceptors.delete(acceptor)
    }
  }

  #take({ app, lane, strict }: Way, fd: number, kind: Lane, paths: string): void {
    const isAdopted = isForEngine(lane, kind, paths) && (lane.peers?.add(fd) ?? true)
    if (isAdopted) return void app.adoptSocket(fd)
    try {
      const socket = new Socket({ fd, allowHalfOpen: true })
      const senders = lane.application.services.find(PROXY_SENDERS)
      // Its header is no ordinary request line, so that the gate sends all connections with one here.
      if (senders?.has(socket)) this.#headers.read(socket, () => this.#adopt(strict, socket))
      else strict.adopt(socket)
    } catch (error) {
      lane.application.log.error('a connection could not be taken over', error)
      closeSync(fd)
    }
  }

  /** Now that it is known whose connection a balancer has handed on. */
  #adopt(strict: StrictLane, socket: Socket): void {
    const limits = this.#limits
    if (limits?.admitsClient(socket) === false) endLingering(socket, limits.refusal)
    else strict.adopt(socket)
  }
}

/**
 * The engine closes a connection whose second request comes while a reply is pending. A pipeline of nothing but small
 * files in memory, which are answered at once, is its own; any other is the strict lane's, which answers one after the other.
 */
function isForEngine(lane: NativeLane, kind: Lane, paths: string): boolean {
  if (kind !== 'pipelined') return kind === 'native'
  return paths !== '' && paths.split(' ').every((path) => isAtOnce(lane, path))
}

function isAtOnce({ application }: NativeLane, path: string): boolean {
  const { files, rules, guards } = application
  if (rules?.touches(path) === true || guards?.touches(path) === true) return false
  const ok = files.lookup(path)?.ok
  return (
    ok !== undefined && ok.length <= MAX_COPIED_BYTES && ok.content?.bytes instanceof ArrayBuffer
  )
}
