/** What a line in the shell can name. Gets the loaded site, leaves names and values. Called by `../shell.ts`. */
import { type Backends, siteTemplates } from '../../app.ts'
import { createError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { atomic } from '../../model/atomic.ts'
import { declaredStatements } from '../../model/statement-registry.ts'
import { declaredTables } from '../../model/table/registry.ts'
import type { SiteConfig } from '../../was/config.ts'
import { ShellSql } from './sql.ts'

export interface Scope {
  readonly names: Readonly<Record<string, unknown>>
  close(): Promise<void>
}

/** Throws what is wrong with the site's templates. Without a database `db` is null. */
export async function openScope(config: SiteConfig, backends: Backends, log: Log): Promise<Scope> {
  const { database } = backends
  const shell = database === null ? null : new ShellSql(database)
  const templates = await siteTemplates(config, backends, { log })
  const missing = (what: 'database' | 'templates' | 'urls') => () => {
    throw createError('UWAS_ERR_COMMANDS_SHELL', { missing: what })
  }
  return {
    names: {
      config,
      db: database,
      statements: byName(declaredStatements()),
      tables: byName(declaredTables()),
      sql: shell?.sql ?? missing('database'),
      atomic,
      render: templates?.render.bind(templates) ?? missing('templates'),
      url: config.urls?.reverse ?? missing('urls'),
    },
    async close() {
      await shell?.close()
    },
  }
}

function byName<T extends { readonly name: string }>(all: readonly T[]): Record<string, T> {
  return Object.fromEntries(all.map((one) => [one.name, one]))
}
