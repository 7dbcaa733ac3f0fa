/** Cookies both ways (RFC 6265): the Cookie field of a request, Set-Cookie of a reply. */
import { createError } from '../core/errors.ts'
import { isToken, trimBlanks } from './headers.ts'

/** Attributes of a Set-Cookie (RFC 6265 section 4.1). */
export interface CookieOptions {
  /** Seconds to live; 0 deletes. Default: until the browser closes. */
  readonly maxAgeSeconds?: number
  /** Default `/`. */
  readonly path?: string
  /** Default: the host that set it, without its subdomains. */
  readonly domain?: string
  /** Not readable by scripts. Default true. */
  readonly httpOnly?: boolean
  /** Sent over TLS only. Default false here; the page's own protocol decides in `Reply.cookie`'s caller. */
  readonly secure?: boolean
  /** Default `Lax`. */
  readonly sameSite?: 'Strict' | 'Lax' | 'None'
  /** Kept apart for each site that embeds this one (CHIPS); needs `secure`. Default false. */
  readonly partitioned?: boolean
}

/** cookie-octet of RFC 6265 section 4.1.1. */
const COOKIE_VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/

/** av-octet of the same section: what a path or a domain may be made of. */
const ATTRIBUTE_VALUE = /^[\x20-\x3a\x3c-\x7e]*$/

/**
 * Reads a Cookie field. Of two cookies of one name the first wins (RFC 6265 section 5.4 sends the
 * more specific one first). Values are percent-decoded where they decode; malformed pairs are skipped.
 *
 * Names lose ASCII blanks alone: a browser takes U+2000 before `__Host-` for a part of the name, and lets any
 * sub-domain set it; `trim` would make the real name of it. From the very beginning of the field the native lane's engine
 * takes such bytes off before anybody sees them, so what matters does not believe one of two cookies of a name.
 */
export function parseCookies(field: string): Map<string, string> {
  const cookies = new Map<string, string>()
  for (const pair of field.split(';')) {
    const at = pair.indexOf('=')
    if (at < 0) continue
    const name = trimBlanks(pair.slice(0, at))
    if (name === '' || cookies.has(name)) continue
    cookies.set(name, decode(unquote(trimBlanks(pair.slice(at + 1)))))
  }
  return cookies
}

/** All values that a Cookie field has for one name: more than one was not set by one site. */
export function cookieValues(field: string, name: string): string[] {
  const pairs = field.split(';').filter((pair) => pair.includes('='))
  return pairs
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const)
    .filter(([other]) => trimBlanks(other) === name)
    .map(([, value]) => decode(unquote(trimBlanks(value))))
}

/** Values by their names, of those cookies whose names begin with `prefix`. */
export function cookiesWithPrefix(field: string, prefix: string): Map<string, string> {
  return new Map([...parseCookies(field)].filter(([name]) => name.startsWith(prefix)))
}

/** A Set-Cookie value. The cookie's value is percent-encoded where it has to be. */
export function serializeCookie(name: string, value: string, options: CookieOptions = {}): string {
  const { path = '/', httpOnly = true, sameSite = 'Lax', secure = sameSite === 'None' } = options
  if (!isToken(name))
    throw createError('UWAS_ERR_HTTP_COOKIE', {
      name: JSON.stringify(name),
      problem: 'the name is not a token',
    })
  if (!ATTRIBUTE_VALUE.test(path + (options.domain ?? ''))) {
    throw createError('UWAS_ERR_HTTP_COOKIE', {
      name,
      problem: 'path or domain holds a semicolon or a character outside printable ASCII',
    })
  }
  let text = `${name}=${COOKIE_VALUE.test(value) && !value.includes('%') ? value : encodeURIComponent(value.toWellFormed())}`
  if (options.maxAgeSeconds !== undefined) {
    if (!Number.isSafeInteger(options.maxAgeSeconds)) {
      throw createError('UWAS_ERR_HTTP_COOKIE', {
        name,
        problem: `maxAgeSeconds is ${options.maxAgeSeconds}, not a whole number`,
      })
    }
    text += `; Max-Age=${options.maxAgeSeconds}`
  }
  text += `; Path=${path}`
  if (options.domain !== undefined) text += `; Domain=${options.domain}`
  if (httpOnly) text += '; HttpOnly'
  if (secure) text += '; Secure'
  const problem = prefixProblem(name, secure, path, options)
  if (problem !== undefined) throw createError('UWAS_ERR_HTTP_COOKIE', { name, problem })
  return `${text}; SameSite=${sameSite}${options.partitioned === true ? '; Partitioned' : ''}`
}

/** Browsers drop such cookies without a word (RFC 6265bis, section 4.1.3; CHIPS). */
function prefixProblem(
  name: string,
  secure: boolean,
  path: string,
  { domain, partitioned }: CookieOptions,
): string | undefined {
  const lower = name.toLowerCase()
  if (partitioned === true && !secure) return 'partitioned needs secure'
  if (lower.startsWith('__secure-') && !secure) return 'a name with __Secure- needs secure'
  const isHost = lower.startsWith('__host-')
  if (isHost && (!secure || path !== '/' || domain !== undefined)) {
    return 'a name with __Host- needs secure, the path / and no domain'
  }
  return undefined
}

function unquote(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"')
    ? value.slice(1, -1)
    : value
}

function decode(value: string): string {
  if (!value.includes('%')) return value
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
