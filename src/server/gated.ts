/**
 * Listens through the addon's gate: every new connection is looked at once and goes to the lane that its
 * first request belongs to. Called by `server.ts` where there is a gate.
 */
import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import { type Acceptor, closeListening, type Gate, type Lane } from '../native/gate.ts'
import type { LoadedEngine } from './engine.ts'
import type { EngineApp } from './engine-types.ts'
import type { Front, FrontAddress } from './front.ts'
import type { NativeLane } from './native-lane.ts'
import { MAX_COPIED_BYTES } from './native-writer.ts'
import { Peers } from './peers.ts'
import { StrictLane } from './strict-lane.ts'

/** Throws UWAS_ERR_NATIVE_LISTEN. Connections of the native lane are adopted by `app`. */
export function listenGated(
  gate: Gate,
  engine: LoadedEngine,
  app: EngineApp,
  lane: NativeLane,
  address: FrontAddress,
): Front {
  const listening = gate.listen(address)
  const front = new GatedFront(gate, engine, app, lane)
  const stopAccepting = front.accept(listening.fd)
  return {
    port: listening.port,
    gated: true,
    stop() {
      stopAccepting()
      closeListening(listening)
      front.stop()
    },
    busy: () => front.busy(),
    close: () => front.close(),
  }
}

/** Both lanes behind the gate, for any number of listening sockets. */
export class GatedFront {
  readonly #gate: Gate
  readonly #maxHeaderBytes: number
  readonly #app: EngineApp
  readonly #lane: NativeLane
  readonly #strict: StrictLane
  /** With whether each accepts; those that do not are kept while connections wait in them. */
  readonly #acceptors: Map<Acceptor, boolean>

  constructor(gate: Gate, engine: LoadedEngine, app: EngineApp, lane: NativeLane) {
    this.#gate = gate
    this.#maxHeaderBytes = engine.maxHeaderBytes
    this.#app = app
    this.#lane = lane
    this.#strict = new StrictLane(lane, { maxHeaderBytes: engine.maxHeaderBytes })
    this.#acceptors = new Map()
    if (!engine.knowsAdopted) lane.peers = new Peers(gate)
  }

  /** Accepts from the listening socket `fd`, which stays the caller's, until what it returns is called. */
  accept(fd: number): () => void {
    const acceptor = this.#gate.accept(fd, this.#maxHeaderBytes, (taken, kind, path) =>
      this.#take(taken, kind, path),
    )
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
    this.#strict.closeIdle()
  }

  busy(): number {
    let waiting = 0
    for (const acceptor of this.#acceptors.keys()) waiting += acceptor.waiting()
    return this.#strict.active + waiting
  }

  close(): void {
    for (const acceptor of this.#acceptors.keys()) acceptor.close()
    this.#strict.close()
    this.#app.close()
  }

  #forgetStopped(): void {
    for (const [acceptor, accepts] of this.#acceptors) {
      if (accepts || acceptor.waiting() > 0) continue
      acceptor.close()
      this.#acceptors.delete(acceptor)
    }
  }

  #take(fd: number, kind: Lane, path: string): void {
    const lane = this.#lane
    const isAdopted = isForEngine(lane, kind, path) && (lane.peers?.add(fd) ?? true)
    if (isAdopted) this.#app.adoptSocket(fd)
    else this.#toStrict(fd)
  }

  #toStrict(fd: number): void {
    try {
      this.#strict.adopt(new Socket({ fd, allowHalfOpen: true }))
    } catch (error) {
      this.#lane.application.log.error('a connection could not be taken over', error)
      closeSync(fd)
    }
  }
}

/**
 * The engine closes a connection whose second request comes while a reply is pending. A pipeline that
 * begins with a small file in memory, which is answered at once, is its own; any other is the strict
 * lane's, which answers one after the other.
 */
function isForEngine(lane: NativeLane, kind: Lane, path: string): boolean {
  if (kind !== 'pipelined') return kind === 'native'
  const ok = lane.application.files.lookup(path)?.ok
  return (
    ok !== undefined && ok.length <= MAX_COPIED_BYTES && ok.content?.bytes instanceof ArrayBuffer
  )
}
