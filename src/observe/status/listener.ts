/**
 * The status listener: metrics, health and a page for people, on an address of their own. It only reads. Opened by
 * whoever knows the whole server: its supervisor, or the one process that it is.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, isIP, type Socket } from 'node:net'
import { negotiateType } from '../../http/negotiate.ts'
import type { MetricSamples } from '../metrics/family.ts'
import { chooseType, writeMetrics } from '../metrics/text.ts'
import { writeStatusPage } from './page.ts'

/** Whether a server, or one process of it, can take requests. */
export interface Readiness {
  readonly status: 'ready' | 'unready' | 'draining' | 'starting'
  /** What it needs, by name. */
  readonly checks: Readonly<Record<string, 'ok' | 'failed'>>
}

/** What is told. */
export interface StatusSource {
  metrics(): Promise<readonly MetricSamples[]>
  readiness(): Promise<Readiness>
  /** Anything that JSON can say. */
  status(): Promise<StatusFacts>
}

export interface StatusFacts {
  readonly pid: number
  readonly version: string
  readonly name: string
  readonly seconds: number
  readonly reloads: number
  /** Rows of a table; the keys are the same in each. */
  readonly workers: readonly Readonly<Record<string, string | number>>[]
}

export interface StatusOptions {
  readonly host: string
  /** 0 takes any free one. */
  readonly port: number
  /** A socket that listens there already, of another process. */
  readonly fd?: number | undefined
  /** What clients show for all but health; null: nothing. Asked with each request. */
  readonly token: () => string | null
}

export interface StatusListener {
  readonly port: number
  /** `http://127.0.0.1:9180` */
  readonly url: string
  /** Its socket. */
  readonly fd: number
  close(): Promise<void>
  /** The same, but what has been asked is answered: the socket is another process's from now on. */
  leave(): void
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly fields?: Readonly<Record<string, string>>
}

const MAX_CONNECTIONS = 256
const MAX_HEADER_BYTES = 8 * 1024
const REQUEST_MS = 10_000
const TEXT = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json'
const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/
const FIELDS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
}

/** Keeps no process alive by itself. Rejects with what the system says of the address. */
export async function openStatus(
  options: StatusOptions,
  source: StatusSource,
): Promise<StatusListener> {
  const asked = shared(source)
  const busy = new WeakSet<Socket>()
  const server = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS },
    (req, res) => {
      // A pipeline is nobody's need here: its answers would wait in memory.
      if (busy.has(req.socket)) return void req.socket.destroy()
      busy.add(req.socket)
      res.once('close', () => busy.delete(req.socket))
      void reply(req, res, options, asked)
    },
  )
  server.maxConnections = MAX_CONNECTIONS
  // Who does not take the answer is left.
  server.timeout = REQUEST_MS
  await listenOn(server, options)
  server.unref()
  const { port } = server.address() as AddressInfo
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return {
    port,
    url: `http://${host}:${port}`,
    fd: fdOf(server),
    close: () => close(server),
    leave: () => void server.close(),
  }
}

/** Undocumented, as is how Node's cluster module takes handles over. */
function fdOf(server: Server): number {
  return (server as Server & { readonly _handle: { readonly fd: number } })._handle.fd
}

/** Who ask at the same time get the same answer. */
function shared(source: StatusSource): StatusSource {
  const once = <T>(ask: () => Promise<T>): (() => Promise<T>) => {
    let asking: Promise<T> | null = null
    return () => {
      asking ??= ask().finally(() => {
        asking = null
      })
      return asking
    }
  }
  return {
    metrics: once(() => source.metrics()),
    readiness: once(() => source.readiness()),
    status: once(() => source.status()),
  }
}

function listenOn(server: Server, { host, port, fd }: StatusOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(fd === undefined ? { host, port, exclusive: true } : { fd }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

async function reply(
  req: IncomingMessage,
  res: ServerResponse,
  options: StatusOptions,
  source: StatusSource,
): Promise<void> {
  let answer: Answer
  try {
    answer = refuse(req, options) ?? (await answerTo(req, source))
  } catch (error) {
    answer = { status: 500, type: TEXT, body: `${(error as Error).message}\n` }
  }
  const { status, type, body, fields } = answer
  const length = Buffer.byteLength(body)
  res.writeHead(status, { ...FIELDS, 'Content-Type': type, 'Content-Length': length, ...fields })
  res.end(req.method === 'HEAD' ? undefined : body)
}

function refuse(req: IncomingMessage, { host, token }: StatusOptions): Answer | null {
  const plain = (status: number, body: string, fields = {}): Answer => {
    return { status, type: TEXT, body: `${body}\n`, fields }
  }
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    return plain(405, 'only GET and HEAD: nothing can be changed here', { Allow: 'GET, HEAD' })
  }
  // A page of the Internet whose name leads to this machine would else read it by a browser that runs here.
  if (LOOPBACK.test(host) && !isOwnName(req.headers.host ?? '')) {
    return plain(403, 'ask by address, or as localhost')
  }
  if (isHealth(pathOf(req))) return null
  const wanted = token()
  if (wanted === null || isSame(req.headers.authorization ?? '', `Bearer ${wanted}`)) return null
  return plain(401, 'Authorization: Bearer with status.token is needed', {
    'WWW-Authenticate': 'Bearer',
  })
}

async function answerTo(req: IncomingMessage, source: StatusSource): Promise<Answer> {
  switch (pathOf(req)) {
    case '/healthz':
      return json(200, { status: 'alive' })
    case '/readyz': {
      const readiness = await source.readiness()
      return json(readiness.status === 'ready' ? 200 : 503, readiness)
    }
    case '/metrics': {
      const type = chooseType(req.headers.accept)
      const body = writeMetrics(await source.metrics(), type)
      return { status: 200, type, body, fields: { Vary: 'Accept' } }
    }
    case '/status.json':
      return json(200, { ...(await source.status()), readiness: await source.readiness() })
    case '/':
      return await page(req, source)
    default:
      return {
        status: 404,
        type: TEXT,
        body: 'there are /, /status.json, /metrics, /healthz and /readyz\n',
      }
  }
}

async function page(req: IncomingMessage, source: StatusSource): Promise<Answer> {
  const [facts, readiness] = await Promise.all([source.status(), source.readiness()])
  const fields = { Vary: 'Accept' }
  if (negotiateType(req.headers.accept, ['text/html', JSON_TYPE]) === JSON_TYPE) {
    return { ...json(200, { ...facts, readiness }), fields }
  }
  const body = writeStatusPage(facts, readiness, await source.metrics())
  return { status: 200, type: 'text/html; charset=utf-8', body, fields }
}

function json(status: number, value: unknown): Answer {
  return { status, type: JSON_TYPE, body: `${JSON.stringify(value)}\n` }
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] as string
}

function isHealth(path: string): boolean {
  return path === '/healthz' || path === '/readyz'
}

function isOwnName(field: string): boolean {
  const host = field.replace(/:\d*$/, '').toLowerCase()
  return host === 'localhost' || isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0
}

/** In a time that does not tell where they differ. */
function isSame(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(a), hash(b))
}
