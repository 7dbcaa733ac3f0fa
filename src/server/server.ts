/**
 * A listening server: opens its lane on an address, swaps the application it serves, and stops
 * without cutting what is in flight.
 */
import { createServer as createProbe } from 'node:net'
import { createError } from '../core/errors.ts'
import { DRAINING } from '../http/events.ts'
import type { HeaderList } from '../http/headers.ts'
import type { Gate } from '../native/gate.ts'
import { loadNative } from '../native/load.ts'
import type { Application } from './application.ts'
import { type LoadedEngine, loadEngine } from './engine.ts'
import type { EngineApp } from './engine-types.ts'
import type { Front, FrontAddress } from './front.ts'
import { listenGated } from './gated.ts'
import { NativeLane } from './native-lane.ts'
import { SocketLane } from './socket-lane.ts'
import { listenUngated } from './ungated.ts'

/** Where and how to listen. */
export interface ListenOptions {
  /** Name or address; without one, all addresses of both IP versions. */
  readonly host?: string | undefined
  /** 0 takes any free port. */
  readonly port: number
  /** Fields of every reply that a view makes. */
  readonly headers: HeaderList
  /** Looks at connections first; null leaves them all to the engine. Default: the addon's, if it is there. */
  readonly gate?: Gate | null
}

/** What `listen` gives: a server that is listening. */
export interface Server {
  /** The port that is listened on. */
  readonly port: number
  /** Version of uWebSockets.js that serves. */
  readonly engineVersion: string
  /** Whether connections are looked at first: without the addon the fences of the native lane are all. */
  readonly gated: boolean
  /** Serves `application` from the next request on; WebSockets of the one before are closed with 1001. */
  use(application: Application): void
  /**
   * Stops listening, closes WebSockets with 1001, lets begun replies, and handlers of sockets, end for `graceMs` milliseconds (default 10,000), then closes
   * all connections. Resolves to the number of replies that were cut.
   */
  close(options?: { graceMs?: number }): Promise<number>
}

/**
 * Milliseconds in which connections that are kept alive still get their next reply, which tells them to
 * close: replies that end at once are never seen as pending.
 */
const LINGER_MS = 250

/** Milliseconds between two looks at what is still in flight. */
const DRAIN_POLL_MS = 10

/** Milliseconds that a connection may stay silent once the server stops: its request may be on its way. */
const SILENT_GRACE_MS = 250

/** Starts to serve. Throws UWAS_ERR_SERVER_LISTEN when the address cannot be had, UWAS_ERR_SERVER_NO_ENGINE. */
export async function listen(application: Application, options: ListenOptions): Promise<Server> {
  const engine = loadEngine()
  const lane = new NativeLane(application, options.headers)
  const stopping = new AbortController()
  application.services.provide(DRAINING, stopping.signal)
  const app = engine.uws.App()
  app.get('/*', (res, req) => lane.handleGet(res, req))
  app.any('/*', (res, req) => lane.handleOther(res, req))
  const sockets = new SocketLane(engine.uws, app, lane)
  const front = await openFront(engine, app, lane, options)
  return {
    port: front.port,
    engineVersion: engine.version,
    gated: front.gated,
    use(next) {
      next.services.provide(DRAINING, stopping.signal)
      lane.application = next
      sockets.use(next)
    },
    async close({ graceMs = 10_000 } = {}) {
      lane.draining = true
      stopping.abort()
      front.stop()
      sockets.closeAll()
      const start = performance.now()
      const isBusy = (waitedMs: number): boolean =>
        waitedMs < LINGER_MS ||
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

async function openFront(
  engine: LoadedEngine,
  app: EngineApp,
  lane: NativeLane,
  { host, port, gate = loadNative().gate }: ListenOptions,
): Promise<Front> {
  try {
    const front =
      gate === null
        ? await listenUngated(engine, app, { host, port })
        : listenGated(gate, engine, app, lane, { host, port })
    if (front !== undefined) return front
  } catch (error) {
    app.close()
    throw await cannotListen({ host, port }, error)
  }
  app.close()
  throw await cannotListen({ host, port })
}

async function cannotListen({ host, port }: FrontAddress, cause?: unknown): Promise<Error> {
  const address = `${host ?? '*'}:${port}`
  return createError(
    'UWAS_ERR_SERVER_LISTEN',
    { address, problem: await whyNot(host, port) },
    cause,
  )
}

/** The engine and the gate say too little; Node's own attempt at the same address says why. */
function whyNot(host: string | undefined, port: number): Promise<string> {
  return new Promise((resolve) => {
    const probe = createProbe()
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(explain(error)))
    probe.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      probe.close(() => resolve('it could not, although the address is free; try another'))
    })
  })
}

function explain(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'another program listens there; stop it, or choose another port with --port'
    case 'EACCES':
      return 'ports below 1024 need privileges; choose another port with --port'
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'this machine has no such address; choose another with --host'
    default:
      return error.message
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
