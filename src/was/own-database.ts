/** What uwas itself wants of a site's database, by its configuration. Read by `app.ts`, `uwas check` and `uwas migrate`. */
import type { OwnStep } from '../model/own-tables.ts'
import type { Statement } from '../model/statement.ts'
import { ACCOUNT_STATEMENTS, ACCOUNT_STEPS } from './accounts/statements.ts'
import type { SiteConfig } from './config-types.ts'
import { SESSION_STATEMENTS, SESSION_STEPS } from './session/statements.ts'

export interface OwnDatabase {
  /** In order. */
  readonly steps: readonly OwnStep[]
  /** To be prepared with those of the site. */
  readonly statements: readonly Statement[]
}

export function ownDatabase({ sessions, accounts }: SiteConfig): OwnDatabase {
  const hasSessions = sessions?.store === 'postgres'
  return {
    steps: [...(hasSessions ? SESSION_STEPS : []), ...(accounts === null ? [] : ACCOUNT_STEPS)],
    statements: [
      ...(hasSessions ? SESSION_STATEMENTS : []),
      ...(accounts === null ? [] : ACCOUNT_STATEMENTS),
    ],
  }
}
