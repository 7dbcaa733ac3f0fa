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
import { parseConfig, type UserConfig } from '../was/config.ts'
import { CookieJar } from './cookie-jar.ts'
import { proofFor } from './csrf-proof.ts'

/** How a site is put under test. */
export interface TestClientOptions {
  /** The folder that the configuration's paths start from: `import.meta.dirname` of a file beside it. */
  readonly root: string
  /** Environment for the configuration (DATABASE_URL). Default: the process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>
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
}

/** What came back, read to its end. Redirects are replies like others: `client.follow(reply)` goes on. */
export interface TestReply {
  /** What was asked for. */
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The text as JSON. */
  json(): unknown
  /** Names of the statements that the request ran, in the order in which they were answered. */
  readonly queries: readonly string[]
}

/**
 * Starts the site of `config`, as `uwas serve` would: migrations, statements, templates, files. Unknown names in
 * templates and one read a row are errors, as in `uwas dev`. Rejects as they do. End it with `close()`.
 */
export async function createTestClient(
  config: UserConfig,
  { root, env = process.env }: TestClientOptions,
): Promise<TestClient> {
  const lines: string[] = []
  const log = createLog((line) => lines.push(line))
  const parsed = parseConfig(config, { file: join(root, 'uwas.config.ts'), env })
  const site = { ...parsed, timings: true }
  const backends = await openBackends(site, log, { refusesRepeats: true })
  try {
    const app = await createApp(site, backends, { log, isStrict: true })
    const headers = securityHeaders(site.securityHeaders)
    const server = await listen(app, { host: '127.0.0.1', port: 0, headers })
    return new TestClient(app, backends, server, lines)
  } catch (error) {
    await backends.close()
    throw error
  }
}

/** Made by `createTestClient`. Requests one after the other; cookies are kept between them. */
export class TestClient {
  /** `http://127.0.0.1:PORT`, for browsers and other clients. */
  readonly url: string
  /** The site's database and other services, for statements of the test itself. */
  readonly services: App['services']
  /** What the site has logged. */
  readonly log: readonly string[]
  readonly #backends: Backends
  readonly #server: Server
  #jar = new CookieJar()
  #pinned: Pinned | null = null

  constructor(app: App, backends: Backends, server: Server, log: readonly string[]) {
    this.url = `http://127.0.0.1:${server.port}`
    this.services = app.services
    this.log = log
    this.#backends = backends
    this.#server = server
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

  /** The reply to a reply's Location, which is read from where that reply came. It stays on the site. */
  follow(reply: TestReply): Promise<TestReply> {
    const location = reply.headers.get('location')
    if (location === null) throw new TypeError(`a ${reply.status} has no Location to follow`)
    const { origin, pathname, search } = new URL(location, reply.url)
    if (origin !== this.url) {
      throw new TypeError(`${location} leaves the site, which is ${this.url}`)
    }
    return this.get(pathname + search)
  }

  /** `path` begins with a slash; what begins with two is a path of the site as well. */
  async request(method: string, path: string, request: TestRequest = {}): Promise<TestReply> {
    if (!path.startsWith('/')) throw new TypeError(`${path} is no path: it begins with a slash`)
    const url = this.url + path
    const before = this.#lastTrace()
    const headers = new Headers(request.headers)
    if (request.csrf !== false && !/^(?:GET|HEAD|OPTIONS)$/.test(method)) {
      const { set, fields } = proofFor(this.services, this.#jar.header(), headers)
      this.#jar.take(set)
      for (const [name, value] of fields) headers.set(name, value)
    }
    const cookies = this.#jar.header()
    if (cookies !== '' && !headers.has('cookie')) headers.set('cookie', cookies)
    const body = bodyOf(request, headers)
    const response = await fetch(url, {
      method,
      headers,
      redirect: 'manual',
      ...(body !== undefined && { body }),
    })
    const text = await response.text()
    this.#jar.take(response.headers.getSetCookie())
    const trace = this.#lastTrace()
    const spans = trace === before ? [] : (trace?.spans ?? [])
    return {
      url,
      status: response.status,
      headers: response.headers,
      text,
      json: () => JSON.parse(text) as unknown,
      queries: spans.filter(({ step }) => step === 'model').map(({ detail }) => detail),
    }
  }

  async close(): Promise<void> {
    try {
      await this.rollback()
    } finally {
      await this.#server.close({ graceMs: 1000 })
      await this.#backends.close()
    }
  }

  #lastTrace() {
    return this.#backends.traces?.recent()[0]
  }
}

type Body = NonNullable<RequestInit['body']>

function bodyOf({ form, json, body }: TestRequest, headers: Headers): Body | undefined {
  if (form !== undefined) return new URLSearchParams(form)
  if (json === undefined) return body as Body | undefined
  if (!headers.has('content-type')) headers.set('content-type', 'application/json')
  return JSON.stringify(json)
}
