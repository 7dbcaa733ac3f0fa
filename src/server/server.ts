/**
 * A listening server: opens its lane on an address, swaps the application it serves, and stops
 * without cutting what is in flight.
 */
import { DRAINING } from '../http/events.ts'
import type { HeaderList } from '../http/headers.ts'
import type { Gate } from '../native/gate.ts'
import { loadNative } from '../native/load.ts'
import type { Application } from './application.ts'
import { type LoadedEngine, loadEngine } from './engine.ts'
import type { EngineApp } from './engine-types.ts'
import type { Front } from './front.ts'
import { GatedFront, listenGated } from './gated.ts'
import { cannotListen } from './listen-error.ts'
import { NativeLane } from './native-lane.ts'
import { SocketLane } from './socket-lane.ts'
import { listenUngated } from './ungated.ts'

/** Where and how to listen. */
export interface ListenOptions {
  /** Name or address; without one, all addresses of both IP versions. */
  readonly host?: string | undefined
  /** 0 takes any free port. */
  readonly port: number
  /** Whether other processes may listen there too; only where there is no gate. Default false. */
  readonly isShared?: boolean
  /** Fields of every reply that a view makes. */
  readonly headers: HeaderList
  /** Looks at connections first; null leaves them all to the engine. Default: the addon's, if it is there. */
  readonly gate?: Gate | null
}

/** How a server ends. */
export interface CloseOptions {
  /** For replies that have begun and handlers of sockets, in milliseconds. Default 10,000. */
  readonly graceMs?: number
  /**
   * For connections that are kept alive: each gets its next reply, which tells it to close, until no request has come
   * for so long, in milliseconds. Replies that end at once are never seen as pending. Default 250.
   */
  readonly lingerMs?: number
}

/** What serves, wherever its connections come from. */
export interface Serving {
  /** Version of uWebSockets.js that serves. */
  readonly engineVersion: string
  /** Requests that have been taken since the start. */
  requestCount(): number
  /** Serves `application` from the next request on; WebSockets of the one before are closed with 1001. */
  use(application: Application): void
  /**
   * Accepts nothing more, closes WebSockets with 1001, lets begun replies, and handlers of sockets, end, then closes
   * all connections. Resolves to the number of replies that were cut.
   */
  close(options?: CloseOptions): Promise<number>
}

/** What `listen` gives: a server that is listening. */
export interface Server extends Serving {
  /** The port that is listened on. */
  readonly port: number
  /** Whether connections are looked at first: without the addon the fences of the native lane are all. */
  readonly gated: boolean
}

/** A server on listening sockets of somebody else. */
export interface HandedServer extends Serving {
  /** Accepts from the listening socket `fd`, which stays the caller's, until what it returns is called. */
  accept(fd: number): () => void
}

const LINGER_MS = 250

/** Milliseconds between two looks at what is still in flight. */
const DRAIN_POLL_MS = 10

/** Milliseconds that a connection may stay silent once the server stops: its request may be on its way. */
const SILENT_GRACE_MS = 250

/** Starts to serve. Throws UWAS_ERR_SERVER_LISTEN when the address cannot be had, UWAS_ERR_SERVER_NO_ENGINE. */
export async function listen(application: Application, options: ListenOptions): Promise<Server> {
  const parts = assemble(application, options.headers)
  const front = await openFront(parts, options)
  return { ...serving(parts, front), port: front.port, gated: front.gated }
}

/** Is ready to serve what it is told to accept. Throws UWAS_ERR_SERVER_NO_ENGINE. */
export function serveHanded(
  application: Application,
  { headers, gate }: { readonly headers: HeaderList; readonly gate: Gate },
): HandedServer {
  const parts = assemble(application, headers)
  const front = new GatedFront(gate, parts.engine, parts.app, parts.lane)
  return { ...serving(parts, front), accept: (fd) => front.accept(fd) }
}

interface Parts {
  readonly engine: LoadedEngine
  readonly app: EngineApp
  readonly lane: NativeLane
  readonly sockets: SocketLane
  readonly stopping: AbortController
}

function assemble(application: Application, headers: HeaderList): Parts {
  const engine = loadEngine()
  const lane = new NativeLane(application, headers)
  const stopping = new AbortController()
  application.services.provide(DRAINING, stopping.signal)
  const app = engine.uws.App()
  app.get('/*', (res, req) => lane.handleGet(res, req))
  app.any('/*', (res, req) => lane.handleOther(res, req))
  return { engine, app, lane, sockets: new SocketLane(engine.uws, app, lane), stopping }
}

function serving(
  { engine, lane, sockets, stopping }: Parts,
  front: Pick<Front, 'stop' | 'busy' | 'close'>,
) {
  return {
    engineVersion: engine.version,
    requestCount: () => lane.requests,
    use(next: Application) {
      next.services.provide(DRAINING, stopping.signal)
      lane.application = next
      sockets.use(next)
    },
    async close({ graceMs = 10_000, lingerMs = LINGER_MS }: CloseOptions = {}) {
      lane.draining = true
      stopping.abort()
      front.stop()
      sockets.closeAll()
      const start = performance.now()
      const quiet = new Quiet(lane, lingerMs)
      const isBusy = (waitedMs: number): boolean =>
        quiet.isWaiting() ||
        lane.pending + sockets.running > 0 ||
        (front.busy() > 0 && waitedMs < SILENT_GRACE_MS)
      for (let waited = 0; waited < graceMs && isBusy(waited); ) {
        await sleep(DRAIN_POLL_MS)
        waited = performance.now() - start
      }
      const cut = lane.pending
      front.close()
      return cut
    },
  }
}

/**
 * Tells when no request has come for a while. It counts its own looks: while a busy machine lets nothing run, clients
 * do not run either.
 */
class Quiet {
  readonly #lane: NativeLane
  readonly #looks: number
  #left: number
  #seen: number

  constructor(lane: NativeLane, lingerMs: number) {
    this.#lane = lane
    this.#looks = Math.ceil(lingerMs / DRAIN_POLL_MS)
    this.#left = this.#looks
    this.#seen = lane.requests
  }

  isWaiting(): boolean {
    if (this.#lane.requests !== this.#seen) this.#left = this.#looks
    this.#seen = this.#lane.requests
    return this.#left-- > 0
  }
}

async function openFront(
  { engine, app, lane }: Parts,
  { host, port, isShared = false, gate = loadNative().gate }: ListenOptions,
): Promise<Front> {
  try {
    const front =
      gate === null
        ? await listenUngated(engine, app, { host, port, isShared })
        : listenGated(gate, engine, app, lane, { host, port })
    if (front !== undefined) return front
  } catch (error) {
    app.close()
    throw await cannotListen({ host, port }, error)
  }
  app.close()
  throw await cannotListen({ host, port })
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
