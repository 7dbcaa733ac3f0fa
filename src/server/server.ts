/**
 * A listening server: opens its lane on an address, swaps the application it serves, and stops
 * without cutting what is in flight.
 */
import { DRAINING } from '../http/events.ts'
import type { HeaderList } from '../http/headers.ts'
import type { ConnectionStats } from '../native/connection-counts.ts'
import type { Gate } from '../native/gate.ts'
import { loadNative } from '../native/load.ts'
import type { AcmeChallenges } from './acme-challenges.ts'
import type { Application } from './application.ts'
import { ConnectionLimits, type ConnectionRules } from './connection-limits.ts'
import { type LoadedEngine, loadEngine } from './engine.ts'
import type { Front, FrontAddress } from './front.ts'
import { GatedFront, listenGated } from './gated.ts'
import { createHeads } from './heads.ts'
import { HttpsRedirect } from './https-redirect.ts'
import { createInner, type Inner } from './inner.ts'
import { NativeLane } from './native-lane.ts'
import { busyBytes } from './refusal.ts'
import { CLEAR } from './scheme.ts'
import type { Certificates } from './tls/certificates.ts'
import type { CertificateEnd } from './tls/expiry.ts'
import type { TicketKeys } from './tls/ticket-keys.ts'
import { type ListeningHandle, TlsFront } from './tls/tls-front.ts'
import { listenUngated } from './ungated.ts'

/** Where and how to listen. */
export interface ListenOptions {
  /** Name or address; without one, all addresses of both IP versions. */
  readonly host?: string | undefined
  /** 0 takes any free port. */
  readonly port: number
  /** Where to listen in clear in place of `host` and `port`; at least one. */
  readonly addresses?: readonly FrontAddress[]
  /** Whether other processes may listen there too; only where there is no gate. Default false. */
  readonly isShared?: boolean
  /** Fields of every reply that a view makes. */
  readonly headers: HeaderList
  /** Looks at connections first; null leaves them all to the engine. Default: the addon's, if it is there. */
  readonly gate?: Gate | null
  /** How many connections may be open; without a gate they are not limited. Default: any number. */
  readonly connections?: ConnectionRules | null
  /** Whether `connectionCount` will be asked. Default false. */
  readonly countsConnections?: boolean
  /** TLS on a port of its own, or where `addresses` says; null: on the sockets that it is told to accept from. Default none. */
  readonly tls?:
    | (TlsOptions & { readonly port: number | null; readonly addresses?: readonly FrontAddress[] })
    | null
}

/** How a site is served by TLS. */
export interface TlsOptions {
  /** They are the server's: it closes them. */
  readonly certificates: Certificates
  /** Whether clients that can have HTTP/2. */
  readonly http2: boolean
  /** Whether who asks for a name that no certificate is for, or for none, gets no handshake. Default false. */
  readonly refusesUnknown?: boolean
  /** Default: the server's own. */
  readonly tickets?: TicketKeys
  /** Answers certificate authorities, in clear and by TLS. Default: the site orders nothing of them. */
  readonly challenges?: AcmeChallenges | null
  /** Value of Strict-Transport-Security; null: none. */
  readonly hsts: string | null
  /** Whether requests in clear are sent there. */
  readonly redirect: boolean
  /** The port that the world knows; null: the one that is listened on. */
  readonly publicPort: number | null
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
  /** Replies that have begun and have not been handed over completely. */
  pendingCount(): number
  /** Open connections, WebSockets too; without `countsConnections` those of HTTP by the engine are not among them. */
  connectionCount(): { readonly http: number; readonly https: number }
  /** Serves `application` from the next request on; WebSockets of the one before are closed with 1001. */
  use(application: Application): void
  /**
   * Accepts nothing more, closes WebSockets with 1001, lets begun replies, and handlers of sockets, end, then closes
   * all connections. Resolves to the number of replies that were cut.
   */
  close(options?: CloseOptions): Promise<number>
  /** Accepts from a listening socket for TLS, which becomes the server's, until what it returns is called. */
  acceptTls(handle: ListeningHandle): () => void
  /** Open and refused connections of this process; null where they are not limited. */
  connectionLimits(): ConnectionStats | null
  /** When its certificates end; empty without TLS. */
  certificateEnds(): readonly CertificateEnd[]
}

/** What `listen` gives: a server that is listening. */
export interface Server extends Serving {
  /** The first port that is listened on; 0 where there are only unix sockets. */
  readonly port: number
  /** The first one for TLS that it has opened; null: none. */
  readonly tlsPort: number | null
  /** All of them, in the order of the addresses: 0 for unix sockets. */
  readonly ports: readonly number[]
  readonly tlsPorts: readonly number[]
  /** Whether connections are looked at first: without the addon the fences of the native lane are all. */
  readonly gated: boolean
}

/** A server on listening sockets of somebody else. */
export interface HandedServer extends Serving {
  /** Accepts from the listening socket `fd`, which stays the caller's, until what it returns is called. */
  accept(fd: number, isLocal: boolean): () => void
}

const LINGER_MS = 250

/** Milliseconds between two looks at what is still in flight. */
const DRAIN_POLL_MS = 10

/** Milliseconds that a connection may stay silent once the server stops: its request may be on its way. */
const SILENT_GRACE_MS = 250

/** Starts to serve. Throws UWAS_ERR_SERVER_LISTEN when an address cannot be had, UWAS_ERR_SERVER_NO_ENGINE. */
export async function listen(application: Application, options: ListenOptions): Promise<Server> {
  const { host, tls = null } = options
  const gate = options.gate === undefined ? loadNative().gate : options.gate
  const parts = assemble(application, { ...options, gate, tls })
  try {
    const front = await openFront(parts, { ...options, gate })
    const usual = tls?.port == null ? [] : [{ host, port: tls.port }]
    const tlsPorts = tls === null ? [] : await listenTls(parts, front, tls.addresses ?? usual)
    const { ports, gated } = front
    const port = ports.find((one) => one > 0) ?? 0
    return { ...serving(parts, front), port, tlsPort: tlsPorts[0] ?? null, ports, tlsPorts, gated }
  } catch (error) {
    parts.tls?.front.close()
    parts.limits?.close()
    throw error
  }
}

/** Is ready to serve what it is told to accept. Throws UWAS_ERR_SERVER_NO_ENGINE. */
export function serveHanded(
  application: Application,
  options: {
    readonly headers: HeaderList
    readonly gate: Gate
    readonly countsConnections?: boolean
    readonly tls?: TlsOptions | null
    readonly connections?: ConnectionRules | null
  },
): HandedServer {
  const parts = assemble(application, options)
  const front = new GatedFront(options.gate, parts.engine, parts)
  return { ...serving(parts, front), accept: (fd, isLocal) => front.accept(fd, isLocal) }
}

interface Parts {
  readonly engine: LoadedEngine
  /** By TCP. */
  readonly clear: Inner
  /** By unix sockets. */
  readonly local: Inner
  readonly tls: TlsParts | null
  readonly stopping: AbortController
  readonly limits: ConnectionLimits | null
}

interface TlsParts {
  readonly lane: NativeLane
  readonly front: TlsFront
  readonly redirect: HttpsRedirect
  readonly publicPort: number | null
}

interface AssembleOptions {
  readonly headers: HeaderList
  readonly gate: Gate | null
  readonly countsConnections?: boolean
  readonly tls?: TlsOptions | null
  readonly connections?: ConnectionRules | null
}

function assemble(application: Application, options: AssembleOptions): Parts {
  const { headers, countsConnections = false, tls = null } = options
  const engine = loadEngine()
  const stopping = new AbortController()
  application.services.provide(DRAINING, stopping.signal)
  const redirect = tls === null ? null : redirectOf(tls)
  const { challenges = null } = tls ?? {}
  const scheme = { ...CLEAR, redirect: tls?.redirect === true ? redirect : null, challenges }
  const inner = { headers, scheme, countsConnections }
  const clear = createInner(engine, application, inner)
  const local = createInner(engine, application, inner)
  const limits = limitsOf(application, options)
  const parts = { engine, clear, local, stopping, limits }
  if (tls === null || redirect === null) return { ...parts, tls: null }
  const fields = tls.hsts === null ? null : { list: hstsField(tls.hsts) }
  const secure = { secure: true, fields, redirect: null, challenges }
  const lane = new NativeLane(application, headers, secure)
  const { maxHeaderBytes } = engine
  const lanes = { secure: lane, clear: clear.lane }
  const { sockets } = clear
  const front = new TlsFront(lanes, { ...tls, maxHeaderBytes, sockets, limits })
  const { publicPort } = tls
  return { ...parts, tls: { lane, front, redirect, publicPort } }
}

/** Null where nothing is to be limited, or cannot be. */
function limitsOf(
  { log }: Application,
  { connections = null, gate, headers }: AssembleOptions,
): ConnectionLimits | null {
  const { counting } = loadNative()
  if (connections === null) return null
  if (gate !== null && counting !== null)
    return new ConnectionLimits(counting, connections, busyBytes(createHeads(headers)), log)
  log.warn('limits.connections: connections are not limited; that needs Linux and the native addon')
  return null
}

function redirectOf({ certificates, publicPort }: TlsOptions): HttpsRedirect {
  const covers = (name: string): boolean => certificates.covers(name)
  return new HttpsRedirect(publicPort ?? 0, covers, () => certificates.default !== undefined)
}

function hstsField(value: string): HeaderList {
  return [['Strict-Transport-Security', value]]
}

/** Resolves to the ports. Where one cannot be had the others are given up, too. */
async function listenTls(
  { tls }: Parts,
  front: Front,
  addresses: readonly FrontAddress[],
): Promise<number[]> {
  const { front: tlsFront, redirect, publicPort } = tls as TlsParts
  const ports: number[] = []
  try {
    for (const address of addresses) ports.push(await tlsFront.listen(address))
  } catch (error) {
    front.stop()
    front.close()
    throw error
  }
  redirect.port = publicPort ?? ports[0] ?? redirect.port
  return ports
}

function serving(
  { engine, clear, local, tls, stopping, limits }: Parts,
  front: Pick<Front, 'stop' | 'busy' | 'connections' | 'close'>,
) {
  const inners = [clear, local]
  const lanes = [...inners.map(({ lane }) => lane), ...(tls === null ? [] : [tls.lane])]
  const requests = (): number => lanes.reduce((sum, one) => sum + one.requests, 0)
  const pending = (): number => lanes.reduce((sum, one) => sum + one.pending, 0)
  const running = (): number => inners.reduce((sum, { sockets }) => sum + sockets.running, 0)
  return {
    engineVersion: engine.version,
    requestCount: requests,
    pendingCount: pending,
    connectionCount: () => ({
      http: inners.reduce((sum, { lane }) => sum + lane.connections.count, front.connections()),
      https: tls?.front.connections ?? 0,
    }),
    use(next: Application) {
      next.services.provide(DRAINING, stopping.signal)
      for (const one of lanes) one.application = next
      for (const { sockets } of inners) sockets.use(next)
    },
    acceptTls: (handle: ListeningHandle) => (tls as TlsParts).front.accept(handle),
    connectionLimits: () => limits?.stats() ?? null,
    certificateEnds: () => tls?.front.certificateEnds() ?? [],
    async close({ graceMs = 10_000, lingerMs = LINGER_MS }: CloseOptions = {}) {
      for (const one of lanes) one.draining = true
      stopping.abort()
      front.stop()
      tls?.front.stop()
      for (const { sockets } of inners) sockets.closeAll()
      const start = performance.now()
      const quiet = new Quiet(requests, lingerMs)
      const isBusy = (waitedMs: number): boolean =>
        quiet.isWaiting() ||
        pending() + running() + (tls?.front.sending() ?? 0) > 0 ||
        (front.busy() + (tls?.front.busy() ?? 0) > 0 && waitedMs < SILENT_GRACE_MS)
      for (let waited = 0; waited < graceMs && isBusy(waited); ) {
        await sleep(DRAIN_POLL_MS)
        waited = performance.now() - start
      }
      const cut = pending()
      front.close()
      tls?.front.close()
      limits?.close()
      return cut
    },
  }
}

/**
 * Tells when no request has come for a while. It counts its own looks: while a busy machine lets nothing run, clients
 * do not run either.
 */
class Quiet {
  readonly #requests: () => number
  readonly #looks: number
  #left: number
  #seen: number

  constructor(requests: () => number, lingerMs: number) {
    this.#requests = requests
    this.#looks = Math.ceil(lingerMs / DRAIN_POLL_MS)
    this.#left = this.#looks
    this.#seen = requests()
  }

  isWaiting(): boolean {
    const seen = this.#requests()
    if (seen !== this.#seen) this.#left = this.#looks
    this.#seen = seen
    return this.#left-- > 0
  }
}

async function openFront(
  parts: Parts,
  { host, port, addresses, isShared = false, gate }: ListenOptions & { readonly gate: Gate | null },
): Promise<Front> {
  const { engine, clear, local } = parts
  const all = addresses ?? [{ host, port, isShared }]
  if (gate !== null) {
    const front = new GatedFront(gate, engine, parts)
    try {
      return await listenGated(front, gate, all)
    } catch (error) {
      front.close()
      throw error
    }
  }
  const close = (): void => {
    clear.app.close()
    local.app.close()
  }
  try {
    return { ...(await listenUngated(engine, clear.app, all)), close }
  } catch (error) {
    close()
    throw error
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
