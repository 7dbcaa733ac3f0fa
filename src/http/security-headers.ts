/**
 * The fields that every reply carries unless it sets them itself: safe defaults for any site, and the
 * site's changes to them. Options come in, a list of fields leaves; called once, at start.
 */
import { createError } from '../core/errors.ts'
import { checkHeader, type HeaderList, isToken } from './headers.ts'

/** Directive or feature → its sources: `{ 'script-src': ["'self'"] }`. */
export type SourceLists = Readonly<Record<string, readonly string[]>>

/**
 * Changes to the preset, by name: what is not named stays, `false` leaves a field out. A reply that
 * sets a field itself sends its own.
 */
export interface SecurityHeaders {
  /** X-Content-Type-Options: no guessing of types. Default `'nosniff'`. */
  readonly contentTypeOptions?: 'nosniff' | false | undefined
  /** Referrer-Policy. Default `'strict-origin-when-cross-origin'`. */
  readonly referrerPolicy?: string | false | undefined
  /**
   * Who may show pages of this site in a frame: `'self'`, `'none'`, or origins. Sent in
   * Content-Security-Policy and, for `'self'` and `'none'`, in X-Frame-Options too. Default `'self'`.
   */
  readonly frameAncestors?: 'self' | 'none' | readonly string[] | false | undefined
  /** Cross-Origin-Opener-Policy. Default `'same-origin'`. */
  readonly openerPolicy?:
    | 'same-origin'
    | 'same-origin-allow-popups'
    | 'unsafe-none'
    | false
    | undefined
  /**
   * Cross-Origin-Resource-Policy: which sites may embed images, scripts and other files of this one
   * without CORS. Default `'same-site'`; `'cross-origin'` for a site whose files are meant for others.
   */
  readonly resourcePolicy?: 'same-origin' | 'same-site' | 'cross-origin' | false | undefined
  /** Permissions-Policy: feature → who may use it. Default: camera, geolocation and microphone for nobody. */
  readonly permissionsPolicy?: SourceLists | false | undefined
  /** Content-Security-Policy: directive → sources. Default: frame-ancestors alone. */
  readonly contentSecurityPolicy?: SourceLists | false | undefined
  /** The same as a trial: browsers report what it would refuse. Default none. */
  readonly contentSecurityPolicyReportOnly?: SourceLists | false | undefined
}

const DEFAULT_PERMISSIONS: SourceLists = { camera: [], geolocation: [], microphone: [] }

/**
 * The fields, checked. Throws UWAS_ERR_HTTP_SECURITY_HEADER for a value that cannot stand in its field;
 * `false` instead of options leaves out all of them.
 */
export function securityHeaders(options: SecurityHeaders | false = {}): HeaderList {
  if (options === false) return []
  const { frameAncestors = 'self' } = options
  const list: [string, string | false][] = [
    ['X-Content-Type-Options', options.contentTypeOptions ?? 'nosniff'],
    ['X-Frame-Options', frameOptions(frameAncestors)],
    ['Referrer-Policy', options.referrerPolicy ?? 'strict-origin-when-cross-origin'],
    ['Cross-Origin-Opener-Policy', options.openerPolicy ?? 'same-origin'],
    ['Cross-Origin-Resource-Policy', options.resourcePolicy ?? 'same-site'],
    ['Permissions-Policy', permissions(options.permissionsPolicy ?? DEFAULT_PERMISSIONS)],
    ['Content-Security-Policy', contentPolicy(options.contentSecurityPolicy ?? {}, frameAncestors)],
    [
      'Content-Security-Policy-Report-Only',
      policyText('contentSecurityPolicyReportOnly', options.contentSecurityPolicyReportOnly ?? {}),
    ],
  ]
  return list.filter((field): field is [string, string] => {
    const [name, value] = field
    if (value === false || value === '') return false
    try {
      checkHeader(name, value)
    } catch {
      refuse(name, `${JSON.stringify(value)} cannot stand in a field`)
    }
    return true
  })
}

/** The preset without changes. */
export const SECURITY_HEADERS: Readonly<HeaderList> = securityHeaders()

type FrameAncestors = Exclude<SecurityHeaders['frameAncestors'], undefined>

/** Old browsers know two answers only; a list of origins is left to the newer field. */
function frameOptions(ancestors: FrameAncestors): string | false {
  if (ancestors === 'self') return 'SAMEORIGIN'
  return ancestors === 'none' ? 'DENY' : false
}

function contentPolicy(given: SourceLists | false, ancestors: FrameAncestors): string | false {
  if (given === false) return false
  const sources =
    ancestors === 'self' || ancestors === 'none' ? [`'${ancestors}'`] : ancestors || null
  const framing = sources === null ? {} : { 'frame-ancestors': sources }
  return policyText('contentSecurityPolicy', { ...framing, ...given })
}

function policyText(option: string, given: SourceLists | false): string | false {
  if (given === false) return false
  return Object.entries(given)
    .map(([directive, sources]) => {
      checkNames(option, directive, sources)
      return [directive, ...sources].join(' ')
    })
    .join('; ')
}

/** A structured field (RFC 9651): `self` and `*` are tokens, origins are strings. */
function permissions(given: SourceLists | false): string | false {
  if (given === false) return false
  return Object.entries(given)
    .map(([feature, allowed]) => {
      checkNames('permissionsPolicy', feature, allowed)
      const list = allowed.map((one) => (one === 'self' || one === '*' ? one : `"${one}"`))
      return `${feature}=(${list.join(' ')})`
    })
    .join(', ')
}

/** One source with `;` or a blank in it would be two things. */
function checkNames(option: string, name: string, sources: readonly string[]): void {
  if (!isToken(name)) refuse(option, `${JSON.stringify(name)} is no name`)
  const bad = sources.find((source) => !/^[\x21-\x7e]+$/.test(source) || /[;,"]/.test(source))
  if (bad !== undefined) {
    refuse(
      option,
      `${name} has ${JSON.stringify(bad)}; write each source on its own, without ; and ,`,
    )
  }
}

function refuse(name: string, problem: string): never {
  throw createError('UWAS_ERR_HTTP_SECURITY_HEADER', { name, problem })
}
