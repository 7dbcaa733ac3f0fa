/**
 * The WebSockets of a server. Handshakes come in from the engine; those that a site has a URL for and accepts
 * leave as sockets, all others go on as the ordinary requests that they are. Made by `server.ts`.
 */
import { deflateOffer } from '../http/deflate-offer.ts'
import { isHandshake } from '../http/handshake.ts'
import type { HeaderList } from '../http/headers.ts'
import type { SocketDefinition } from '../http/socket.ts'
import { parseRequestTarget } from '../http/target.ts'
import type { Rooms } from '../was/rooms.ts'
import type { FoundSocket } from '../was/site-sockets.ts'
import type { Application } from './application.ts'
import type {
  Engine,
  EngineApp,
  EngineRequest,
  EngineResponse,
  EngineSocket,
  EngineSocketBehavior,
  EngineSocketContext,
} from './engine-types.ts'
import { refuseFields } from './fences.ts'
import { NativeFields } from './native-fields.ts'
import type { NativeLane } from './native-lane.ts'
import { FieldScan } from './native-scan.ts'
import type { OpenConnections } from './open-connections.ts'
import { ServerSocket, type SocketHost } from './server-socket.ts'

/**
 * Beyond its limit the engine cuts the connection without a word, so its limit is higher than the site's:
 * up to it a message that is too long is answered with 1009.
 */
const ENGINE_MESSAGE_MARGIN_BYTES = 1024 * 1024

/** The site's limit comes first: a Close frame that does not fit would be left out. Pongs end here. */
const ENGINE_BACKPRESSURE_MARGIN_BYTES = 64 * 1024

const GOING_AWAY = 'the server stops or restarts'

interface Found extends FoundSocket {
  /** As the client named it, and as a rewrite has made it. */
  readonly asked: string
  readonly path: string
  readonly rooms: Rooms
}

export class SocketLane {
  readonly #uws: Engine
  readonly #app: EngineApp
  readonly #lane: NativeLane
  readonly #connections: OpenConnections
  readonly #scan: FieldScan
  readonly #open: Set<ServerSocket>
  /** Groups of limits that the engine knows; it forgets none. */
  readonly #groups: Set<string>
  #application: Application
  /** Handlers that have begun and not ended. */
  running: number

  constructor(uws: Engine, app: EngineApp, lane: NativeLane) {
    this.#uws = uws
    this.#app = app
    this.#lane = lane
    this.#connections = lane.connections
    this.#scan = new FieldScan()
    this.#open = new Set()
    this.#groups = new Set()
    this.running = 0
    this.#application = lane.application
    this.#serve(lane.application)
  }

  /** Serves `application` from now on; sockets of the one before are told to go away. */
  use(application: Application): void {
    this.closeAll()
    this.#serve(application)
  }

  /** Closes all sockets with 1001 (RFC 6455 section 7.4.1). */
  closeAll(): void {
    for (const socket of [...this.#open]) socket.close(1001, GOING_AWAY)
  }

  #serve(application: Application): void {
    this.#application = application
    if (application.sockets === null) return
    for (const definition of application.sockets.definitions) {
      const group = groupOf(definition)
      if (this.#groups.has(group)) continue
      // A second handler of one pattern would take the place of the first. All of these match all paths.
      this.#app.ws(`/*${this.#groups.size}`, this.#counted(this.#behaviorOf(group, definition)))
      this.#groups.add(group)
    }
  }

  #behaviorOf(group: string, { options }: SocketDefinition): EngineSocketBehavior {
    const { maxMessageBytes, maxBackpressureBytes, idleTimeoutSeconds } = options
    return {
      maxPayloadLength: maxMessageBytes + ENGINE_MESSAGE_MARGIN_BYTES,
      maxBackpressure: maxBackpressureBytes + ENGINE_BACKPRESSURE_MARGIN_BYTES,
      idleTimeout: idleTimeoutSeconds,
      sendPingsAutomatically: options.sendPings,
      compression: options.compress ? this.#uws.SHARED_COMPRESSOR : this.#uws.DISABLED,
      upgrade: (res, req, context) => this.#guard(group, res, req, context),
      open: (engine) => of(engine).opened(engine),
      message: (engine, message, isBinary) => of(engine).received(message, isBinary),
      drain: (engine) => of(engine).drained(),
      close: (engine, code, reason) => of(engine).closed(code, Buffer.from(reason).toString()),
    }
  }

  /** The engine counts a connection that becomes a WebSocket, and tells nobody of its end. */
  #counted(behavior: EngineSocketBehavior): EngineSocketBehavior {
    const connections = this.#connections
    return {
      ...behavior,
      close(engine, code, reason) {
        connections.closed()
        behavior.close(engine, code, reason)
      },
    }
  }

  /** A mistake of ours costs its connection, not the process. */
  #guard(
    group: string,
    res: EngineResponse,
    req: EngineRequest,
    context: EngineSocketContext,
  ): void {
    try {
      this.#upgrade(group, res, req, context)
    } catch (error) {
      this.#application.log.error('a handshake could not be answered', error)
      try {
        res.close()
      } catch {
        // It had been answered before the mistake.
      }
    }
  }

  #upgrade(
    group: string,
    res: EngineResponse,
    req: EngineRequest,
    context: EngineSocketContext,
  ): void {
    const found = this.#find(this.#lane, res, req)
    if (found === undefined || groupOf(found.definition) !== group) {
      req.setYield?.(true)
      return
    }
    this.#accept(this.#lane, res, req, found, context)
  }

  /**
   * A handshake that `lane` has read from Node, on which `res` makes the socket: true when it is for a socket of the site,
   * and `begin` has been called before anything is answered; false for an ordinary request.
   */
  upgradeOther(
    lane: NativeLane,
    res: EngineResponse,
    req: EngineRequest,
    begin: () => void,
  ): boolean {
    const found = this.#find(lane, res, req)
    if (found === undefined) return false
    begin()
    try {
      const group = groupOf(found.definition)
      this.#accept(lane, res, req, found, this.#behaviorOf(group, found.definition))
    } catch (error) {
      this.#application.log.error('a handshake could not be answered', error)
      res.close()
    }
    return true
  }

  #accept(
    lane: NativeLane,
    res: EngineResponse,
    req: EngineRequest,
    found: Found,
    context: EngineSocketContext,
  ): void {
    const key = fieldOf(req, 'sec-websocket-key')
    const extensions = deflateOffer(fieldOf(req, 'sec-websocket-extensions'))
    const application = this.#application
    lane.handleHandshake(res, req, found, found.answer, (reply, request) => {
      const socket = new ServerSocket(this.#hostOf(application, found.rooms), request, reply)
      this.#open.add(socket)
      res.writeStatus(switchingHead(reply.headers))
      // The engine copies the properties of what it is given.
      res.upgrade?.({ socket }, key, reply.protocol, extensions, context)
      // The site was replaced while it thought about this handshake.
      if (application !== this.#application) socket.close(1001, GOING_AWAY)
    })
  }

  #hostOf({ log }: Application, rooms: Rooms): SocketHost {
    return {
      log,
      rooms,
      remove: (socket) => this.#open.delete(socket),
      count: (change) => {
        this.running += change
      },
    }
  }

  /** Undefined for what is an ordinary request, or has to be refused as one. */
  #find(lane: NativeLane, res: EngineResponse, req: EngineRequest): Found | undefined {
    const { sockets, rules, files, services, hosts } = this.#application
    if (sockets === null || !isHandshake((name) => fieldOf(req, name))) return undefined
    const scan = this.#scan
    scan.read(req)
    if (refuseFields(scan, '') !== 0 || Number(scan.contentLength) !== 0) return undefined
    if (hosts !== null && !hosts.allows(scan.host)) return undefined
    if (lane.first.moved(res, req, scan.host) !== null) return undefined
    const search = req.getQuery() ?? ''
    if (req.getUrl().length + search.length >= this.#application.limits.maxUrlBytes)
      return undefined
    const target = parseRequestTarget(req.getUrl())
    if (typeof target === 'number') return undefined
    const routed = rules?.route('GET', target.path, search, scan.origin) ?? null
    if (routed !== null && !('canonical' in routed)) return undefined
    const { path, canonical } = routed ?? target
    if (files.lookup(canonical) !== undefined) return undefined
    try {
      const found = sockets.find(path, () =>
        new NativeFields(req, res, '', lane.peers).hostFor(services),
      )
      return found === undefined
        ? undefined
        : { ...found, asked: target.path, path, rooms: sockets.rooms }
    } catch {
      // A converter of the site failed; it fails again where its error becomes a page.
      return undefined
    }
  }
}

/** What the engine has to know beforehand. */
function groupOf({ options }: SocketDefinition): string {
  const { maxMessageBytes, maxBackpressureBytes, idleTimeoutSeconds, sendPings, compress } = options
  return JSON.stringify([
    maxMessageBytes,
    maxBackpressureBytes,
    idleTimeoutSeconds,
    sendPings,
    compress,
  ])
}

function of(engine: EngineSocket): ServerSocket {
  return (engine.getUserData() as { socket: ServerSocket }).socket
}

/** Several fields of one name are one list; the engine's own look-up sees the first alone. */
function fieldOf(req: EngineRequest, wanted: string): string {
  const values: string[] = []
  req.forEach((name, value) => {
    if (name === wanted) values.push(value)
  })
  return values.join(', ')
}

function switchingHead(headers: HeaderList | null): Uint8Array {
  const fields = (headers ?? []).map(([name, value]) => `\r\n${name}: ${value}`)
  return Buffer.from(`101 Switching Protocols${fields.join('')}`, 'latin1')
}
