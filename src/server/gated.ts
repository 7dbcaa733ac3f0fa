/**
 * Listens through the addon's gate: every new connection is looked at once and goes to the lane that its
 * first request belongs to. Called by `server.ts` where there is a gate.
 */
import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import { closeListening, type Gate, type Lane } from '../native/gate.ts'
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
  if (!engine.knowsAdopted) lane.peers = new Peers(gate)
  const strict = new StrictLane(lane, { maxHeaderBytes: engine.maxHeaderBytes })
  const toStrict = (fd: number): void => {
    try {
      strict.adopt(new Socket({ fd, allowHalfOpen: true }))
    } catch (error) {
      lane.application.log.error('a connection could not be taken over', error)
      closeSync(fd)
    }
  }
  const acceptor = gate.accept(listening.fd, engine.maxHeaderBytes, (fd, kind, path) => {
    const isAdopted = isForEngine(lane, kind, path) && (lane.peers?.add(fd) ?? true)
    if (isAdopted) app.adoptSocket(fd)
    else toStrict(fd)
  })
  return {
    port: listening.port,
    gated: true,
    stop() {
      acceptor.stop()
      closeListening(listening)
      strict.closeIdle()
    },
    busy: () => strict.active + acceptor.waiting(),
    close() {
      acceptor.close()
      strict.close()
      app.close()
    },
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
