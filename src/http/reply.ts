/**
 * What a view returns: a status, fields and a body. Only `server/` writes it to a socket. Content
 * length, Date and the security headers are added there; a `Reply` never names them.
 */
import type * as z from 'zod'
import { createError } from '../core/errors.ts'
import type { Coding } from './accept-encoding.ts'
import { type CookieOptions, serializeCookie } from './cookie.ts'
import { checkHeader, checkReplyHeader, checkSingle, type HeaderList } from './headers.ts'
import { type JsonSchema, writeJson } from './json-writer.ts'

/**
 * A string is sent as UTF-8. Bytes are sent without a copy where the kernel takes them: do not change
 * them afterwards. An iterable is pulled as fast as the client reads; it is returned (`iterator.return`)
 * when the client goes away. `null` is an empty body.
 */
export type ReplyBody = string | Uint8Array | AsyncIterable<string | Uint8Array> | null

/** What the makers of replies take besides the body. */
export interface ReplyInit {
  /** Default 200. */
  readonly status?: number
  /**
   * Further fields; a Content-Type here takes the place of the maker's. Content-Length, Date, Connection
   * and what else belongs to framing are refused.
   */
  readonly headers?: Readonly<Record<string, string>>
}

/** What `json` takes besides, with a schema. */
export interface JsonInit<S extends JsonSchema> extends ReplyInit {
  /** What is sent of the value, and nothing else. Compiled at its first use: make it once. */
  readonly schema: S
}

/** Types that have passed their grammar: a site has few of them. */
const goodTypes = new Set<string>()
const MAX_GOOD_TYPES = 256

/** Status, fields and body of one answer. Made by the makers below, or by `new`; changed by middleware. */
export class Reply {
  readonly status: number
  /** Content-Type, or null where there is none (no body, or a body of unknown type). */
  readonly type: string | null
  readonly body: ReplyBody
  /** Further fields in the order of sending, validated; null when there are none. */
  headers: HeaderList | null
  /** Exact length of an iterable body in bytes when it is known, else null: the body is sent in chunks. */
  readonly length: number | null
  /**
   * False sends the body as it is, whatever the client takes. Say so for a page that shows a secret (a
   * token, a private address) next to text that comes from the request: who can watch lengths on the wire
   * and choose that text learns the secret from how well the page compresses (the BREACH attack).
   */
  compress: boolean
  /** For `was/` and `server/`: the coding of `body`; `identity` where another client gets another one. */
  coding: Coding | 'identity' | null

  /**
   * `type` has to be a field value, `status` a whole number from 200 to 599, `body` one of `ReplyBody`:
   * else UWAS_ERR_HTTP_HEADER_VALUE, _STATUS, _BODY_KIND. 101 is only for the kind that accepts a WebSocket.
   */
  constructor(status: number, type: string | null, body: ReplyBody, length: number | null = null) {
    const isFinal = Number.isInteger(status) && status >= 200 && status <= 599
    if (!isFinal && !(status === 101 && new.target !== Reply)) {
      throw createError('UWAS_ERR_HTTP_STATUS', { status })
    }
    if (type !== null && !goodTypes.has(type)) checkType(type)
    if (typeof body !== 'string' && !isBody(body)) {
      throw createError('UWAS_ERR_HTTP_BODY_KIND', { kind: typeof body })
    }
    this.status = status
    this.type = type
    this.body = body
    this.headers = null
    this.length = length
    this.compress = true
    this.coding = null
  }

  /**
   * Adds a field; one of the same name stays beside it. Throws UWAS_ERR_HTTP_HEADER_NAME, _VALUE, _OWNED, and _TWICE for a
   * field that a reply has once (ETag, Location, Content-Type): `header` replaces it.
   */
  append(name: string, value: string): this {
    checkReplyHeader(name, value)
    if (this.headers === null) this.headers = []
    else checkSingle(this.headers, name)
    this.headers.push([name, value])
    return this
  }

  /** Sets a field, in place of any of the same name. Throws as `append`. */
  header(name: string, value: string): this {
    const lower = name.toLowerCase()
    if (this.headers !== null)
      this.headers = this.headers.filter(([other]) => other.toLowerCase() !== lower)
    return this.append(name, value)
  }

  /** Adds a Set-Cookie. Defaults: Path=/, HttpOnly, SameSite=Lax, until the browser closes. */
  cookie(name: string, value: string, options?: CookieOptions): this {
    return this.append('Set-Cookie', serializeCookie(name, value, options))
  }
}

/** A page. `body` is sent as it is: escape what is not yours, or use a template. */
export function html(body: string, init?: ReplyInit): Reply {
  return make('text/html; charset=utf-8', body, init)
}

/** Plain text, sent as UTF-8. */
export function text(body: string, init?: ReplyInit): Reply {
  return make('text/plain; charset=utf-8', body, init)
}

/**
 * With a zod `schema` exactly what it declares is sent: other fields of the value stay here, bigints keep their digits,
 * and what is not of its type is UWAS_ERR_HTTP_JSON (500) with its place. Without one it is `JSON.stringify(value)`; a
 * value that has no JSON form (undefined, a function) is a TypeError.
 *
 *     return json(user, { schema: z.object({ id: z.bigint(), name: z.string() }) })
 */
export function json<S extends JsonSchema>(value: z.output<S>, init: JsonInit<S>): Reply
export function json(value: unknown, init?: ReplyInit): Reply
export function json(value: unknown, init?: ReplyInit & Partial<JsonInit<JsonSchema>>): Reply {
  if (init?.schema !== undefined) {
    return make('application/json', writeJson(init.schema, value), init)
  }
  const body = JSON.stringify(value)
  if (body === undefined) throw new TypeError(`json(): ${typeof value} has no JSON form`)
  return make('application/json', body, init)
}

/** Bytes of a given media type. */
export function bytes(body: Uint8Array, type: string, init?: ReplyInit): Reply {
  return make(type, body, init)
}

/** A body that is made while it is sent. An error after the first byte cuts the connection: never a fake end. */
export function stream(
  body: AsyncIterable<string | Uint8Array>,
  type: string,
  init?: ReplyInit,
): Reply {
  return make(type, body, init)
}

/** A reply without content: 204, or another status in `init`. */
export function empty(init?: ReplyInit): Reply {
  return make(null, null, { status: 204, ...init })
}

/**
 * Sends the client to a place on this site: a path that starts with one `/`. Default 303 (See Other,
 * RFC 9110 section 15.4.4), what a form's POST wants. Another origin is refused unless `external` says
 * that it is meant; an address that came from a client must never be passed with it.
 */
export function redirect(
  location: string,
  init: { status?: 301 | 302 | 303 | 307 | 308; external?: boolean } = {},
): Reply {
  const { status = 303, external = false } = init
  const encoded = encodeLocation(location)
  if (!external && !staysOnSite(encoded)) {
    throw createError('UWAS_ERR_HTTP_REDIRECT', {
      location: JSON.stringify(location),
      problem: 'it is not a path of this site; say external: true if that is meant',
    })
  }
  return new Reply(status, null, null).append('Location', encoded)
}

function make(type: string | null, body: ReplyBody, init: ReplyInit | undefined): Reply {
  const reply = new Reply(init?.status ?? 200, type, body)
  if (init?.headers !== undefined) {
    for (const name in init.headers) reply.append(name, init.headers[name] as string)
  }
  return reply
}

/** Non-ASCII and spaces percent-encoded; what is encoded already stays (RFC 3986 section 2.1). */
function encodeLocation(location: string): string {
  return location.replace(/[^\x21-\x7e]+/g, (run) => encodeURIComponent(run.toWellFormed()))
}

/** `//host` is another site, also where it is what is left of `/.//host` without the dots (RFC 3986 section 5.2.4). */
function staysOnSite(location: string): boolean {
  const isPath = /^\/(?![/\\])/
  if (!isPath.test(location)) return false
  const hasDots = /[/\\](?:\.|%2e)/i.test(location)
  return !hasDots || isPath.test(new URL(location, 'http://site.invalid').pathname)
}

function checkType(type: string): void {
  if (typeof type !== 'string') {
    throw createError('UWAS_ERR_HTTP_HEADER_VALUE', { name: 'Content-Type' })
  }
  checkHeader('Content-Type', type)
  if (goodTypes.size < MAX_GOOD_TYPES) goodTypes.add(type)
}

function isBody(body: unknown): body is ReplyBody {
  if (body === null || body instanceof Uint8Array) return true
  return typeof body === 'object' && Symbol.asyncIterator in body
}
