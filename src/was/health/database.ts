/**
 * What uwas asks of a site's database: that it answers, and that it has the site's migrations. Not entered among
 * the site's statements: nothing of the site waits for them.
 */
import { DATABASE } from '../../model/database.ts'
import { Statement } from '../../model/statement.ts'
import * as pg from '../../model/types.ts'
import type { HealthCheck } from './options.ts'

const answer = new Statement('uwas health', {
  params: {},
  row: { one: pg.int },
  sql: 'select 1 as one',
})

const applied = new Statement('uwas health migrations', {
  params: {},
  row: { name: pg.text },
  sql: 'select name from uwas_migrations',
})

export const databaseAnswers: HealthCheck = ({ services }) => answer.one(services.get(DATABASE))

/**
 * Whether all of `names` are applied. A database that has others besides belongs to a newer version of the site, which
 * may have put one migration in the place of several: the servers of the older one go on until it takes over.
 */
export function migrationsAreCurrent(names: readonly string[]): HealthCheck {
  const known = new Set(names)
  return async ({ services }) => {
    const rows = await applied.all(services.get(DATABASE))
    const there = new Set(rows.map(({ name }) => name))
    return names.every((name) => there.has(name)) || rows.some(({ name }) => !known.has(name))
  }
}
