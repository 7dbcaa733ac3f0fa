/**
 * Which migrations are to be applied or reverted, from the files and what a database has. Pure. Called by
 * `migrate.ts` and the command.
 */
import { createError } from '../core/errors.ts'
import { hintNearest } from '../core/nearest.ts'
import type { MigrationFile } from './migration-files.ts'

/** What is to be done with one file. `adopt`: all that it replaces is applied, so it only takes their place. */
export interface MigrationStep {
  readonly file: MigrationFile
  readonly does: 'apply' | 'revert' | 'adopt'
}

/** From the files and the names of what is applied. Throws UWAS_ERR_MODEL_MIGRATION_FILES. */
export type MigrationPlan = (
  files: readonly MigrationFile[],
  applied: readonly string[],
) => MigrationStep[]

/** All that is not applied yet. */
export function planUp(): MigrationPlan {
  return (files, applied) => files.flatMap((file) => stepFor(file, applied))
}

/** The last `count` back. */
export function planDown(count: number): MigrationPlan {
  return (files, applied) =>
    files
      .filter(({ name }) => applied.includes(name))
      .reverse()
      .slice(0, count)
      .map(revert)
}

/** Forwards or back until `target`, a name or number, is the last; `0` is before the first. */
export function planTo(target: string): MigrationPlan {
  return (files, applied) => {
    const index = indexOf(files, target)
    const later = files.slice(index + 1).filter(({ name }) => applied.includes(name))
    return [
      ...later.reverse().map(revert),
      ...files.slice(0, index + 1).flatMap((file) => stepFor(file, applied)),
    ]
  }
}

function indexOf(files: readonly MigrationFile[], target: string): number {
  if (/^0+$/.test(target)) return -1
  const isNumber = /^\d+$/.test(target)
  const index = files.findIndex(({ name, number }) =>
    isNumber ? number === Number(target) : name === target,
  )
  if (index >= 0) return index
  const names = files.map(({ name }) => name)
  throw wrong(target, `is no migration${hintNearest(target, names)}`)
}

function stepFor(file: MigrationFile, applied: readonly string[]): MigrationStep[] {
  if (applied.includes(file.name)) return []
  const { replaces, path } = file
  const done = replaces.filter((name) => applied.includes(name))
  if (done.length === 0) return [{ file, does: 'apply' }]
  if (done.length === replaces.length) return [{ file, does: 'adopt' }]
  const missing = replaces.filter((name) => !done.includes(name)).join(', ')
  throw wrong(
    path,
    `replaces migrations of which this database lacks ${missing}: apply these first, with the version of the site that has them`,
  )
}

function revert(file: MigrationFile): MigrationStep {
  if (file.down !== null) return { file, does: 'revert' }
  throw wrong(file.path, 'cannot be reverted: it has no .down.sql beside it')
}

function wrong(file: string, problem: string): Error {
  return createError('UWAS_ERR_MODEL_MIGRATION_FILES', { file, problem })
}
