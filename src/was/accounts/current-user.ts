/**
 * From a request to its user: by the token that it brings, else by its session. Found when a view asks for it, once
 * a request.
 */
import { handled } from '../../core/handled.ts'
import type { Request } from '../../http/request.ts'
import { session } from '../session/open.ts'
import { ACCOUNTS, ownRunner } from './accounts.ts'
import { loadTokenUser, loadUser } from './statements.ts'
import { hashOfToken } from './token-text.ts'
import type { User } from './user.ts'

/** Where a session says which epoch of its user it belongs to. */
export const EPOCH_KEY = 'uwas.epoch'

const found = new WeakMap<Request, Promise<User | undefined>>()

/**
 * Who asks; undefined for nobody. By `Authorization: Bearer` where the request has that, and then by nothing else;
 * else by the session that `logIn` has made. Read once a request, by one statement beside that of the session. The
 * reply becomes private. Rejects with UWAS_ERR_CORE_SERVICE_MISSING where the site has no accounts, and as
 * statements do.
 */
export function user(req: Request): Promise<User | undefined> {
  req.markPersonal('user')
  let promise = found.get(req)
  if (promise === undefined) {
    promise = handled(find(req))
    found.set(req, promise)
  }
  return promise
}

/** For `log-in.ts`: from now on the request is this one's. */
export function setCurrentUser(req: Request, current: User | undefined): void {
  found.set(req, Promise.resolve(current))
}

/** For `attempts.ts`: the request is again whose it was, when it is called. */
export function rememberUser(req: Request): () => void {
  const before = found.get(req)
  return () => {
    if (before === undefined) found.delete(req)
    else found.set(req, before)
  }
}

/** The token that the request brings: a text that may be anything, or null where it brings none. */
export function bearerOf(req: Request): string | null {
  const field = req.header('authorization') ?? ''
  return /^bearer(?: |$)/i.test(field) ? field.slice(6).trim() : null
}

async function find(req: Request): Promise<User | undefined> {
  const accounts = req.services.get(ACCOUNTS)
  const bearer = bearerOf(req)
  if (bearer !== null) {
    const hash = hashOfToken(bearer)
    if (hash === undefined) return undefined
    const row = await loadTokenUser.maybe(ownRunner(req), { hash })
    return row && accounts.userOf(row, Object.freeze(row.scopes))
  }
  const { userId, epoch } = await sessionUser(req)
  if (userId === null || epoch === undefined) return undefined
  const row = await loadUser.maybe(ownRunner(req), { id: userId, epoch })
  return row && accounts.userOf(row)
}

async function sessionUser(req: Request): Promise<{ userId: number | null; epoch?: number }> {
  const own = await session(req)
  const epoch = own.get(EPOCH_KEY)
  const userId = Number(own.userId ?? Number.NaN)
  if (!Number.isSafeInteger(userId) || typeof epoch !== 'number') return { userId: null }
  return { userId, epoch }
}
