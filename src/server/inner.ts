/** What requests in clear are answered by: an app of the engine with its lane and its WebSockets. Made by `server.ts`. */
import type { HeaderList } from '../http/headers.ts'
import type { Application } from './application.ts'
import type { LoadedEngine } from './engine.ts'
import type { EngineApp, EngineResponse } from './engine-types.ts'
import { addressOf } from './native-fields.ts'
import { NativeLane } from './native-lane.ts'
import type { Scheme } from './scheme.ts'
import { SocketLane } from './socket-lane.ts'

export interface InnerOptions {
  readonly headers: HeaderList
  readonly scheme: Scheme
  /** Whether somebody will ask how many are open. */
  readonly countsConnections: boolean
}

export interface Inner {
  readonly app: EngineApp
  readonly lane: NativeLane
  readonly sockets: SocketLane
}

export function createInner(
  { uws }: LoadedEngine,
  application: Application,
  { headers, scheme, countsConnections }: InnerOptions,
): Inner {
  const lane = new NativeLane(application, headers, scheme)
  const app = uws.App()
  app.get('/*', (res, req) => lane.handleGet(res, req))
  app.any('/*', (res, req) => lane.handleOther(res, req))
  const { connections } = lane
  const asksWhose = application.observer?.needsClient ?? false
  const count = (res: EngineResponse, change: number): void => {
    if (change > 0) connections.opened(asksWhose ? addressOf(res, lane.peers) : '')
    else connections.closed()
  }
  // It costs each connection about 3 µs: two calls from the engine.
  if (countsConnections || asksWhose) app.filter(count)
  return { app, lane, sockets: new SocketLane(uws, app, lane) }
}
