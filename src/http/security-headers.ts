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
  /**
   * Content-Security-Policy: directive → sources. A source `'nonce'` (with its quotes) stands for the reply's nonce in
   * replies whose page has asked for it (`cspNonce`), and for nothing in all others. Default: frame-ancestors alone.
   */
  readonly contentSecurityPolicy?: SourceLists | false | undefined
  /** The same as a trial: browsers report what it would refuse. Default none. */
  readonly contentSecurityPolicyReportOnly?: SourceLists | false | undefined
}

/** Stands for the nonce, as a site writes it and while a policy waits for one. */
const NONCE = "'nonce'"
const PLACE = "'nonce-?'"
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
    ...policiesOf(options, ''),
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

/** The policies of one reply, with its nonce. */
export type NoncePolicies = (nonce: string) => HeaderList

/** The fields whose policies have a place for a nonce; null where none has. Throws as `securityHeaders`. */
export function noncePolicies(options: SecurityHeaders | false): NoncePolicies | null {
  if (options === false) return null
  const given = [options.contentSecurityPolicy, options.contentSecurityPolicyReportOnly]
  const hasNonce = (lists: SourceLists | false | undefined) =>
    Object.values(lists || {}).some((sources) => sources.includes(NONCE))
  if (!given.some(hasNonce)) return null
  const named = policiesOf(options, PLACE).filter(
    (field): field is [string, string] => field[1] !== false && field[1].includes(PLACE),
  )
  return (nonce) =>
    named.map(([name, value]) => [name, value.replaceAll(PLACE, `'nonce-${nonce}'`)])
}

/** The preset without changes. */
export const SECURITY_HEADERS: Readonly<HeaderList> = securityHeaders()

type FrameAncestors = Exclude<SecurityHeaders['frameAncestors'], undefined>

/** Old browsers know two answers only; a list of origins is left to the newer field. */
function frameOptions(ancestors: FrameAncestors): string | false {
  if (ancestors === 'self') return 'SAMEORIGIN'
  return ancestors === 'none' ? 'DENY' : false
}

/** `nonce` takes the place of 'nonce'; an empty one leaves it out. */
function policiesOf(options: SecurityHeaders, nonce: string): [string, string | false][] {
  const { frameAncestors = 'self', contentSecurityPolicy: policy = {} } = options
  const trial = options.contentSecurityPolicyReportOnly ?? {}
  return [
    ['Content-Security-Policy', contentPolicy(policy, frameAncestors, nonce)],
    [
      'Content-Security-Policy-Report-Only',
      policyText('contentSecurityPolicyReportOnly', trial, nonce),
    ],
  ]
}

function contentPolicy(
  given: SourceLists | false,
  ancestors: FrameAncestors,
  nonce: string,
): string | false {
  if (given === false) return false
  const sources =
    ancestors === 'self' || ancestors === 'none' ? [`'${ancestors}'`] : ancestors || null
  const framing = sources === null ? {} : { 'frame-ancestors': sources }
  return policyText('contentSecurityPolicy', { ...framing, ...given }, nonce)
}

function policyText(option: string, given: SourceLists | false, nonce: string): string | false {
  if (given === false) return false
  return Object.entries(given)
    .map(([directive, sources]) => {
      checkNames(option, directive, sources)
      const named = sources.map((source) => (source === NONCE ? nonce : source))
      const left = named.filter((source) => source !== '')
      // A list that the nonce alone was on allows nothing without it.
      return [directive, ...(left.length === 0 && sources.length > 0 ? ["'none'"] : left)].join(' ')
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
