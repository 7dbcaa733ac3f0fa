/**
 * What stands between the server and PostgreSQL, and so what a connection may do. `direct`: a session is ours from
 * log-in to end. `pgbouncer`: a pooler gives each transaction whichever session is free, so that nothing stays in
 * one (settings, LISTEN, locks, before version 1.21 prepared statements), and statements go out one at a time.
 */
import type { Connection } from './connection.ts'

export const PROFILES = ['direct', 'pgbouncer'] as const
export type Profile = (typeof PROFILES)[number]

export interface SessionSettings {
  readonly target: { readonly applicationName: string }
  readonly profile: Profile
  readonly statementTimeoutMs: number
}

/** Start-up parameters; PgBouncer refuses those that it does not follow. */
export function settingsOf({
  target,
  profile,
  statementTimeoutMs,
}: SessionSettings): Record<string, string | number> {
  // What `timestamp.ts` and `types.ts` read; a database may have other defaults.
  const kept = { application_name: target.applicationName, DateStyle: 'ISO' }
  if (profile === 'pgbouncer') return kept
  return { ...kept, bytea_output: 'hex', statement_timeout: statementTimeoutMs }
}

/**
 * Whether a pooler keeps prepared statements: it gives them names of its own then, so ours is not in the session.
 * In a transaction, so that the answer is of the same session.
 */
export async function canPrepare(connection: Connection): Promise<boolean> {
  await connection.simple('begin')
  try {
    const sql = 'select 1 as uwas_probe'
    await connection.describe(sql, 0)
    const found = await connection.simple(
      `select name from pg_prepared_statements where statement = '${sql}' and name ~ '^u[0-9]+$'`,
    )
    for (const [name] of found.rows) await connection.simple(`deallocate "${name}"`)
    return found.rows.length === 0
  } finally {
    await connection.simple('rollback')
  }
}
