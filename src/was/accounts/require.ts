/**
 * Who may come to a view: middleware for routes, a decorator for views, a check inside of them. A person who has not
 * logged in is sent to the log-in page and comes back; a program gets 401 or 403.
 */
import { HttpError } from '../../http/http-error.ts'
import { negotiateType } from '../../http/negotiate.ts'
import { type Reply, redirect } from '../../http/reply.ts'
import type { Request } from '../../http/request.ts'
import type { Middleware, View, ViewResult } from '../../http/view.ts'
import { vary } from '../caching.ts'
import { ACCOUNTS } from './accounts.ts'
import { bearerOf, user } from './current-user.ts'
import { pageOf } from './next.ts'
import { can, hasScope, type Policy, type User } from './user.ts'

/** Lets only users pass. `scope`: a token has to be for it. */
export function requireUser({ scope }: { readonly scope?: string } = {}): Middleware {
  return async function requireUser(req, next) {
    const found = await user(req)
    if (found === undefined) return turnAway(req)
    if (scope !== undefined && !hasScope(found, scope)) throw forbidden(found, scope)
    return next()
  }
}

/** Lets only those pass who `can(user, permission)`; a token has to be for it too. */
export function requirePermission(permission: string): Middleware {
  return async function requirePermission(req, next) {
    const found = await user(req)
    if (found === undefined) return turnAway(req)
    if (!can(found, permission)) throw forbidden(found, permission)
    return next()
  }
}

/** A view of users alone, who get theirs: `withUser(async (req, user) => …)`. */
export function withUser<P>(
  view: (req: Request<P>, user: User) => ViewResult | Promise<ViewResult>,
): View<P> {
  return async (req) => {
    const found = await user(req as Request)
    return found === undefined ? turnAway(req as Request) : view(req, found)
  }
}

/**
 * The user of the request, who may do it: any user, one with a permission, or one whom a policy lets do it to this
 * object. Throws 401 for nobody, 403 for somebody who may not (HttpError).
 */
export function authorize(req: Request, permission?: string): Promise<User>
export function authorize<T>(req: Request, policy: Policy<T>, object: T): Promise<User>
export async function authorize<T>(
  req: Request,
  what?: string | Policy<T>,
  object?: T,
): Promise<User> {
  const found = await user(req)
  if (found === undefined) throw unauthorized(req)
  const may =
    what === undefined ||
    (typeof what === 'string' ? can(found, what) : can(found, what, object as T))
  if (!may) throw forbidden(found, typeof what === 'string' ? what : '')
  return found
}

function turnAway(req: Request): Reply {
  const { logInPath } = req.services.get(ACCOUNTS)
  if (logInPath === null || !isPerson(req)) throw unauthorized(req)
  const next = pageOf(req)
  const query = next === undefined ? '' : `?${new URLSearchParams({ next })}`
  const reply = redirect(logInPath + query).header('Cache-Control', 'no-store')
  return vary(reply, 'Accept', 'Cookie')
}

/** A browser that shows a page; not its scripts, and no program with a token. */
function isPerson(req: Request): boolean {
  const dest = req.header('sec-fetch-dest')
  if (bearerOf(req) !== null || (dest !== undefined && dest === 'empty')) return false
  return negotiateType(req.header('accept'), ['text/html', 'application/json']) === 'text/html'
}

/** RFC 6750 section 3. */
function unauthorized(req: Request): HttpError {
  const challenge = bearerOf(req) === null ? 'Bearer' : 'Bearer error="invalid_token"'
  return new HttpError(401, undefined, { headers: [['WWW-Authenticate', challenge]] })
}

function forbidden({ scopes }: User, scope: string): HttpError {
  const isToken = scopes !== null && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)
  if (!isToken) return new HttpError(403)
  const challenge = `Bearer error="insufficient_scope", scope="${scope}"`
  return new HttpError(403, undefined, { headers: [['WWW-Authenticate', challenge]] })
}
