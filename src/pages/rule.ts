/**
 * What `cached` of a route means for one request: under which key its page is kept, or why it goes to the view.
 * Made once a route; asked by the lanes for what varies, and by `page-cache.ts` for the rest.
 */

import { negotiateLanguage } from '../http/accept-language.ts'
import { parseCookies } from '../http/cookie.ts'
import type { CachedOptions } from '../route/cached.ts'

/** Value of a field by its lower-case name; undefined without it. */
export type ReadField = (name: string) => string | undefined

/** What a page is kept by, and what its view sees of the request. */
export interface PageKey {
  /** As the client names it, with `https://` before it where that is its scheme; behind trusted proxies as they tell both. */
  readonly host: string
  /** Encoded canonical path, with the query that counts. */
  readonly target: string
  /** That query, without `?`. */
  readonly search: string
  /** Values of what varies; empty where nothing does. */
  readonly vary: string
}

/** A cookie that came by TLS has one of these before its name (RFC 6265bis section 4.1.3). */
const PREFIX = /^__(?:Host|Secure)-/

export class Rule {
  readonly pattern: string
  readonly options: CachedOptions
  /** Nothing varies: a page is found by host, path and query alone. */
  readonly isPlain: boolean
  readonly headers: readonly string[]
  readonly languages: readonly string[]
  readonly cookies: readonly string[]
  readonly bypassCookies: readonly string[]
  /** Members of Vary besides Accept-Encoding. */
  readonly varyField: string
  readonly #query: ReadonlySet<string>

  constructor(pattern: string, options: CachedOptions) {
    const { vary = {}, bypassCookies = [] } = options
    this.pattern = pattern
    this.options = options
    this.headers = (vary.headers ?? []).map((name) => name.toLowerCase())
    this.languages = vary.languages ?? []
    this.cookies = vary.cookies ?? []
    this.bypassCookies = bypassCookies
    this.#query = new Set(vary.query)
    const hasCookies = this.cookies.length + bypassCookies.length > 0
    this.isPlain = this.headers.length + this.languages.length === 0 && !hasCookies
    const members = [...this.headers]
    if (this.languages.length > 0) members.push('accept-language')
    if (hasCookies) members.push('cookie')
    this.varyField = [...new Set(members)].map(capitalize).join(', ')
  }

  /** The key of a request's page, or, as a text, why it has none. `path` is encoded. */
  keyOf(host: string, path: string, search: string, read: ReadField): PageKey | string {
    if (read('authorization') !== undefined) return 'Authorization'
    const query = this.#searchOf(search)
    if (query === null) return 'a parameter that vary.query does not name'
    const vary = this.varyOf(read)
    if (vary === null) return 'a cookie of bypassCookies'
    return { host, target: query === '' ? path : `${path}?${query}`, search: query, vary }
  }

  /** What varies, as one text; null for a request that goes to the view. */
  varyOf(read: ReadField): string | null {
    if (this.isPlain) return ''
    const parts = this.headers.map((name) => written(read(name)))
    if (this.languages.length > 0) parts.push(this.languageOf(read))
    if (this.cookies.length + this.bypassCookies.length > 0) {
      const sent = parseCookies(read('cookie') ?? '')
      for (const name of sent.keys()) if (this.bypasses(name)) return null
      parts.push(...this.cookies.map((name) => written(sent.get(name))))
    }
    return parts.join('\n')
  }

  /** Whether who has a cookie of this name goes to the view. */
  bypasses(name: string): boolean {
    return this.bypassCookies.includes(name.replace(PREFIX, ''))
  }

  languageOf(read: ReadField): string {
    const [fallback = ''] = this.languages
    return negotiateLanguage(read('accept-language'), this.languages) ?? fallback
  }

  /** The parameters that count, sorted by name; null where there is one that must not be left out. */
  #searchOf(search: string): string | null {
    if (search === '') return ''
    const known = new URLSearchParams()
    for (const [name, value] of new URLSearchParams(search)) {
      if (this.#query.has(name)) known.append(name, value)
      else if (this.options.otherQuery !== 'ignore') return null
    }
    known.sort()
    return known.toString()
  }
}

/** In one line, so that no two lists of values read the same. */
function written(value: string | undefined): string {
  return value === undefined ? '-' : JSON.stringify(value)
}

function capitalize(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (all) => all.toUpperCase())
}
