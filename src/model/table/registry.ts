/** All tables of the site by name, for `uwas check` and drafts of migrations; as statement-registry.ts. */
import { tableError } from './columns.ts'
import type { AnyTable } from './table.ts'

let generation = new Map<string, AnyTable>()

/** The tables declared since the start, or since `beginTableGeneration`. */
export function declaredTables(): AnyTable[] {
  return [...generation.values()]
}

/** Forgets all names, so that the site's modules may declare them again. */
export function beginTableGeneration(): void {
  generation = new Map()
}

export function registerTable(declared: AnyTable): void {
  if (generation.has(declared.name)) throw tableError(declared.name, 'it is declared twice')
  generation.set(declared.name, declared)
}
