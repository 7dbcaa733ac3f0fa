/**
 * Proofs that a form comes from a page of this site: a token, bound to the client's session or, before it has
 * one, to a cookie, and masked anew each time, so that compressed pages do not tell it (BREACH). Made for
 * pages, held against requests by `guard.ts`.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { ServiceKey } from '../../core/services.ts'
import type { Request } from '../../http/request.ts'
import { SIGNER } from '../../http/signing.ts'
import { SafeHtml } from '../../template/safe-html.ts'
import { addLater } from '../late-fields.ts'
import { openedState, SESSIONS, session, sessionCookieOf } from '../session/open.ts'
import { isToken, newToken } from '../session/stored.ts'

/** How the site checks, from its configuration. */
export interface Csrf {
  readonly mode: 'token' | 'fetchMetadata'
  /** Other origins whose pages may send forms here. */
  readonly trustedOrigins: readonly string[]
  /** Whether a refusal says why: in development. */
  readonly isTold: boolean
}

/** How the site checks forms, in `req.services`. */
export const CSRF: ServiceKey<Csrf> = {
  name: 'csrf',
  hint: 'set `sessions` or `csrf` in uwas.config.ts',
}

/** The form's field. */
export const CSRF_FIELD = 'csrfToken'
/** The field of a script's request. */
export const CSRF_HEADER = 'x-csrf-token'
const COOKIE = 'csrf'
const MAC_BYTES = 32
const PURPOSE = 'csrf'

/** Of requests whose reply brings the cookie: its value. */
const madeFor = new WeakMap<Request, string>()
/** The tokens that pages of a request may have in them. */
const tokensOf = new WeakMap<object, string[]>()

/**
 * The token for a page's forms, which send it as `csrfToken`, or for its scripts, which send it as
 * X-CSRF-Token: another text each time. It ends with the session, and with each `rotate`. The page is
 * private by it. Empty where the site checks no forms, or by fetch metadata without `secrets`.
 */
export function csrfToken(req: Request): string {
  const signer = req.services.find(SIGNER)
  if (req.services.find(CSRF) === undefined || signer === undefined) return ''
  req.markPersonal('cookie')
  const [mac] = signer.macs(PURPOSE, bindingOf(req))
  const token = mask(mac as Buffer)
  tokensOf.set(req, [...(tokensOf.get(req) ?? []), token])
  return token
}

/** Whether a token that was made for `req` stands in `text`. */
export function hasToken(req: object, text: string): boolean {
  return tokensOf.get(req)?.some((token) => text.includes(token)) ?? false
}

/** The hidden field with the token, for a form; in templates `{{csrfField}}` by itself. */
export function csrfField(req: Request): SafeHtml {
  const token = csrfToken(req)
  return new SafeHtml(
    token === '' ? '' : `<input type="hidden" name="${CSRF_FIELD}" value="${token}">`,
  )
}

/** For `guard.ts`: whether the token was made for this client, in the session that it has now. */
export async function isOwnToken(req: Request, token: string): Promise<boolean> {
  const mac = unmask(token)
  if (mac === undefined) return false
  const ours = sessionTokenOf(req)
  if (ours !== null && fits(req, mac, `session ${ours}`)) return true
  const cookie = cookieOf(req)
  if (cookie === undefined || !fits(req, mac, `cookie ${cookie}`)) return false
  // A page that was made before the session: fine, as long as nobody has signed in since.
  return ours === null || (await session(req)).userId === null
}

function fits(req: Request, mac: Buffer, binding: string): boolean {
  const ours = req.services.get(SIGNER).macs(PURPOSE, binding)
  return ours.some((one) => timingSafeEqual(one, mac))
}

function bindingOf(req: Request): string {
  const ours = sessionTokenOf(req)
  if (ours !== null) return `session ${ours}`
  return `cookie ${cookieOf(req) ?? madeFor.get(req) ?? makeCookie(req)}`
}

/** Of the session that the client has after this request; of one that was not loaded, as its cookie says. */
function sessionTokenOf(req: Request): string | null {
  const state = openedState(req)
  if (state !== null) return state.token
  const sessions = req.services.find(SESSIONS)
  const cookie = sessions && sessionCookieOf(req, sessions)
  return cookie === undefined ? null : (sessions?.store.tokenOf(cookie) ?? null)
}

function cookieOf(req: Request): string | undefined {
  const values = req.cookieValues(cookieName(req))
  return values.length === 1 && isToken(values[0]) ? values[0] : undefined
}

function makeCookie(req: Request): string {
  const value = newToken()
  madeFor.set(req, value)
  const secure = req.client.scheme === 'https'
  addLater(req, (reply) => void reply.cookie(cookieName(req), value, { secure }))
  return value
}

function cookieName(req: Request): string {
  return req.client.scheme === 'https' ? `__Host-${COOKIE}` : COOKIE
}

/** A random number, and the code combined with it. */
function mask(mac: Buffer): string {
  const noise = randomBytes(MAC_BYTES)
  return Buffer.concat([noise, combine(noise, mac)]).toString('base64url')
}

function unmask(token: string): Buffer | undefined {
  if (!/^[\w-]{86}$/.test(token)) return undefined
  const bytes = Buffer.from(token, 'base64url')
  return combine(bytes.subarray(0, MAC_BYTES), bytes.subarray(MAC_BYTES))
}

function combine(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ (b[i] as number)))
}
