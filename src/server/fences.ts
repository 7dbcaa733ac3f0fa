/**
 * What the native lane refuses before any view runs, because the engine's own reading of it is not
 * safe behind another proxy. Pure: method and fields in, a verdict out.
 */
import { isIPv6 } from 'node:net'
import { isToken, parseTokenList } from '../http/headers.ts'

/** Status to refuse with (and close), or 0 to go on. */
export type Refusal = 0 | 400 | 411 | 501

/** Methods that a site may answer. Others get 501 (RFC 9110 section 9.1); they are case-sensitive. */
export const KNOWN_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
])

/**
 * reg-name, IPv4 or bracketed IPv6, with a port (RFC 3986 section 3.2.2; RFC 9110 section 7.2). An address of a future
 * version (`[v7.x]`) is none that anybody could have. The gate only looks for the characters, and hands on to here.
 */
const HOST = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*(?::\d{0,5})?$/
const HOST_IPV6 = /^\[([0-9A-Fa-f:.]{2,45})\](?::\d{0,5})?$/

const DIGITS = /^\d{1,15}$/

export function isHost(host: string): boolean {
  return host !== '' && (HOST.test(host) || isIPv6(HOST_IPV6.exec(host)?.[1] ?? ''))
}

/** 501 for a method nobody knows, 400 for what is not a token. */
export function refuseMethod(method: string): Refusal {
  if (method === 'GET' || KNOWN_METHODS.has(method)) return 0
  return isToken(method) ? 501 : 400
}

/** The fields that decide where a request ends and whom it is for; counts are of fields, not of values. */
export interface FramingFields {
  readonly hasTransferEncoding: boolean
  readonly contentLengths: number
  readonly contentLength: string
  readonly hosts: number
  readonly host: string
}

/**
 * Any Transfer-Encoding is 411, since the engine's chunk parser is not safe (RFC 9112 section 7); a
 * Content-Length that is repeated, empty or not a plain number is 400 (RFC 9112 section 6.3), and so is
 * anything but exactly one valid Host (RFC 9112 section 3.2). `goodHost` is a value known to be valid.
 */
export function refuseFields(fields: FramingFields, goodHost: string): Refusal {
  if (fields.hasTransferEncoding) return 411
  if (fields.contentLengths > 1) return 400
  if (fields.contentLengths === 1 && !DIGITS.test(fields.contentLength)) return 400
  if (fields.hosts !== 1) return 400
  const isGood = goodHost !== '' && fields.host === goodHost
  return isGood || isHost(fields.host) ? 0 : 400
}

/** True when a Connection field asks to close, in any place of its list (RFC 9112 section 9.6). */
export function asksToClose(connection: string): boolean {
  if (connection === '' || connection === 'keep-alive') return false
  return parseTokenList(connection).includes('close')
}
