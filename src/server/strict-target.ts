/**
 * What the strict lane judges before the common fences: version, transfer coding and the form of the
 * target. Pure: a parsed head in, an origin-form target with its Host or a refusal out.
 */
import { isHost } from './fences.ts'

/** A head as Node's parser gives it. */
export interface ParsedHead {
  /** `1.1` */
  readonly version: string
  readonly method: string
  readonly target: string
  /** In the order of arrival, names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** Whether it came by TLS. Default false. */
  readonly secure?: boolean
}

export interface OriginTarget {
  /** Starts with `/`; without the query. */
  readonly path: string
  /** Without `?`; undefined where there is none. */
  readonly query: string | undefined
  /** Authority of an absolute-form target, which takes the place of Host; null for origin-form. */
  readonly authority: string | null
}

/** Status to refuse with (and close), `*` for asterisk-form, or where the request goes. */
export type TargetVerdict = 400 | 421 | 501 | 505 | '*' | OriginTarget

/** RFC 3986 section 3: scheme and authority; userinfo is caught by the grammar of Host. */
const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+\-.]*):\/\/([^/?#]*)([^#]*)$/

export function judgeHead(head: ParsedHead): TargetVerdict {
  if (head.version !== '1.1' && head.version !== '1.0') return head.version === '0.9' ? 400 : 505
  const coding = refuseCoding(head)
  return coding === 0 ? readTarget(head) : coding
}

/**
 * `chunked` alone is understood (RFC 9112 section 6.1). What the parser lets through beside it, an
 * empty list or a coding before `chunked`, would leave the length of the body to somebody's opinion.
 */
function refuseCoding({ version, fields }: ParsedHead): 0 | 400 | 501 {
  const codings = fields.filter(([name]) => name === 'transfer-encoding')
  if (codings.length === 0) return 0
  const [, coding] = codings[0] as readonly [string, string]
  if (version === '1.0' || codings.length > 1 || coding === '') return 400
  return coding.toLowerCase() === 'chunked' ? 0 : 501
}

/** RFC 9112 section 3.2: origin-form, absolute-form, asterisk-form; authority-form is CONNECT's. */
function readTarget({ method, target, secure = false }: ParsedHead): TargetVerdict {
  if (target.startsWith('/')) return { ...splitTarget(target), authority: null }
  if (target === '*') return method === 'OPTIONS' ? '*' : 400
  const [, scheme, authority = '', rest = ''] = ABSOLUTE.exec(target) ?? []
  if (scheme === undefined || !isHost(authority)) return 400
  const lower = scheme.toLowerCase()
  // RFC 9110 section 7.4: a request for an https resource must be rejected on a connection in clear.
  if (lower !== 'http' && lower !== 'https') return 400
  if (secure !== (lower === 'https')) return 421
  if (rest === '' && method === 'OPTIONS') return '*'
  return { ...splitTarget(rest.startsWith('/') ? rest : `/${rest}`), authority }
}

/** Of origin-form: the path, and the query without `?`. */
export function splitTarget(target: string): { path: string; query: string | undefined } {
  const at = target.indexOf('?')
  return at < 0
    ? { path: target, query: undefined }
    : { path: target.slice(0, at), query: target.slice(at + 1) }
}
