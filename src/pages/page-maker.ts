/**
 * Decides what becomes of a reply that a cached view has made: a page that is kept, an old page in its place, or
 * a reply for its own client. Called by `page-cache.ts`.
 */
import { FileReply } from '../files/send-file.ts'
import type { HeaderList } from '../http/headers.ts'
import type { Reply } from '../http/reply.ts'
import { markPersonal } from '../was/caching.ts'
import { isShed } from '../was/limits/overloaded.ts'
import { fieldOf, Page } from './page.ts'
import type { PageCacheOptions } from './page-cache.ts'
import type { RenderRequest } from './render-request.ts'
import type { PageKey, Rule } from './rule.ts'

/** What has become of it. */
export interface Outcome {
  /** To be sent to all who wait, in place of `reply`; null: there is none. */
  readonly page: Page | null
  readonly reply: Reply
  /** Whether `reply` may be copied for those who wait: an error that is nobody's own. */
  readonly isShared: boolean
  /** The view makes pages of somebody: it makes no sense to wait for one. */
  readonly isPersonal: boolean
  /** Cache-Status for whom it was made. */
  readonly status: string
}

export interface Making {
  readonly rule: Rule
  readonly key: PageKey
  /** What the view got. */
  readonly render: RenderRequest
  readonly reply: Reply
  /** `Tags.mark` of before the view ran. */
  readonly mark: number
  /** Of the first client. */
  readonly acceptEncoding: string
}

/** How often a view that fails is asked while there is an old page to send. */
const RETRY_MS = 2000
/** Reasons are told once each; a site has few. */
const MAX_TOLD = 1000
const NO_TRANSFORM = /(?:^|[,\s])no-transform(?:$|[,\s;])/i
const NOT_SHARED = /(?:^|[,\s])(?:private|no-store)(?:$|[,\s;=])/i

export class PageMaker {
  readonly #options: PageCacheOptions
  readonly #generation: number
  readonly #told = new Set<string>()

  constructor(options: PageCacheOptions, generation: number) {
    this.#options = options
    this.#generation = generation
  }

  /** Never rejects: what cannot be kept is sent as it is, marked as `finish.ts` does it: here the view had another request. */
  async settle(making: Making): Promise<Outcome> {
    const { reply, render, rule } = making
    try {
      return await this.#settle(making)
    } catch (error) {
      this.#options.log.error(`GET ${rule.pattern} could not be cached`, error)
      const status = 'uwas; fwd=miss'
      return {
        page: null,
        reply: markPersonal(render, reply),
        isShared: false,
        isPersonal: false,
        status,
      }
    }
  }

  async #settle(making: Making): Promise<Outcome> {
    const { key, rule, reply, render } = making
    const old = this.#options.store.get(key)
    if (reply.status >= 500) return this.#settleFailure(making, old)
    const reason = whyNot(rule, reply, render)
    if (reason === null) return this.#keep(making)
    if (old !== undefined) this.#options.store.remove(old)
    if (reply.status === 200) this.#tell(rule, reason)
    return {
      page: null,
      reply: markPersonal(render, reply),
      isShared: false,
      isPersonal: reply.status === 200,
      status: 'uwas; fwd=miss',
    }
  }

  /** The old page where it may still be sent; else the error, for all who waited where it is nobody's own. */
  #settleFailure({ reply, render, rule }: Making, old: Page | undefined): Outcome {
    const outcome = { reply, isPersonal: false, status: 'uwas; hit; detail="the view failed"' }
    if (old !== undefined) {
      old.freshUntil = Math.min(performance.now() + RETRY_MS, old.until)
      if (!isShed(reply)) {
        this.#options.log.warn(
          `GET ${rule.pattern}: the old page is sent, making it anew gave ${reply.status}`,
        )
      }
      return { ...outcome, page: old, isShared: true }
    }
    const isWhole = typeof reply.body === 'string' || reply.body instanceof Uint8Array
    const isShared = isWhole && !render.isPersonal && fieldOf(reply, 'set-cookie') === undefined
    return { ...outcome, reply: markPersonal(render, reply), page: null, isShared }
  }

  async #keep({ key, rule, render, reply, mark, acceptEncoding }: Making): Promise<Outcome> {
    const { store, variants, heads } = this.#options
    const body = reply.body as string | Uint8Array
    const tags = [...render.tags]
    const maker = variants.makerFor(() => page)
    const mayEncode = this.#mayEncode(reply, body)
    const parts = { key, rule, reply, body, tags, heads, mayEncode }
    const page: Page = new Page({ ...parts, maker: mayEncode ? maker : null })
    await variants.makeFirst(page, acceptEncoding)
    const isStored = store.tags.isCurrent(tags, mark) && store.put(page, this.#generation)
    const status = isStored ? 'uwas; fwd=miss; stored' : 'uwas; fwd=miss'
    return { page, reply, isShared: true, isPersonal: false, status }
  }

  #mayEncode(reply: Reply, body: string | Uint8Array): boolean {
    const { compression } = this.#options
    if (compression === null || !reply.compress || body.length < compression.minBytes) return false
    if (fieldOf(reply, 'content-encoding') !== undefined) return false
    return !NO_TRANSFORM.test(fieldOf(reply, 'cache-control') ?? '')
  }

  #tell({ pattern }: Rule, reason: string): void {
    const line = `GET ${pattern} is not cached: ${reason}`
    if (this.#told.has(line) || this.#told.size >= MAX_TOLD) return
    this.#told.add(line)
    this.#options.log.warn(line)
  }
}

/** Null for a page that may be sent to everybody with its key. */
function whyNot(rule: Rule, reply: Reply, render: RenderRequest): string | null {
  if (reply.status !== 200) return `its status is ${reply.status}`
  if (render.reason !== null) return render.reason
  const { body } = reply
  if (reply instanceof FileReply) return 'it is a file, which is sent from its own memory'
  if (body === null) return 'it has no body'
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return 'it is a stream'
  if (fieldOf(reply, 'set-cookie') !== undefined) return 'it sets a cookie'
  // The site's CORS rules are added to what is kept, for each client.
  if (reply.headers?.some(([name]) => /^access-control-/i.test(name))) {
    return 'it has CORS fields of its own; name the policy in `cors` of the configuration'
  }
  const policy = fieldOf(reply, 'cache-control') ?? ''
  if (NOT_SHARED.test(policy)) return `its Cache-Control is ${policy}`
  const member = foreignMember(rule, reply.headers ?? [])
  return member === undefined ? null : `it varies with ${member}, which cached.vary does not name`
}

/** A member of Vary that the rule does not know. */
function foreignMember({ varyField }: Rule, headers: HeaderList): string | undefined {
  const known = new Set([...varyField.toLowerCase().split(', '), 'accept-encoding', ''])
  return headers
    .filter(([name]) => name.toLowerCase() === 'vary')
    .flatMap(([, value]) => value.split(','))
    .map((one) => one.trim())
    .find((one) => !known.has(one.toLowerCase()))
}
