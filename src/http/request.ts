/**
 * What a view gets: one request, readable before and after an `await`. `server/` makes it; until the
 * view's synchronous part returns, fields are read from the engine's own request, then from a copy.
 */

import { handled } from '../core/handled.ts'
import type { Services } from '../core/services.ts'
import type { Trace } from '../core/trace.ts'
import { uuid7 } from '../core/uuid7.ts'
import { negotiateLanguage } from './accept-language.ts'
import { decodeUtf8, expectType, parseForm, parseJson } from './body-parse.ts'
import { cookieValues, parseCookies } from './cookie.ts'
import { type Client, findClient } from './forwarded.ts'
import { mediaTypeOf } from './mime.ts'
import { negotiateType } from './negotiate.ts'

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
   * UWAS_ERR_HTTP_BODY_TOO_LARGE, UWAS_ERR_HTTP_BODY_SLOW or UWAS_ERR_HTTP_BODY_ABORTED.
   */
  read(): Promise<Uint8Array>
  /** The body piece by piece, once; rejects as `read`. Returned early, the rest is let go of. */
  stream(): AsyncGenerator<Uint8Array, void>
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

/**
 * What a reply can be made from that belongs to one client, from the least telling to the most. `nonce`: a
 * number of this reply alone is in its page.
 */
export type Personal = 'authorization' | 'cookie' | 'session' | 'user' | 'nonce'

const PERSONAL: readonly Personal[] = ['authorization', 'cookie', 'session', 'user', 'nonce']

const NO_BODY = new Uint8Array(0)

async function* noBytes(): AsyncGenerator<Uint8Array, void> {}

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
  /** Pattern of the route that answers: `/posts/<int:id>`; empty where none does. */
  route: string
  /** True when the connection is TLS. */
  readonly secure: boolean
  readonly services: Services
  /** Spans of this request when the site records timings, else null. */
  trace: Trace | null
  /** `performance.now()` when the time for the reply is over; Infinity while it has no end. For `was/`. */
  endsAt: number
  /** True once a WebSocket has been made of the request, which then lasts as long. */
  isSocket: boolean
  /** The name by which the client has logged in over HTTP itself (basic auth), where a rule asks for that; else null. */
  remoteUser: string | null
  /** Free space for middleware and views of this request. */
  readonly locals: Record<string, unknown>
  /** True once the body has been taken as a stream: nobody can read it again. */
  isBodyTaken: boolean
  readonly #fields: FieldSource
  readonly #body: BodySource | null
  #isBodyKept: boolean
  #remoteAddress: (() => string) | string
  #id: string | undefined
  #client: Client | undefined
  #query: URLSearchParams | undefined
  #cookies: Map<string, string> | undefined
  #chosenBy: string[] | null
  /** One bit for each of PERSONAL. */
  #personal: number
  /** How often something of this client has been looked at. */
  personalReads: number
  #abort: AbortController | undefined
  #aborted: boolean
  #abortReason: unknown
  #isDone: boolean
  #onDone: (() => void)[] | undefined

  constructor(parts: RequestParts) {
    this.method = parts.method
    this.path = parts.path
    this.search = parts.search
    this.params = {} as P
    this.route = ''
    this.secure = parts.secure
    this.services = parts.services
    this.trace = parts.trace
    this.endsAt = Infinity
    this.isSocket = false
    this.remoteUser = null
    this.locals = {}
    this.isBodyTaken = false
    this.#fields = parts.fields
    this.#body = parts.body
    this.#isBodyKept = false
    this.#remoteAddress = parts.remoteAddress
    this.#id = undefined
    this.#client = undefined
    this.#query = undefined
    this.#cookies = undefined
    this.#chosenBy = null
    this.#personal = 0
    this.personalReads = 0
    this.#abort = undefined
    this.#aborted = false
    this.#abortReason = undefined
    this.#isDone = false
    this.#onDone = undefined
  }

  /**
   * Value of a field, by its name in any case; several of one name are joined by `, `. Cookie and
   * Authorization make the reply personal.
   */
  header(name: string): string | undefined {
    const lower = name.toLowerCase()
    if (lower === 'cookie' || lower === 'authorization') this.markPersonal(lower)
    return this.#fields.get(lower)
  }

  /** All fields in the order of arrival, names in lower case. The reply is then personal. */
  get headers(): [name: string, value: string][] {
    this.markPersonal('authorization')
    this.markPersonal('cookie')
    return this.#fields.entries()
  }

  /** For `pages/`: the fields, without making the reply personal; they are there when the request is over, too. */
  copyFields(): FieldSource {
    this.#fields.entries()
    return this.#fields
  }

  /** The parsed query (application/x-www-form-urlencoded). */
  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.search)
    return this.#query
  }

  /**
   * What has been looked at so far that belongs to this client, the most telling of it; null: nothing, and the
   * reply may be the same for everybody. Such a reply is private by default, and never kept for others.
   */
  get personal(): Personal | null {
    return this.#personal === 0 ? null : (PERSONAL[31 - Math.clz32(this.#personal)] as Personal)
  }

  /** Whether `what` has been looked at. */
  hasRead(what: Personal): boolean {
    return (this.#personal & (1 << PERSONAL.indexOf(what))) !== 0
  }

  /**
   * Which of these media types the client likes best, by Accept (RFC 9110 section 12.5.1): whole ones
   * (`application/json`), or endings of file names (`json`, `html`). In a tie, and where the client says
   * nothing, the first; undefined when it takes none of them: `throw new HttpError(406)`, or send one all
   * the same. The reply varies with the field by itself.
   */
  accepts<const Type extends string>(...types: readonly [Type, ...Type[]]): Type | undefined {
    this.#choose('Accept')
    const whole = types.map((type) => (type.includes('/') ? type : mediaTypeOf(type)))
    const chosen = negotiateType(this.header('accept'), whole)
    return chosen === undefined ? undefined : types[whole.indexOf(chosen)]
  }

  /**
   * Which of these languages (`en`, `pt-BR`) the client likes best, by Accept-Language (RFC 9110 section
   * 12.5.4, RFC 4647): a client that wants `en-GB` reads `en`. The rest is as of `accepts`.
   */
  acceptsLanguages<const Tag extends string>(...tags: readonly [Tag, ...Tag[]]): Tag | undefined {
    this.#choose('Accept-Language')
    return negotiateLanguage(this.header('accept-language'), tags) as Tag | undefined
  }

  /** Fields by which the reply has been chosen, for its Vary; null: none. */
  get chosenBy(): readonly string[] | null {
    return this.#chosenBy
  }

  /** Says that the reply is made from something of this client: whoever reads it by another way says so. */
  markPersonal(what: Personal): void {
    this.#personal |= 1 << PERSONAL.indexOf(what)
    this.personalReads++
  }

  /** Tells a cached page what it is made of (`cached` of its route); for all others it says nothing. */
  dependsOn(..._tags: string[]): void {}

  /** Tells a cached page that it cannot be kept, and why: `a fragment in it …`. For all others it says nothing. */
  refuseCaching(_reason: string): void {}

  /** Value of a cookie, or undefined. The reply then varies with cookies, and is private by default. */
  cookie(name: string): string | undefined {
    this.#cookies ??= parseCookies(this.#fields.get('cookie') ?? '')
    this.markPersonal('cookie')
    return this.#cookies.get(name)
  }

  /** All values that cookies of this name have, as `cookie`: more than one where somebody else has set one, too. */
  cookieValues(name: string): string[] {
    this.markPersonal('cookie')
    return cookieValues(this.#fields.get('cookie') ?? '', name)
  }

  /**
   * Address of the peer of the connection, as text: `127.0.0.1`, `::1`. Of a request without a body it is empty when
   * the client had gone before anybody asked.
   */
  get remoteAddress(): string {
    if (typeof this.#remoteAddress === 'function') this.#remoteAddress = this.#remoteAddress()
    return this.#remoteAddress
  }

  /**
   * The client: what the connection says, or what a trusted proxy does (`trustedProxies` of the
   * configuration). `scheme` and `host` are for links to this site.
   */
  get client(): Client {
    this.#client ??= findClient(this.services, this)
    return this.#client
  }

  /** Names this request in logs and on error pages: a UUID of version 7 (RFC 9562), made when first asked for. */
  get id(): string {
    this.#id ??= uuid7()
    return this.#id
  }

  /** True when the client has gone, or the time for the reply is over: nobody waits for what a view does. */
  get isAborted(): boolean {
    return this.#aborted
  }

  /** Fires when the client goes away before the reply is complete, or when the route's time is over. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#aborted) this.#abort.abort(this.#abortReason)
    }
    return this.#abort.signal
  }

  /** The body; empty when there is none. Rejects with UWAS_ERR_HTTP_BODY_TOO_LARGE, _SLOW, _ABORTED. */
  bytes(): Promise<Uint8Array> {
    if (this.#body === null) return Promise.resolve(NO_BODY)
    if (!this.isBodyTaken) this.#isBodyKept = true
    return handled(this.#body.read())
  }

  /**
   * The body as it arrives, without being held: what is not taken yet makes the client wait. Once for a
   * request, and not beside `bytes` (UWAS_ERR_HTTP_BODY_USED). Rejects in the middle with
   * UWAS_ERR_HTTP_BODY_TOO_LARGE, _SLOW, _ABORTED.
   */
  stream(): AsyncGenerator<Uint8Array, void> {
    if (this.#body === null) return noBytes()
    if (!this.#isBodyKept) this.isBodyTaken = true
    return this.#body.stream()
  }

  /** The body as UTF-8 text. Bytes that are not UTF-8 are UWAS_ERR_HTTP_BODY_MALFORMED (400). */
  text(): Promise<string> {
    return handled(this.#text('text'))
  }

  /**
   * The body as JSON, at most 100 levels and 100,000 values. Another Content-Type or charset is
   * UWAS_ERR_HTTP_BODY_TYPE (415), text that is not JSON UWAS_ERR_HTTP_BODY_MALFORMED (400), beyond the
   * bounds UWAS_ERR_HTTP_BODY_BOUND (413). The caller checks the shape.
   */
  json(): Promise<unknown> {
    return handled(this.#json())
  }

  /**
   * The fields of an HTML form (application/x-www-form-urlencoded), at most 1000; errors as `json`. A field
   * that stands several times has all its values (`getAll`).
   */
  form(): Promise<URLSearchParams> {
    return handled(this.#form())
  }

  /**
   * Calls `work` once when the reply has left completely, or never will: what a request has made (temporary
   * files) is put away there. At once when that is so already.
   */
  onDone(work: () => void): void {
    if (this.#isDone) return work()
    this.#onDone ??= []
    this.#onDone.push(work)
  }

  /** For `server/` and `was/`: the client has gone, or its time is over (`reason`). */
  markAborted(reason?: unknown): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#abortReason = reason
    this.#abort?.abort(reason)
  }

  /** For `server/`: from here on the request belongs to a WebSocket. Its timings end with its handshake. */
  markSocket(): void {
    this.isSocket = true
    this.trace = null
  }

  /** For `server/`: the exchange has ended. */
  markDone(): void {
    this.#isDone = true
    const all = this.#onDone
    this.#onDone = undefined
    if (all === undefined) return
    for (const work of all) work()
  }

  #choose(field: string): void {
    this.#chosenBy ??= []
    if (!this.#chosenBy.includes(field)) this.#chosenBy.push(field)
  }

  async #text(type: string): Promise<string> {
    return decodeUtf8(await this.bytes(), type)
  }

  async #json(): Promise<unknown> {
    const type = /^application\/(?:[\w.+-]+\+)?json$/
    expectType(this.header('content-type'), 'application/json', type)
    return parseJson(await this.#text('JSON'))
  }

  async #form(): Promise<URLSearchParams> {
    const type = 'application/x-www-form-urlencoded'
    expectType(this.header('content-type'), type, /^application\/x-www-form-urlencoded$/)
    return parseForm(await this.#text(type))
  }
}
