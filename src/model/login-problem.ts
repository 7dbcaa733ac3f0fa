/** Why a log-in failed → words that say what to do. Used by `connection.ts`. */
import { problemOf, sqlStateOf } from './failures.ts'

/** By SQLSTATE (PostgreSQL 18, appendix A). */
const HINTS: Readonly<Record<string, string>> = {
  '28P01': 'was the password changed? the URL of the database has to have the present one',
  '28000': 'the server accepts no such user from here; see its pg_hba.conf',
  '53300':
    'its max_connections are in use; lower database.poolSize, here or on the other servers, or raise max_connections',
}
const POOLER = 'a pooler answers; set database.profile to "pgbouncer"'

export function loginProblem(error: unknown): string {
  const problem = problemOf(error)
  // PgBouncer's words for what it does not follow.
  const hint = problem.startsWith('unsupported startup parameter')
    ? POOLER
    : HINTS[sqlStateOf(error) ?? '']
  return hint === undefined ? problem : `${problem} (${hint})`
}
