/**
 * Answers cached routes where the lanes had nothing: the dispatcher puts it around their handlers. Of many
 * requests for one page that is not there one makes it; what may not be kept goes to its own client alone,
 * and the log says why.
 */
import type { Log } from '../core/log.ts'
import { answer } from '../files/answer.ts'
import type { Heads } from '../files/heads.ts'
import { fileReply, requestFields } from '../files/send-file.ts'
import { TRUSTED_PROXIES } from '../http/forwarded.ts'
import { Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import { encodePath } from '../http/target.ts'
import type { Route } from '../route/flatten.ts'
import type { CompressionConfig } from '../was/compression.ts'
import type { Handler } from '../was/dispatch.ts'
import { ownCopy } from '../was/own-reply.ts'
import type { Page } from './page.ts'
import { type Outcome, PageMaker } from './page-maker.ts'
import type { PageStore } from './page-store.ts'
import type { PageVariants } from './page-variants.ts'
import { RenderRequest } from './render-request.ts'
import { type PageKey, Rule } from './rule.ts'

interface Flight {
  readonly promise: Promise<Outcome>
  readonly mark: number
  readonly startedAt: number
}

export interface PageCacheOptions {
  readonly store: PageStore
  readonly variants: PageVariants
  /** With the base fields of every reply. */
  readonly heads: Heads
  /** Null: pages are never compressed. */
  readonly compression: CompressionConfig | null
  readonly log: Log
}

/** One page for one request. */
interface Asked {
  readonly rule: Rule
  readonly key: PageKey
  readonly id: string
  readonly req: Request
  readonly inner: Handler
}

/** A view that takes longer keeps nobody else waiting. */
const MAX_WAIT_MS = 30_000
/** How long a page that belongs to somebody is not tried again; until then nobody waits for another's. */
const PERSONAL_MS = 10_000
const MAX_PERSONAL = 1000

export class PageCache {
  readonly #store: PageStore
  readonly #maker: PageMaker
  readonly #flights = new Map<string, Flight>()
  /** Key → until when its requests go to the view. */
  readonly #personal = new Map<string, number>()

  /** Of one version of the site's code. What it makes is kept once the store was renewed for it. */
  constructor(options: PageCacheOptions) {
    this.#store = options.store
    this.#maker = new PageMaker(options, options.store.generation + 1)
  }

  /** `inner` is all that the route does to answer a GET; it is called with what a page may be made from. */
  around(route: Pick<Route, 'pattern' | 'options'>, inner: Handler): Handler {
    const { cached } = route.options
    if (cached === undefined) return inner
    const rule = new Rule(route.pattern, cached)
    return (req) => this.#answer(rule, req, inner)
  }

  #answer(rule: Rule, req: Request, inner: Handler): Reply | Promise<Reply> {
    if (req.method !== 'GET' && req.method !== 'HEAD') return inner(req)
    const fields = req.copyFields()
    const read = (name: string) => fields.get(name)
    const key = rule.keyOf(hostOf(req, read), encodePath(req.path), req.search, read)
    if (typeof key === 'string') return withStatus(inner(req), `uwas; fwd=bypass; detail="${key}"`)
    const id = `${key.host}\n${key.target}\n${key.vary}`
    const asked: Asked = { rule, key, id, req, inner }
    const page = this.#store.get(key)
    const now = performance.now()
    if (page !== undefined && now < Math.max(page.freshUntil, page.staleUntil)) {
      this.#store.hits++
      if (now >= page.freshUntil && !this.#flights.has(id)) this.#refresh(page, asked)
      return send(page, req, now)
    }
    this.#store.misses++
    if (now < (this.#personal.get(id) ?? 0)) return withStatus(inner(req), 'uwas; fwd=miss')
    return this.#join(asked)
  }

  /** Waits for who makes the page already, or makes it. */
  async #join(asked: Asked): Promise<Reply> {
    const { id, req, inner } = asked
    const { tags } = this.#store
    for (let round = 0; round < 3; round++) {
      const flight = this.#flights.get(id)
      if (flight === undefined || performance.now() - flight.startedAt > MAX_WAIT_MS) break
      const { mark } = tags
      const { page, reply, isShared } = await flight.promise
      if (page === null) {
        return isShared ? copyOf(reply) : withStatus(await inner(req), 'uwas; fwd=miss')
      }
      // Whoever asked after a tag of it had changed must not get it.
      if (mark === flight.mark || tags.isCurrent(page.tags, flight.mark)) return sendNow(page, req)
    }
    const { page, reply, status } = await this.#lead(asked)
    return page === null
      ? withStatus(reply, 'uwas; fwd=miss')
      : sendNow(page, req).header('Cache-Status', status)
  }

  /** Makes the next page while the old one is sent. */
  #refresh(page: Page, asked: Asked): void {
    page.isRefreshing = true
    void this.#lead(asked).then(({ reply, page: made }) => {
      page.isRefreshing = false
      if (made === null) discard(reply)
    })
  }

  /** Never rejects: handlers turn errors into pages. */
  #lead({ rule, key, id, req, inner }: Asked): Promise<Outcome> {
    const { mark } = this.#store.tags
    const render = new RenderRequest(req, rule, key)
    const acceptEncoding = req.header('accept-encoding') ?? ''
    const work = async (): Promise<Outcome> => {
      try {
        const reply = await inner(render)
        return await this.#maker.settle({ rule, key, render, reply, mark, acceptEncoding })
      } finally {
        if (this.#flights.get(id) === flight) this.#flights.delete(id)
      }
    }
    const promise = work().then((outcome) => this.#note(id, req, render, outcome))
    const flight: Flight = { promise, mark, startedAt: performance.now() }
    this.#flights.set(id, flight)
    return promise
  }

  #note(id: string, req: Request, render: RenderRequest, outcome: Outcome): Outcome {
    if (outcome.page === null) req.onDone(() => render.markDone())
    else render.markDone()
    if (!outcome.isPersonal) return outcome
    this.#personal.delete(id)
    this.#personal.set(id, performance.now() + PERSONAL_MS)
    if (this.#personal.size > MAX_PERSONAL) {
      this.#personal.delete(this.#personal.keys().next().value as string)
    }
    return outcome
  }
}

/** What decides between a site's hosts, and what its links are made of; as the lanes ask for pages. */
function hostOf(req: Request, read: (name: string) => string | undefined): string {
  if (req.services.find(TRUSTED_PROXIES) === undefined) {
    const host = read('host') ?? ''
    return req.secure ? `https://${host}` : host
  }
  const { scheme, host } = req.client
  return `${scheme}://${host}`
}

function sendNow(page: Page, req: Request): Reply {
  return send(page, req, performance.now())
}

/** As the lanes send it: 200, 304, 206 or 412, with the fields that the page has at this moment. */
function send(page: Page, req: Request, now: number): Reply {
  return fileReply(answer(page.use(now), req.method === 'GET', requestFields(req)))
}

/** RFC 9211: what the cache had to do with a reply. */
function withStatus(reply: Reply, status: string): Reply
function withStatus(reply: Reply | Promise<Reply>, status: string): Reply | Promise<Reply>
function withStatus(reply: Reply | Promise<Reply>, status: string): Reply | Promise<Reply> {
  return reply instanceof Reply
    ? ownCopy(reply).header('Cache-Status', status)
    : reply.then((one) => ownCopy(one).header('Cache-Status', status))
}

/** Each reply belongs to its request: what stands around the dispatcher adds fields to it. */
function copyOf(reply: Reply): Reply {
  const copy = new Reply(reply.status, reply.type, reply.body)
  copy.headers = reply.headers === null ? null : [...reply.headers]
  copy.compress = reply.compress
  return copy
}

/** Nobody waits for it. */
function discard({ body }: Reply): void {
  if (body === null || typeof body !== 'object' || !(Symbol.asyncIterator in body)) return
  Promise.resolve(body[Symbol.asyncIterator]().return?.()).catch(() => {})
}
