/**
 * The WebSocket URLs of a site: which of them a path is, and whether its handshake is accepted. `server/`
 * asks with every handshake; the answer runs inside the site's middleware, like a view's.
 */
import { chooseProtocol, isAllowedOrigin } from '../http/handshake.ts'
import { HttpError } from '../http/http-error.ts'
import { Reply } from '../http/reply.ts'
import { type SocketDefinition, SocketReply } from '../http/socket.ts'
import type { View } from '../http/view.ts'
import type { CompiledUrls } from '../route/compile.ts'
import type { Route } from '../route/flatten.ts'
import type { Dispatcher, Handler } from './dispatch.ts'
import type { Rooms } from './rooms.ts'

/** A WebSocket URL that was asked for. */
export interface FoundSocket {
  readonly definition: SocketDefinition
  /** Gives a SocketReply where the handshake is accepted, else what to answer. Never throws or rejects. */
  readonly answer: Handler
}

export interface SiteSockets {
  readonly definitions: readonly SocketDefinition[]
  readonly rooms: Rooms
  /** `path` is decoded and canonical, `host` the client's; undefined where no WebSocket is opened. */
  find(path: string, host: () => string): FoundSocket | undefined
}

/** Null for a site without WebSockets. `compose` puts middleware and error pages around a view. */
export function createSiteSockets(
  urls: CompiledUrls,
  rooms: Rooms,
  compose: Dispatcher['compose'],
): SiteSockets | null {
  const handlers = new Map<Route, Handler>()
  const definitions: SocketDefinition[] = []
  for (const route of urls.routes) {
    if (route.socket === undefined) continue
    definitions.push(route.socket)
    handlers.set(
      route,
      compose(accepting(route.socket), route.pattern, { middleware: route.middleware }),
    )
  }
  if (definitions.length === 0) return null
  return {
    definitions,
    rooms,
    find(path, host) {
      const found = urls.match('GET', path, urls.hasHosts ? host() : '')
      const definition = found?.route?.socket
      if (found?.route === undefined || definition === undefined) return undefined
      const { pattern } = found.route
      const handler = handlers.get(found.route) as Handler
      const answer: Handler = (req) => {
        req.params = found.params
        req.route = pattern
        return handler(req)
      }
      return { definition, answer }
    },
  }
}

/** The view of a handshake. The origin comes first: cookies go with the request of any page. */
function accepting(definition: SocketDefinition): View {
  const { handlers, options } = definition
  return (req) => {
    if (!isAllowedOrigin(req.header('origin'), req.client.host, options.origins)) {
      throw new HttpError(403, 'pages of that origin may not connect here')
    }
    const protocol = chooseProtocol(req.header('sec-websocket-protocol'), options.protocols)
    const data = handlers.authenticate?.(req)
    if (!isThenable(data)) return accept(definition, data, protocol)
    return Promise.resolve(data).then((value) => accept(definition, value, protocol))
  }
}

function accept(definition: SocketDefinition, data: unknown, protocol: string): Reply {
  return data instanceof Reply ? data : new SocketReply(definition, data, protocol)
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}
