/**
 * Keeps what the `{{#cached}}` tags of a site's templates rendered, in the cache of its values. Used by
 * `render.ts`; `app.ts` puts `markRequests` around the views of a site whose templates have such tags.
 */
import { CACHE, type Cache, cache } from '../cache/cache.ts'
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
}

/** The request whose page it is. */
type Reader = Pick<Request, 'personalReads'>

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

/** The keeper of a request's fragments; undefined where none are kept. */
export function fragmentsOf(req: Request): PageFragments | undefined {
  const mark = marks.get(req)
  // What a transaction has written, nobody else may see before it is committed.
  if (mark === undefined || mayBeUndone(req)) return undefined
  return new PageFragments(cache(req).namespace('uwas fragments'), mark, req)
}

export class PageFragments implements Fragments {
  readonly #cache: Cache
  readonly #mark: number
  readonly #reader: Reader
  #making: Making | undefined

  constructor(kept: Cache, mark: number, reader: Reader) {
    this.#cache = kept
    this.#mark = mark
    this.#reader = reader
  }

  remember(fragment: Fragment, make: () => string): string {
    const kept = this.#cache.get<Kept>(fragment.key)
    if (kept !== undefined) {
      this.#note(kept.tags, kept.until ?? Number.POSITIVE_INFINITY)
      return kept.html
    }
    const outer = this.#making
    const now = performance.now()
    const until =
      fragment.seconds === null ? Number.POSITIVE_INFINITY : now + 1000 * fragment.seconds
    const making: Making = { name: fragment.name, tags: new Set(fragment.tags), until }
    this.#making = making
    const { personalReads } = this.#reader
    let html: string
    try {
      html = make()
    } finally {
      this.#making = outer
    }
    if (!this.#isPersonal(html, personalReads)) this.#keep(fragment.key, html, making)
    this.#note(making.tags, making.until)
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

  #keep(key: string, html: string, { tags, until }: Making): void {
    const isForever = until === Number.POSITIVE_INFINITY
    const seconds = isForever ? undefined : (until - performance.now()) / 1000
    if (seconds !== undefined && seconds <= 0) return
    const value: Kept = { html, tags: [...tags], until: isForever ? null : until }
    const options = { tags: value.tags, since: this.#mark }
    this.#cache.set(key, value, seconds === undefined ? options : { ...options, seconds })
  }

  /** A fragment is part of the one around it, which lives no longer. */
  #note(tags: Iterable<string>, until: number): void {
    const outer = this.#making
    if (outer === undefined) return
    for (const tag of tags) outer.tags.add(tag)
    outer.until = Math.min(outer.until, until)
  }
}
