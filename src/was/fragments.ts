/**
 * Keeps what the `{{#cached}}` tags of a site's templates rendered, in the cache of its values. Used by
 * `render.ts`; `app.ts` puts `markRequests` around the views of a site whose templates have such tags.
 */
import { CACHE, type Cache } from '../cache/cache.ts'
import { MAX_TAGS, problemOfTags } from '../cache/tags.ts'
import { createError } from '../core/errors.ts'
import type { Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import { mayBeUndone } from '../model/escape.ts'
import type { Fragment, Fragments } from '../template/fragments.ts'
import { hasNonce } from './csp.ts'
import { hasToken } from './csrf/csrf.ts'

/** What stands in the cache. */
interface Kept {
  readonly html: string
  /** Its own, and those of the fragments in it. */
  readonly tags: readonly string[]
  /** By `performance.now()`; null: until it is invalidated. */
  readonly until: number | null
}

/** A fragment that is being rendered. */
interface Making {
  readonly name: string
  readonly tags: Set<string>
  until: number
  /** Why nothing can be kept under its tags. */
  problem: string | undefined
}

/** The request whose page it is; `dependsOn` and `refuseCaching` tell the cached page around the fragments. */
type Reader = Pick<Request, 'personalReads'> & Partial<Pick<Request, 'dependsOn' | 'refuseCaching'>>

/** The cache's mark of before the data of a request's page were read. */
const marks = new WeakMap<Request, number>()

/** A middleware: what is invalidated from here on was read too early by this request to be kept. */
export function markRequests(
  req: Request,
  next: () => Reply | Promise<Reply>,
): Reply | Promise<Reply> {
  marks.set(req, req.services.get(CACHE).mark)
  return next()
}

/** The keeper of a request's fragments; undefined where there is none. */
export function fragmentsOf(req: Request): PageFragments | undefined {
  const mark = marks.get(req)
  if (mark === undefined) return undefined
  // What a transaction has written, nobody else may see before it is committed.
  const kept = mayBeUndone(req) ? null : req.services.get(CACHE).namespace('uwas fragments')
  return new PageFragments(kept, mark, req)
}

/** Without a cache, fragments are rendered each time, and only tell of their tags. */
export class PageFragments implements Fragments {
  readonly #cache: Cache | null
  readonly #mark: number
  readonly #reader: Reader
  #making: Making | undefined

  constructor(kept: Cache | null, mark: number, reader: Reader) {
    this.#cache = kept
    this.#mark = mark
    this.#reader = reader
  }

  remember(fragment: Fragment, make: () => string): string {
    const kept = this.#cache?.get<Kept>(fragment.key)
    if (kept !== undefined) {
      this.#note(kept.tags, kept.until ?? Number.POSITIVE_INFINITY, undefined)
      return kept.html
    }
    const outer = this.#making
    const now = performance.now()
    const until =
      fragment.seconds === null ? Number.POSITIVE_INFINITY : now + 1000 * fragment.seconds
    const tags = new Set(fragment.tags)
    const making: Making = { name: fragment.name, tags, until, problem: problemOfTags(tags) }
    this.#making = making
    const { personalReads } = this.#reader
    let html: string
    try {
      html = make()
    } finally {
      this.#making = outer
    }
    if (!this.#isPersonal(html, personalReads)) this.#keep(fragment.key, html, making)
    this.#note(making.tags, making.until, making.problem)
    return html
  }

  /** Throws UWAS_ERR_WAS_FRAGMENT while a fragment is rendered: `name` belongs to one client. */
  refusePersonal(name: string): void {
    if (this.#making === undefined) return
    throw createError('UWAS_ERR_WAS_FRAGMENT', { name, template: this.#making.name })
  }

  /** By what was looked at while it was made, or what the page's data had of the reader's before. */
  #isPersonal(html: string, readsBefore: number): boolean {
    const reader = this.#reader
    return reader.personalReads > readsBefore || hasToken(reader, html) || hasNonce(reader, html)
  }

  #keep(key: string, html: string, { tags, until, problem }: Making): void {
    if (problem !== undefined) return
    const isForever = until === Number.POSITIVE_INFINITY
    const seconds = isForever ? undefined : (until - performance.now()) / 1000
    if (seconds !== undefined && seconds <= 0) return
    const value: Kept = { html, tags: [...tags], until: isForever ? null : until }
    const options = { tags: value.tags, since: this.#mark }
    this.#cache?.set(key, value, seconds === undefined ? options : { ...options, seconds })
  }

  /** A fragment is part of the one around it, which lives no longer, or of the page. */
  #note(tags: Iterable<string>, until: number, problem: string | undefined): void {
    const outer = this.#making
    if (outer === undefined) {
      if (problem === undefined) this.#reader.dependsOn?.(...tags)
      else this.#reader.refuseCaching?.(`of the tags of its fragments, ${problem}`)
      return
    }
    for (const tag of tags) outer.tags.add(tag)
    outer.until = Math.min(outer.until, until)
    const isTooMany = outer.tags.size > MAX_TAGS
    outer.problem ??= problem ?? (isTooMany ? `there are more than ${MAX_TAGS}` : undefined)
    // They are not kept, and nobody asks for them any more.
    if (outer.problem !== undefined) outer.tags.clear()
  }
}
