/**
 * Stands before every view that takes forms. What a page of another site can make a browser send, with this
 * site's cookies and without asking (Fetch standard, "CORS-safelisted"), is let through only with a proof; what the
 * browser asks for first, unless it says that it comes from a page of another site that the site's CORS does not name.
 */
import { createError } from '../../core/errors.ts'
import type { Reply } from '../../http/reply.ts'
import type { Request } from '../../http/request.ts'
import type { Middleware, View } from '../../http/view.ts'
import type { Route } from '../../route/flatten.ts'
import { formatPlace } from '../../route/place.ts'
import { bearerOf } from '../accounts/current-user.ts'
import { isMounted } from '../mount.ts'
import type { SiteRules } from '../site-rules.ts'
import { CSRF_FIELD, CSRF_HEADER, type Csrf, isOwnToken } from './csrf.ts'
import { browserWord, type Word } from './origin.ts'

/** What a route asks of forms; `none`: it takes none, or the site checks nothing. */
export type CsrfRule = 'token' | 'fetchMetadata' | 'off' | 'none'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
/** Types that a form of another site can have; of any other the browser asks first. */
const FORM_TYPES = new Set([
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'text/plain',
])
const TYPE = /^[!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+$/
const URLENCODED = 'application/x-www-form-urlencoded'
const MULTIPART = 'multipart/form-data'

/** Throws UWAS_ERR_CORE_INVALID_OPTION for a route that asks for what the site does not have. */
export function csrfRuleOf(
  { views, options, socket, pattern, place }: Route,
  site: Pick<Csrf, 'mode'> | null,
): CsrfRule {
  const { csrf } = options
  if (site === null && csrf !== undefined && csrf !== false) {
    throw createError('UWAS_ERR_CORE_INVALID_OPTION', {
      where: `path("${pattern}") at ${formatPlace(place)}`,
      problem: `csrf is "${csrf}", but the site checks no forms; set csrf or sessions in its configuration`,
    })
  }
  const takesForms = Object.keys(views).some((method) => !SAFE.has(method))
  if (site === null || !takesForms || socket !== undefined) return 'none'
  if (csrf === false) return 'off'
  return csrf ?? (Object.values(views).some(isForeign) ? 'fetchMetadata' : site.mode)
}

/** The guard of a route's view; null where it needs none. */
export function csrfGuardOf(
  route: Route,
  view: View,
  site: Csrf | null,
  rules: Pick<SiteRules, 'fields'> | null = null,
): Middleware | null {
  const rule = csrfRuleOf(route, site)
  const isSafe = !Object.entries(route.views).some(
    ([method, one]) => one === view && !SAFE.has(method),
  )
  if (site === null || isSafe || rule === 'none' || rule === 'off') return null
  return function csrf(req, next) {
    if (SAFE.has(req.method) || isProgram(req)) return next()
    if (!canBeForm(req)) {
      refuseStrangers(req, site, rules)
      return next()
    }
    const word = browserWord(req, site.trustedOrigins)
    if ('problem' in word) throw refused(site, word.problem)
    if (rule === 'token') return checkToken(req, word, next, site)
    if (word.from === 'own') return next()
    throw refused(site, 'neither Sec-Fetch-Site nor Origin says where it comes from; send one')
  }
}

/**
 * Without a cookie there is nothing of the client's that another site could borrow: the token is the request's own, and
 * no browser sends one by itself, nor lets another site's page do so without asking.
 */
function isProgram(req: Request): boolean {
  return bearerOf(req) !== null && req.header('cookie') === undefined
}

/** The browser has asked before it sent this: a second look, for browsers and views that let too much pass. */
function refuseStrangers(req: Request, site: Csrf, rules: Pick<SiteRules, 'fields'> | null): void {
  if (req.header('sec-fetch-site') === 'same-site') return
  const word = browserWord(req, site.trustedOrigins)
  if (!('problem' in word) || isAllowed(req, rules)) return
  throw refused(site, `${word.problem}; name its origin in cors, or in csrf.trustedOrigins`)
}

function isAllowed(req: Request, rules: Pick<SiteRules, 'fields'> | null): boolean {
  const fields = rules?.fields(req.path, req.header('origin'))?.list
  return fields?.some(([name]) => name === 'Access-Control-Allow-Origin') ?? false
}

function isForeign(view: View | undefined): boolean {
  return view !== undefined && isMounted(view)
}

async function checkToken(
  req: Request,
  word: Word,
  next: () => Reply | Promise<Reply>,
  site: Csrf,
): Promise<Reply> {
  const header = req.header(CSRF_HEADER)
  const type = typeOf(req)
  // The body of such a form is a stream, which the view takes.
  const isStream = type === MULTIPART
  if (header === undefined && isStream && 'from' in word && word.from === 'own') return next()
  const token =
    header ?? (type === URLENCODED ? ((await req.form()).get(CSRF_FIELD) ?? undefined) : undefined)
  if (token === undefined) {
    const missing = isStream
      ? 'it has neither Sec-Fetch-Site nor Origin nor X-CSRF-Token'
      : 'its token is missing: put {{csrfField}} into the form, or send csrfToken(req) as X-CSRF-Token'
    throw refused(site, missing)
  }
  if (await isOwnToken(req, token)) return next()
  throw refused(site, 'its token is of another session, or was changed: load its page anew')
}

/** All but what certainly has a type that the browser asks for first. */
function canBeForm(req: Request): boolean {
  const type = typeOf(req)
  return !TYPE.test(type) || FORM_TYPES.has(type)
}

function typeOf(req: Request): string {
  return (req.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** Strangers are told that it was refused, not why. */
function refused({ isTold }: Csrf, problem: string): Error {
  return createError('UWAS_ERR_WAS_CSRF', { detail: isTold ? ` (${problem})` : '' })
}
