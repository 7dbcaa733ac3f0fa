/**
 * The request that a cached view gets: no client's, but that of everybody with the same key. Notes whatever
 * else is looked at, since a page that was made from it is not everybody's. Made by `page-cache.ts`.
 */
import { checkTags, MAX_TAGS } from '../cache/tags.ts'
import { type Client, TRUSTED_PROXIES } from '../http/forwarded.ts'
import { type FieldSource, type Personal, Request } from '../http/request.ts'
import type { PageKey, Rule } from './rule.ts'

/** The page is sent whole to whom it is new: these are evaluated when it is sent. */
const PRECONDITIONS = new Set([
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'range',
])

export class RenderRequest extends Request {
  /** What was looked at that the key does not have; the first of it. Null: the page is everybody's. */
  reason: string | null
  /** What looked at a client, and not only at a field: nothing of it may be shared, errors neither. */
  isPersonal: boolean
  readonly tags: Set<string>
  readonly #rule: Rule
  readonly #fields: FieldSource
  readonly #client: Client
  /** Whether the key has Host as it is. */
  readonly #isHostKeyed: boolean
  #isJudged: boolean

  /** `req` is the request of whom it is made for first; it may end before this one does. */
  constructor(req: Request, rule: Rule, key: PageKey) {
    const fields = req.copyFields()
    const { remoteAddress, client } = req
    super({
      method: 'GET',
      path: req.path,
      search: key.search,
      fields,
      body: null,
      services: req.services,
      remoteAddress: () => remoteAddress,
      secure: req.secure,
      trace: req.trace,
    })
    this.params = req.params
    this.reason = null
    this.isPersonal = false
    this.tags = new Set(rule.options.tags)
    this.#rule = rule
    this.#fields = fields
    this.#client = client
    const host = fields.get('host') ?? ''
    const origin = req.secure ? `https://${host}` : host
    this.#isHostKeyed = key.host === origin && req.services.find(TRUSTED_PROXIES) === undefined
    this.#isJudged = false
  }

  override dependsOn(...tags: string[]): void {
    for (const tag of checkTags(tags)) this.tags.add(tag)
    if (this.tags.size <= MAX_TAGS) return
    this.refuseCaching(`it has more than ${MAX_TAGS} tags`)
    this.tags.clear()
  }

  override refuseCaching(reason: string): void {
    this.reason ??= reason
  }

  override header(name: string): string | undefined {
    const lower = name.toLowerCase()
    const { headers, languages } = this.#rule
    if (PRECONDITIONS.has(lower)) return undefined
    if (lower === 'accept-language' && languages.length > 0) {
      return this.#rule.languageOf((one) => this.#fields.get(one))
    }
    if (lower === 'cookie') this.#look('all cookies', true)
    // Requests with Authorization do not come here.
    else if (lower !== 'authorization' && !headers.includes(lower) && !this.#isKeyed(lower)) {
      this.#look(`the field ${lower}`, false)
    }
    return this.#fields.get(lower)
  }

  override get headers(): [name: string, value: string][] {
    this.#look('all fields', true)
    return this.#fields.entries()
  }

  override cookie(name: string): string | undefined {
    if (this.#rule.bypasses(name)) return undefined
    if (!this.#rule.cookies.includes(name)) this.#look(`the cookie ${name}`, true)
    return this.#judged(() => super.cookie(name))
  }

  override cookieValues(name: string): string[] {
    if (this.#rule.bypasses(name)) return []
    if (!this.#rule.cookies.includes(name)) this.#look(`the cookie ${name}`, true)
    return this.#judged(() => super.cookieValues(name))
  }

  override get remoteAddress(): string {
    this.#look('the address of the client', true)
    return super.remoteAddress
  }

  /** Its host and scheme are of the key. */
  override get client(): Client {
    const { scheme, host, address } = this.#client
    const look = () => this.#look('the address of the client', true)
    return {
      scheme,
      host,
      get address() {
        look()
        return address
      },
    }
  }

  /**
   * A session or user of somebody who has none of the cookies that lead to the view is nobody's. Cookies are
   * judged one by one.
   */
  override markPersonal(what: Personal): void {
    super.markPersonal(what)
    if (this.#isJudged) return
    const isNobody = this.#rule.bypassCookies.length > 0 && (what === 'session' || what === 'user')
    if (!isNobody) this.#look(`the ${what}`, true)
  }

  /** Behind proxies the key has the host that they tell; Host itself may be any. */
  #isKeyed(lower: string): boolean {
    return lower === 'host' && this.#isHostKeyed
  }

  /** Reads what has been judged by its name. */
  #judged<T>(read: () => T): T {
    this.#isJudged = true
    try {
      return read()
    } finally {
      this.#isJudged = false
    }
  }

  #look(what: string, isPersonal: boolean): void {
    this.reason ??= `it was made from ${what}`
    this.isPersonal ||= isPersonal
  }
}
