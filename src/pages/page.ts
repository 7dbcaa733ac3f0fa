/**
 * One cached page: a reply of a view as an entry like those of static files, with the same conditions, ranges
 * and codings. Made by `page-cache.ts`, kept by `page-store.ts`.
 */
import type { Resident } from '../cache/budget.ts'
import type { Tagged } from '../cache/tags.ts'
import { Content } from '../files/content.ts'
import type { Encoded, FileEntry, VariantMaker } from '../files/entry.ts'
import type { Heads } from '../files/heads.ts'
import { makeEntry } from '../files/make-entry.ts'
import { hashOf } from '../files/store.ts'
import { refreshVariants } from '../files/variants.ts'
import type { Coding } from '../http/accept-encoding.ts'
import { parseHttpDate } from '../http/date.ts'
import { strongEtag } from '../http/etag.ts'
import type { HeaderList } from '../http/headers.ts'
import type { Reply } from '../http/reply.ts'
import type { PageKey, Rule } from './rule.ts'

/** Entry, heads, places in maps; of a variant its heads. About. */
const OVERHEAD_BYTES = 2500
const VARIANT_OVERHEAD_BYTES = 1000
const MAX_USES = 255
/** Asked for each time, so that an invalidated page is never used; a 304 costs nothing. */
const CACHE_CONTROL = 'no-cache'
/** Fields of the view that the entry has by itself. */
const OWN = new Set([
  'etag',
  'last-modified',
  'cache-control',
  'vary',
  'accept-ranges',
  'content-type',
])

export interface PageParts {
  readonly key: PageKey
  readonly rule: Rule
  readonly reply: Reply
  readonly body: string | Uint8Array
  readonly tags: readonly string[]
  /** False: never compressed. */
  readonly mayEncode: boolean
  /** Of the base fields of every reply. */
  readonly heads: Heads
  readonly maker: VariantMaker | null
}

export class Page implements Resident, Tagged {
  readonly key: PageKey
  readonly rule: Rule
  readonly tags: readonly string[]
  readonly entry: FileEntry
  /** Milliseconds of `performance.now()`, as all below. */
  readonly madeAt: number
  freshUntil: number
  readonly staleUntil: number
  /** Until when it may be sent at all. */
  readonly until: number
  /** Somebody makes the next one: until that is there, this one may be sent while it is stale. */
  isRefreshing: boolean
  /** How far its compressed representations are. */
  variants: 'first' | 'quick'
  length: number
  uses: number
  place: number
  /** Called when it leaves; set by its store. */
  onDrop: (page: Page) => void
  readonly #heads: Heads
  readonly #more: HeaderList
  #age: number

  constructor(parts: PageParts) {
    const { key, rule, reply, body, tags, heads } = parts
    const { seconds, staleSeconds = 0, graceSeconds = 0 } = rule.options
    this.key = key
    this.rule = rule
    this.tags = tags
    this.madeAt = performance.now()
    this.freshUntil = this.madeAt + seconds * 1000
    this.staleUntil = this.freshUntil + staleSeconds * 1000
    this.until = Math.max(this.staleUntil, this.freshUntil + graceSeconds * 1000)
    this.isRefreshing = false
    this.variants = 'first'
    this.uses = 0
    this.place = -1
    this.onDrop = () => {}
    this.#heads = heads
    this.#more = (reply.headers ?? []).filter(([name]) => !OWN.has(name.toLowerCase()))
    this.#age = 0
    const content = contentOf(typeof body === 'string' ? Buffer.from(body) : body)
    const lastModified = fieldOf(reply, 'last-modified')
    this.entry = makeEntry(heads, {
      type: fieldOf(reply, 'content-type') ?? reply.type ?? 'application/octet-stream',
      etag: strongEtag(hashOf(new Uint8Array(content.bytes as ArrayBuffer))),
      lastModifiedMs: lastModified === undefined ? Number.NaN : parseHttpDate(lastModified),
      cacheControl: fieldOf(reply, 'cache-control') ?? CACHE_CONTROL,
      size: content.length,
      content,
      open: null,
      maker: parts.maker,
      mayEncode: parts.mayEncode,
      varyField: varyOf(rule, reply),
      more: this.#fieldsAt(0),
      route: rule.pattern,
    })
    const keyBytes = 2 * (key.target.length + key.vary.length + key.host.length)
    const tagBytes = tags.reduce((sum, tag) => sum + 2 * tag.length + 100, 0)
    this.length = content.length + keyBytes + tagBytes + OVERHEAD_BYTES
  }

  /** Whether it may be sent now without making it anew. */
  isUsable(now: number): boolean {
    return now < this.freshUntil || (this.isRefreshing && now < this.staleUntil)
  }

  /** It is sent now: counts it, and tells its age (RFC 9111 section 5.1), which is made anew once a second. */
  use(now: number): FileEntry {
    if (this.uses < MAX_USES) this.uses++
    const age = Math.floor((now - this.madeAt) / 1000)
    if (age !== this.#age) this.#grow(age)
    return this.entry
  }

  /** Gives it encoded representations. Its length is another one then. */
  setEncoded(encoded: ReadonlyMap<Coding, Uint8Array>): void {
    const { entry } = this
    const before = entry.made.reduce((sum, one) => sum + one.length + VARIANT_OVERHEAD_BYTES, 0)
    entry.made = [...encoded].map(([coding, bytes]): Encoded => {
      const content = contentOf(bytes)
      const etag = strongEtag(hashOf(bytes))
      return { coding, etag, content, open: null, length: content.length }
    })
    refreshVariants(entry)
    const after = entry.made.reduce((sum, one) => sum + one.length + VARIANT_OVERHEAD_BYTES, 0)
    this.length += after - before
  }

  evict(): void {
    this.onDrop(this)
  }

  drop(): void {
    this.onDrop(this)
  }

  #grow(age: number): void {
    const { entry } = this
    this.#age = age
    entry.fields = { ...entry.fields, more: this.#fieldsAt(age) }
    entry.ok = this.#heads.ok(entry.fields, entry.ok)
    entry.notModified = this.#heads.notModified(entry.fields)
    if (entry.made.length > 0) refreshVariants(entry)
  }

  /** RFC 9211: who looks at a reply sees that no view has made it. */
  #fieldsAt(age: number): HeaderList {
    return [...this.#more, ['Age', String(age)], ['Cache-Status', 'uwas; hit']]
  }
}

/** Several fields of one name are one (RFC 9110 section 5.3): a view may have added to what it was given. */
export function fieldOf({ headers }: Reply, name: string): string | undefined {
  const values = (headers ?? []).filter(([other]) => other.toLowerCase() === name)
  return values.length === 0 ? undefined : values.map(([, value]) => value).join(', ')
}

/** What the rule varies with, and what the view names besides; Accept-Encoding is the entry's own matter. */
function varyOf(rule: Rule, reply: Reply): string {
  const own = (fieldOf(reply, 'vary') ?? '').split(',').map((one) => one.trim())
  const all = [...rule.varyField.split(', '), ...own].filter(
    (one) => one !== '' && one.toLowerCase() !== 'accept-encoding',
  )
  return [...new Map(all.map((one) => [one.toLowerCase(), one])).values()].join(', ')
}

/** In a buffer of its own, as the engine takes it quickest. */
function contentOf(bytes: Uint8Array): Content {
  const { buffer } = Uint8Array.from(bytes)
  return new Content(buffer.byteLength, buffer as ArrayBuffer, NOBODY)
}

/** The bytes of a page never leave it; its cache counts for itself. */
const NOBODY = {
  taken: { takes: 0, misses: 0 },
  load: () => Promise.reject(new TypeError('a page has its bytes')),
}
