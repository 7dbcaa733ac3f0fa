/**
 * What a view gets: one request, readable before and after an `await`. `server/` makes it; until the
 * view's synchronous part returns, fields are read from the engine's own request, then from a copy.
 */
import { createError } from '../core/errors.ts'
import type { Services } from '../core/services.ts'
import type { Trace } from '../core/trace.ts'
import { parseCookies } from './cookie.ts'

/** Where a request's fields come from. */
export interface FieldSource {
  /** Value of a field by its lower-case name; several of one name joined by `, ` (cookies by `; `). */
  get(name: string): string | undefined
  /** All fields, names in lower case, in the order of arrival. */
  entries(): [name: string, value: string][]
}

/** Where a request's body comes from. */
export interface BodySource {
  /**
   * The whole body; always the same bytes when called again. Rejects with
   * UWAS_ERR_HTTP_BODY_TOO_LARGE or UWAS_ERR_HTTP_BODY_ABORTED.
   */
  read(): Promise<Uint8Array>
}

export interface RequestParts {
  readonly method: string
  readonly path: string
  readonly search: string
  readonly fields: FieldSource
  readonly body: BodySource | null
  readonly services: Services
  /** Called at most once. */
  readonly remoteAddress: () => string
  readonly secure: boolean
  readonly trace: Trace | null
}

const NO_BODY = new Uint8Array(0)

/** `P` is the type of `params`, as the route's pattern gives it. */
export class Request<P = Record<string, unknown>> {
  /** As sent, in capitals: `GET`. */
  readonly method: string
  /** Decoded canonical path, without the query. */
  readonly path: string
  /** The query as sent, without `?`; empty when there is none. */
  readonly search: string
  /** Values of the route's `<converter:name>` parts. */
  params: P
  /** True when the connection is TLS. */
  readonly secure: boolean
  readonly services: Services
  /** Spans of this request when the site records timings, else null. */
  readonly trace: Trace | null
  /** Free space for middleware and views of this request. */
  readonly locals: Record<string, unknown>
  readonly #fields: FieldSource
  readonly #body: BodySource | null
  #remoteAddress: (() => string) | string
  #id: string | undefined
  #query: URLSearchParams | undefined
  #cookies: Map<string, string> | undefined
  #abort: AbortController | undefined
  #aborted: boolean

  constructor(parts: RequestParts) {
    this.method = parts.method
    this.path = parts.path
    this.search = parts.search
    this.params = {} as P
    this.secure = parts.secure
    this.services = parts.services
    this.trace = parts.trace
    this.locals = {}
    this.#fields = parts.fields
    this.#body = parts.body
    this.#remoteAddress = parts.remoteAddress
    this.#id = undefined
    this.#query = undefined
    this.#cookies = undefined
    this.#abort = undefined
    this.#aborted = false
  }

  /** Value of a field, by its name in any case; several of one name are joined by `, `. */
  header(name: string): string | undefined {
    return this.#fields.get(name.toLowerCase())
  }

  /** All fields in the order of arrival, names in lower case. */
  get headers(): [name: string, value: string][] {
    return this.#fields.entries()
  }

  /** The parsed query (application/x-www-form-urlencoded). */
  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.search)
    return this.#query
  }

  /** Value of a cookie, or undefined. */
  cookie(name: string): string | undefined {
    this.#cookies ??= parseCookies(this.header('cookie') ?? '')
    return this.#cookies.get(name)
  }

  /** Address of the peer of the connection, as text: `127.0.0.1`, `::1`. */
  get remoteAddress(): string {
    if (typeof this.#remoteAddress === 'function') this.#remoteAddress = this.#remoteAddress()
    return this.#remoteAddress
  }

  /** Names this request in logs and on error pages: a random UUID, made when first asked for. */
  get id(): string {
    this.#id ??= crypto.randomUUID()
    return this.#id
  }

  /** Fires when the client goes away before the reply is complete. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#aborted) this.#abort.abort()
    }
    return this.#abort.signal
  }

  /** The body; empty when there is none. Rejects with UWAS_ERR_HTTP_BODY_TOO_LARGE, _ABORTED. */
  bytes(): Promise<Uint8Array> {
    return this.#body === null ? Promise.resolve(NO_BODY) : this.#body.read()
  }

  /** The body as UTF-8 text. Bytes that are not UTF-8 are UWAS_ERR_HTTP_BODY_MALFORMED (400). */
  async text(): Promise<string> {
    return decodeUtf8(await this.bytes(), 'text')
  }

  /**
   * The body as JSON. Another Content-Type is UWAS_ERR_HTTP_BODY_TYPE (415), text that is not JSON
   * is UWAS_ERR_HTTP_BODY_MALFORMED (400). The caller checks the shape.
   */
  async json(): Promise<unknown> {
    this.#expectType('application/json', /^application\/(?:[\w.+-]+\+)?json$/)
    const source = decodeUtf8(await this.bytes(), 'JSON')
    try {
      return JSON.parse(source)
    } catch (error) {
      const problem = (error as Error).message
      throw createError('UWAS_ERR_HTTP_BODY_MALFORMED', { type: 'JSON', problem }, error)
    }
  }

  /** The fields of an HTML form (application/x-www-form-urlencoded); errors as `json`. */
  async form(): Promise<URLSearchParams> {
    const type = 'application/x-www-form-urlencoded'
    this.#expectType(type, /^application\/x-www-form-urlencoded$/)
    return new URLSearchParams(decodeUtf8(await this.bytes(), type))
  }

  #expectType(expected: string, pattern: RegExp): void {
    const type = this.header('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
    if (pattern.test(type)) return
    throw createError('UWAS_ERR_HTTP_BODY_TYPE', {
      type: type === '' ? 'of no type' : type,
      expected,
    })
  }

  /** For `server/`: the client has gone. */
  markAborted(): void {
    this.#aborted = true
    this.#abort?.abort()
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

function decodeUtf8(body: Uint8Array, type: string): string {
  try {
    return UTF8.decode(body)
  } catch (error) {
    throw createError('UWAS_ERR_HTTP_BODY_MALFORMED', { type, problem: 'it is not UTF-8' }, error)
  }
}
