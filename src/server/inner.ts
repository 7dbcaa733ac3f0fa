/** What requests in clear are answered by: an app of the engine with its lane and its WebSockets. Made by `server.ts`. */
import type { HeaderList } from '../http/headers.ts'
import type { Application } from './application.ts'
import type { LoadedEngine } from './engine.ts'
import type { EngineApp } from './engine-types.ts'
import { NativeLane } from './native-lane.ts'
import type { Scheme } from './scheme.ts'
import { SocketLane } from './socket-lane.ts'

export interface Inner {
  readonly app: EngineApp
  readonly lane: NativeLane
  readonly sockets: SocketLane
}

export function createInner(
  { uws }: LoadedEngine,
  application: Application,
  headers: HeaderList,
  scheme: Scheme,
): Inner {
  const lane = new NativeLane(application, headers, scheme)
  const app = uws.App()
  app.get('/*', (res, req) => lane.handleGet(res, req))
  app.any('/*', (res, req) => lane.handleOther(res, req))
  return { app, lane, sockets: new SocketLane(uws, app, lane) }
}
