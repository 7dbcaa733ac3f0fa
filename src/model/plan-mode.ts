/**
 * How PostgreSQL plans a prepared statement: anew for the values of each run, or once for all (PostgreSQL 18, section
 * 20.7.4, `plan_cache_mode`). A setting of its transaction, sent along with the statement. Used by `query.ts` and
 * `transaction.ts`.
 */

/** `custom`: for the values of each run. `generic`: once. */
export type PlanMode = 'custom' | 'generic'

export const PLAN_MODES: readonly string[] = ['custom', 'generic']

/** SET LOCAL would warn outside of a transaction block; a row of its own would be taken for the statement's. */
const setting = (mode: PlanMode) => [
  `select from set_config('plan_cache_mode', 'force_${mode}_plan', true) offset 1`,
]

/** What runs before a statement of this mode. */
export const PLAN_COMMANDS: Readonly<Record<PlanMode, readonly string[]>> = {
  custom: setting('custom'),
  generic: setting('generic'),
}

/** What runs before the next statement of its transaction. */
export const USUAL_PLAN: readonly string[] = ['set local plan_cache_mode to default']
