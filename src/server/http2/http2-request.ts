/**
 * What a request of HTTP/2 says in its pseudo-fields, as HTTP/1.1 would (RFC 9113 section 8.3.1). Pure: a head in, its
 * parts or a refusal out. What breaks the grammar of HTTP/2 itself (upper-case names, Connection, a content that is not
 * of its Content-Length) has been refused by nghttp2.
 */
import { type Field, fieldsOf } from '../strict-request.ts'

export interface Http2Head {
  readonly method: string
  /** As sent: `/path?query`, or `*`; empty for CONNECT. */
  readonly target: string
  /** With Host in front, in the order of arrival. */
  readonly fields: readonly Field[]
  /** 400, 421 for another scheme than https, 431 for too many fields, 501 for CONNECT; 0: none. */
  readonly refusal: 0 | 400 | 421 | 431 | 501
}

/** Fields of one request, as on the strict lane. */
const MAX_FIELDS = 256

export function readHead(rawHeaders: readonly string[]): Http2Head {
  const all = fieldsOf(rawHeaders)
  const pseudo = new Map(all.filter(([name]) => name.startsWith(':')))
  const own = all.filter(([name]) => !name.startsWith(':'))
  const authority = pseudo.get(':authority')
  const fields = own.filter(([name]) => name !== 'host' || authority === undefined)
  if (authority !== undefined) fields.unshift(['host', authority])
  const method = pseudo.get(':method') ?? ''
  const target = pseudo.get(':path') ?? ''
  return { method, target, fields, refusal: judge(pseudo, own) }
}

function judge(pseudo: ReadonlyMap<string, string>, own: readonly Field[]): Http2Head['refusal'] {
  if (own.length > MAX_FIELDS) return 431
  if (pseudo.get(':method') === 'CONNECT') return 501
  if (pseudo.get(':scheme')?.toLowerCase() !== 'https') return 421
  const authority = pseudo.get(':authority')
  if (authority === undefined) return 0
  // An intermediary that reads the one and a server that reads the other would not mean the same site.
  const others = own.filter(([name, value]) => name === 'host' && !isSame(value, authority))
  return others.length > 0 ? 400 : 0
}

function isSame(host: string, authority: string): boolean {
  return host.toLowerCase() === authority.toLowerCase()
}
