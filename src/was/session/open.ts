/**
 * From a request to its session and back: found by its cookie when a view asks for it, saved when the reply is
 * there. `app.ts` puts `keepSessions` around all that a site does.
 */
import { handled } from '../../core/handled.ts'
import type { ServiceKey } from '../../core/services.ts'
import { Reply } from '../../http/reply.ts'
import type { Request } from '../../http/request.ts'
import type { Middleware } from '../../http/view.ts'
import { privateCopy } from '../own-reply.ts'
import { Session } from './session.ts'
import { SessionState } from './session-state.ts'
import type { SessionLimits, SessionStore } from './stored.ts'

/** Where a site's sessions are, and how they are named and limited. */
export interface Sessions {
  readonly store: SessionStore
  readonly limits: SessionLimits
  /** Its name over plain HTTP. */
  readonly cookieName: string
}

/** The site's sessions in `req.services`. */
export const SESSIONS: ServiceKey<Sessions> = {
  name: 'sessions',
  hint: 'set `sessions: {}` in uwas.config.ts',
}

interface Opened {
  promise: Promise<Session> | null
  /** Null while it is being loaded. */
  state: SessionState | null
}

const opened = new WeakMap<Request, Opened>()

/**
 * The session of the request's client, by the same promise each time. The reply becomes private and varies
 * with cookies. A client without a session gets one that is empty; nothing is stored before something is set.
 * Rejects with UWAS_ERR_CORE_SERVICE_MISSING where the site has no sessions, and as statements do.
 */
export function session(req: Request): Promise<Session> {
  req.markPersonal('session')
  let found = opened.get(req)
  if (found === undefined) {
    found = { promise: null, state: null }
    opened.set(req, found)
  }
  found.promise ??= handled(open(req, found))
  return found.promise
}

/**
 * `session` for what a site says that its sessions hold:
 *
 *     export const session = defineSession<{ cart: number[]; theme: 'dark' | 'light' }>()
 *
 * Every key may be missing. The type is believed: what an older version of the site has stored has its shape.
 */
export function defineSession<D extends object>(): (req: Request) => Promise<Session<D>> {
  return session as unknown as (req: Request) => Promise<Session<D>>
}

/** For `csrf/`: the state of a session that has been loaded; null where none has. */
export function openedState(req: Request): SessionState | null {
  return opened.get(req)?.state ?? null
}

/** For `attempts.ts`: takes back what has been changed since, when it is called. */
export function rememberSession(req: Request): () => void {
  const before = openedState(req)?.copy() ?? null
  return () => openedState(req)?.restore(before)
}

/** The token or cookie that the client has sent; undefined for none. */
export function sessionCookieOf(req: Request, { cookieName }: Sessions): string | undefined {
  const values = req.cookieValues(nameFor(req, cookieName))
  // Two of one name: somebody else has set one, and nobody knows which.
  return values.length === 1 ? values[0] : undefined
}

/** Outermost of a site's middleware: saves what a request has made of its session. */
export function keepSessions(sessions: Sessions): Middleware {
  return (req, next) => {
    const reply = next()
    if (!(reply instanceof Reply)) return reply.then((made) => keep(req, made, sessions))
    return keep(req, reply, sessions)
  }
}

async function open(req: Request, found: Opened): Promise<Session> {
  const sessions = req.services.get(SESSIONS)
  const cookie = sessionCookieOf(req, sessions)
  const stored = cookie === undefined ? undefined : await sessions.store.load(cookie, req.trace)
  found.state = new SessionState(stored)
  return new Session(found.state)
}

function keep(req: Request, reply: Reply, sessions: Sessions): Reply | Promise<Reply> {
  const found = opened.get(req)
  return found === undefined ? reply : save(req, reply, found, sessions)
}

async function save(req: Request, reply: Reply, found: Opened, sessions: Sessions): Promise<Reply> {
  // One that a view has asked for and not waited for may still be changed by it.
  if (found.state === null) await found.promise?.catch(() => {})
  const { state } = found
  if (state === null) return reply
  if (reply.status >= 500 || req.isAborted) {
    state.close()
    return reply
  }
  const cookie = await state.save(sessions.store, req.trace)
  if (cookie === undefined) return reply
  return setCookie(req, reply, cookie, sessions)
}

/** `__Host-`: of this host alone, by TLS alone (RFC 6265bis section 4.1.3.2), so no sub-domain can set it. */
function nameFor(req: Request, cookieName: string): string {
  return req.client.scheme === 'https' ? `__Host-${cookieName}` : cookieName
}

function setCookie(
  req: Request,
  reply: Reply,
  value: string | null,
  { cookieName, limits }: Sessions,
): Reply {
  return privateCopy(reply).cookie(nameFor(req, cookieName), value ?? '', {
    secure: req.client.scheme === 'https',
    maxAgeSeconds: value === null ? 0 : limits.lifetimeSeconds,
  })
}
