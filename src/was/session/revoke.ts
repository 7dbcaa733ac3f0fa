/** Ends sessions of a user from outside of them: "sign out everywhere", a changed password, a lost device. */
import { createError } from '../../core/errors.ts'
import type { Services } from '../../core/services.ts'
import { DATABASE } from '../../model/database.ts'
import type { Runner } from '../../model/statement.ts'
import type { Transaction } from '../../model/transaction.ts'
import { SESSIONS } from './open.ts'
import { PostgresStore } from './postgres-store.ts'
import { listSessions, revokeAllSessions, revokeSessionById } from './statements.ts'

/** One session of a user, for a page that lists them. */
export interface SessionInfo {
  readonly id: string
  /** When its user signed in. */
  readonly createdAt: Date
  /** Within a tenth of `sessions.idleSeconds`. */
  readonly seenAt: Date
}

/** A request, or whatever has the site's services. `tx` makes it part of a transaction. */
interface On {
  readonly services: Services
}

/**
 * The sessions of a user that have not ended, the last seen first; 1000 at most. Here and below
 * UWAS_ERR_WAS_SESSION_STORE where sessions are kept in cookies: there is no list of those.
 */
export async function sessionsOf(on: On, userId: string, tx?: Transaction): Promise<SessionInfo[]> {
  const { idleSeconds: idle, lifetimeSeconds: lifetime } = on.services.get(SESSIONS).limits
  const rows = await listSessions.all(runner(on, tx), { user_id: userId, idle, lifetime })
  return rows.map(({ id, created_at: createdAt, seen_at: seenAt }) => ({ id, createdAt, seenAt }))
}

/** Ends one session of the user by its id; false when the user has none of that id. */
export async function revokeSession(
  on: On,
  userId: string,
  id: string,
  tx?: Transaction,
): Promise<boolean> {
  const isId = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)
  const runs = runner(on, tx)
  return isId && (await revokeSessionById.run(runs, { user_id: userId, id })) === 1
}

/** Ends all sessions of the user, but for the one whose id is `except`. How many there were. */
export async function revokeSessions(
  on: On,
  userId: string,
  { except = null, tx }: { readonly except?: string | null; readonly tx?: Transaction } = {},
): Promise<number> {
  return await revokeAllSessions.run(runner(on, tx), { user_id: userId, except })
}

function runner({ services }: On, tx: Transaction | undefined): Runner {
  if (!(services.get(SESSIONS).store instanceof PostgresStore)) {
    throw createError('UWAS_ERR_WAS_SESSION_STORE', {})
  }
  return tx ?? services.get(DATABASE)
}
