/** Differences → the files of a new migration, and many migrations → one. Called by `uwas migration`. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createError } from '../../core/errors.ts'
import { type MigrationFile, readMigrations } from '../migration-files.ts'
import type { Difference } from './diff.ts'

/** A migration that is not written yet. */
export interface Draft {
  /** `0003_authors` */
  readonly name: string
  readonly up: string
  /** Null where there is nothing to revert with. */
  readonly down: string | null
}

/** The next number, and SQL for all differences. Throws UWAS_ERR_MODEL_MIGRATION_FILES. */
export function draftMigration(
  dir: string,
  name: string,
  differences: readonly Difference[],
): Draft {
  const last = readMigrations(dir).at(-1)
  const number = String((last?.number ?? 0) + 1).padStart(4, '0')
  const sorted = [
    ...differences.filter(({ isLast }) => isLast !== true),
    ...differences.filter(({ isLast }) => isLast === true),
  ]
  const up = sorted.flatMap((each) => each.up)
  const down = sorted.flatMap((each) => [...each.down].reverse()).reverse()
  const isEmpty = up.every((line) => line.startsWith('--'))
  const head = isEmpty
    ? '-- Nothing is left to do between the declared tables and the database: write the SQL here.'
    : '-- Drafted from the declared tables and the database: read it before it runs.'
  return {
    name: `${number}_${readName(name)}`,
    up: textOf([head, ...up]),
    down: isEmpty ? null : textOf(down),
  }
}

/**
 * One migration in the place of all up to `to` (by name; default all): databases that have them adopt it, new ones
 * run it. Throws UWAS_ERR_MODEL_MIGRATION_FILES.
 */
export function squashMigrations(
  dir: string,
  name: string,
  to?: string,
): { readonly draft: Draft; readonly replaced: readonly MigrationFile[] } {
  const files = readMigrations(dir)
  const end = to === undefined ? files.length : files.findIndex((each) => each.name === to) + 1
  const replaced = files.slice(0, end)
  const last = replaced.at(-1)
  if (last === undefined || replaced.length < 2) {
    throw wrong(dir, `has no two migrations to squash${to === undefined ? '' : ` up to ${to}`}`)
  }
  const outside = replaced.find(({ isOutside, down }) => isOutside || down?.isOutside === true)
  if (outside !== undefined) {
    throw wrong(
      outside.path,
      'runs in no transaction: squash up to the one before it, or write it without CONCURRENTLY',
    )
  }
  const names = replaced.map((each) => each.name).join(', ')
  const ups = replaced.map((each) => `-- ${each.name}\n${withoutReplaces(each.text).trim()}`)
  const canRevert = replaced.every(({ down }) => down !== null)
  const downs = [...replaced].reverse().map((each) => `-- ${each.name}\n${each.down?.text.trim()}`)
  return {
    draft: {
      name: `${String(last.number).padStart(4, '0')}_${readName(name)}`,
      up: textOf([`-- replaces: ${names}`, ...ups]),
      down: canRevert ? textOf(downs) : null,
    },
    replaced,
  }
}

/** Writes the files, then removes those that they replace; the paths of what is new. */
export function writeDraft(
  dir: string,
  { name, up, down }: Draft,
  replaced: readonly MigrationFile[] = [],
): string[] {
  const files: [string, string][] = [[join(dir, `${name}.sql`), up]]
  if (down !== null) files.push([join(dir, `${name}.down.sql`), down])
  for (const [path, text] of files) writeFileSync(path, text, { flag: 'wx' })
  for (const each of replaced) {
    rmSync(each.path)
    if (each.down !== null) rmSync(each.down.path)
  }
  return files.map(([path]) => path)
}

function readName(name: string): string {
  const read = name
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_')
  if (/^[a-z][a-z0-9_]*$/.test(read) && !read.endsWith('_down')) return read
  throw wrong(
    name,
    'is no name of a migration: letters, digits and _ say what it does, as add_authors',
  )
}

function withoutReplaces(text: string): string {
  return text.replace(/^--\s*replaces:.*\n/gim, '')
}

function textOf(parts: readonly string[]): string {
  return `${parts.join('\n')}\n`
}

function wrong(file: string, problem: string): Error {
  return createError('UWAS_ERR_MODEL_MIGRATION_FILES', { file, problem })
}
