/**
 * A site under test: the whole stack behind a port of this machine, a client with a cookie jar before it, and
 * a database in which nothing stays. Called by a site's own tests.
 */
import { join } from 'node:path'
import { type App, type Backends, createApp, forgetCaches, openBackends } from '../app.ts'
import { createLog } from '../core/log.ts'
import { securityHeaders } from '../http/security-headers.ts'
import { Pinned } from '../model/pinned.ts'
import { listen, type Server } from '../server/server.ts'
import { openTls } from '../server/tls/open-tls.ts'
import { parseConfig, type UserConfig } from '../was/config.ts'
import { CookieJar } from './cookie-jar.ts'
import { proofFor } from './csrf-proof.ts'
import { expectQueries } from './expect-queries.ts'
import { apart, withOwnDatabase } from './own-database.ts'
import { Recordings } from './recordings.ts'
import { afterRedirect, isRedirect, placeOf, type Sent } from './redirects.ts'
import { send } from './send.ts'

/** How a site is put under test. */
export interface TestClientOptions {
  /** The folder that the configuration's paths start from: `import.meta.dirname` of a file beside it. */
  readonly root: string
  /** Environment for the configuration (DATABASE_URL). Default: the process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /**
   * True: a new database for this client alone, on the server of the site's; its role has to have the right to
   * make databases. It is dropped by `close`, or, after a process was killed, by the next client. So files of tests
   * run in parallel, and need no rollback. The embedded PostgreSQL then runs in a folder of its own for each file
   * of tests, below `stateDir`. Default false: the site's database.
   */
  readonly ownDatabase?: boolean
  /**
   * True: requests go by TLS, with the certificates that `tls` of the configuration names, to a port of their own; nobody
   * asks who has signed them. Default false: in clear, whatever `tls` says.
   */
  readonly secure?: boolean
}

/** What a request of the test client may carry. At most one of the bodies. */
export interface TestRequest {
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as an HTML form. */
  readonly form?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly body?: string | Uint8Array | FormData
  /**
   * False: sent as a form of another site could be. Default true: with the token that a page of the site would
   * have (X-CSRF-Token) and a browser's word (Sec-Fetch-Site), where the site checks forms.
   */
  readonly csrf?: boolean
  /** True: redirects are followed, as browsers do, to the reply that is none; 20 at most. Default false. */
  readonly follow?: boolean
}

/** What came back, read to its end. A redirect is a reply like others: `client.follow(reply)` goes on. */
export interface TestReply {
  /** What was asked for. */
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The text as JSON. */
  json(): unknown
  /** Names of the statements that this request ran, in the order in which it began them. */
  readonly queries: readonly string[]
  /** The templates that views and error pages rendered for this request, with what they were given. */
  readonly templates: readonly { readonly name: string; readonly data: object }[]
  /** With `follow`: the redirects that led here, the first one first. */
  readonly redirects: readonly TestReply[]
}

const MAX_REDIRECTS = 20

/**
 * Starts the site of `config`, as `uwas serve` would: migrations, statements, templates, files. Unknown names in
 * templates and one read a row are errors, as in `uwas dev`. Rejects as they do. End it with `close()`.
 */
export async function createTestClient(
  config: UserConfig,
  { root, env = process.env, ownDatabase = false, secure = false }: TestClientOptions,
): Promise<TestClient> {
  const lines: string[] = []
  const log = createLog((line) => lines.push(line))
  const parsed = parseConfig(config, { file: join(root, 'uwas.config.ts'), env })
  // What it would tell others is none of the site's own queries, and is undone with the test.
  const cache = { ...parsed.cache, shared: false }
  const timed = { ...parsed, timings: true, status: null, accessLog: null, cache }
  if (secure && parsed.tls === null) {
    throw new TypeError('secure: the site has no TLS; set the key "tls"')
  }
  if (secure && parsed.tls?.certificates.every(({ awaits }) => awaits !== undefined)) {
    throw new TypeError(
      'secure: nobody orders certificates for a test; name some in tls.certificates',
    )
  }
  const { config: site, release } = ownDatabase ? apart(timed) : { config: timed, release() {} }
  let backends: Backends | undefined
  try {
    backends = await openBackends(site, log, { refusesRepeats: true })
    if (ownDatabase) backends = await withOwnDatabase(backends)
    const recordings = new Recordings()
    const app = recordings.around(await createApp(site, backends, { log, isStrict: true }))
    const headers = securityHeaders(site.securityHeaders)
    const opened = secure ? await openTls(site.tls, log) : null
    const tls = opened && { ...opened, port: 0, publicPort: null }
    const server = await listen(app, { host: '127.0.0.1', port: 0, headers, tls })
    return new TestClient({ app, backends, server, recordings, log: lines, release })
  } catch (error) {
    await backends?.close()
    release()
    throw error
  }
}

/** What a test client is made of. */
interface Parts {
  readonly app: App
  readonly backends: Backends
  readonly server: Server
  readonly recordings: Recordings
  readonly log: readonly string[]
  readonly release: () => void
}

/** Made by `createTestClient`. Cookies are kept between requests; several at once are told apart. */
export class TestClient {
  /** `http://127.0.0.1:PORT`, or `https:` where it is `secure`; for browsers and other clients. */
  readonly url: string
  /** The site's database and other services, for statements of the test itself. */
  readonly services: App['services']
  /** What the site has logged. */
  readonly log: readonly string[]
  readonly #backends: Backends
  readonly #server: Server
  readonly #recordings: Recordings
  readonly #release: () => void
  readonly #sent = new WeakMap<TestReply, Sent>()
  #jar = new CookieJar()
  #pinned: Pinned | null = null

  constructor({ app, backends, server, recordings, log, release }: Parts) {
    const { port, tlsPort } = server
    this.url = tlsPort === null ? `http://127.0.0.1:${port}` : `https://127.0.0.1:${tlsPort}`
    this.services = app.services
    this.log = log
    this.#backends = backends
    this.#server = server
    this.#recordings = recordings
    this.#release = release
  }

  /**
   * Everything from here on, by the site's code and by the test's own statements, happens in a transaction that
   * `rollback` undoes. An `atomic` of the site is a savepoint in it: its hooks run when it would have been
   * committed, its isolation is that of the transaction. While one runs, what others ask of the database waits, requests
   * too: do not send one from within an `atomic`. Cookies are forgotten, and what was cached.
   */
  async begin(): Promise<void> {
    this.#jar = new CookieJar()
    forgetCaches(this.#backends)
    const { database } = this.#backends
    if (database !== null && this.#pinned === null) this.#pinned = await Pinned.begin(database)
  }

  /** Undoes all since `begin`; call it after each test. */
  async rollback(): Promise<void> {
    await this.#pinned?.end()
    this.#pinned = null
    forgetCaches(this.#backends)
  }

  get(path: string, request?: TestRequest): Promise<TestReply> {
    return this.request('GET', path, request)
  }

  post(path: string, request?: TestRequest): Promise<TestReply> {
    return this.request('POST', path, request)
  }

  /**
   * What the Location of a reply leads to, read from where that reply came; it stays on the site. 307 and 308 send
   * what was sent again; after a POST all others are a GET. The fields of the first request stay.
   */
  follow(reply: TestReply): Promise<TestReply> {
    const sent = this.#sent.get(reply) ?? { method: 'GET', request: {} }
    const path = placeOf(reply, sent, this.url)
    const { method, request } = afterRedirect(reply.status, sent)
    return this.#send(method, path, request)
  }

  /**
   * Runs `work` and gives what it gives. Statements of its requests and of its own are counted, on whatever
   * they run; those of work beside it are not. An AssertionError lists them where there are not `count`.
   */
  expectQueries<T>(count: number, work: () => Promise<T> | T): Promise<T> {
    return expectQueries(count, work)
  }

  /** `path` begins with a slash; what begins with two is a path of the site as well. */
  async request(method: string, path: string, request: TestRequest = {}): Promise<TestReply> {
    if (!path.startsWith('/')) throw new TypeError(`${path} is no path: it begins with a slash`)
    const first = await this.#send(method, path, request)
    if (request.follow !== true) return first
    let reply = first
    const redirects: TestReply[] = []
    while (isRedirect(reply)) {
      redirects.push(reply)
      if (redirects.length > MAX_REDIRECTS) {
        const way = redirects.map(({ url }) => url.slice(this.url.length)).join(' → ')
        throw new TypeError(`more than ${MAX_REDIRECTS} redirects: ${way}`)
      }
      reply = await this.follow(reply)
    }
    return Object.assign(reply, { redirects })
  }

  async #send(method: string, path: string, request: TestRequest): Promise<TestReply> {
    const url = this.url + path
    const headers = this.#headersOf(method, request)
    const body = bodyOf(request, headers)
    const [response, { statements, templates }] = await this.#recordings.of(headers, () =>
      send(url, { method, headers, body }),
    )
    const { text } = response
    this.#jar.take(response.headers.getSetCookie())
    const reply: TestReply = {
      url,
      status: response.status,
      headers: response.headers,
      text,
      json: () => JSON.parse(text) as unknown,
      queries: statements,
      templates,
      redirects: [],
    }
    this.#sent.set(reply, { method, request })
    return reply
  }

  #headersOf(method: string, request: TestRequest): Headers {
    const headers = new Headers(request.headers)
    if (request.csrf !== false && !/^(?:GET|HEAD|OPTIONS)$/.test(method)) {
      const { set, fields } = proofFor(
        this.services,
        this.#jar.header(),
        headers,
        this.url.startsWith('https:'),
      )
      this.#jar.take(set)
      for (const [name, value] of fields) headers.set(name, value)
    }
    const cookies = this.#jar.header()
    if (cookies !== '' && !headers.has('cookie')) headers.set('cookie', cookies)
    return headers
  }

  async close(): Promise<void> {
    try {
      await this.rollback()
    } finally {
      try {
        await this.#server.close({ graceMs: 1000 })
        await this.#backends.close()
      } finally {
        this.#release()
      }
    }
  }
}

type Body = NonNullable<RequestInit['body']>

function bodyOf({ form, json, body }: TestRequest, headers: Headers): Body | undefined {
  if (form !== undefined) return new URLSearchParams(form)
  if (json === undefined) return body as Body | undefined
  if (!headers.has('content-type')) headers.set('content-type', 'application/json')
  return JSON.stringify(json)
}
