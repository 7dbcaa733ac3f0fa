/**
 * The folder of migrations: `0001_posts.sql`, with `0001_posts.down.sql` where it can be reverted.
 * Called by `migrate.ts`.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createError } from '../core/errors.ts'
import { problemOf } from './failures.ts'
import { commandOf, type SqlStatement, splitSql } from './sql-split.ts'

export interface MigrationFile {
  /** `0001_posts`: what the database keeps. */
  readonly name: string
  readonly number: number
  readonly path: string
  /** SHA-256 in hex, of the text with LF line ends. */
  readonly checksum: string
  readonly statements: readonly SqlStatement[]
  readonly down: { readonly path: string; readonly statements: readonly SqlStatement[] } | null
}

const FILE_NAME = /^(\d{4,10})_([a-z0-9_-]+?)(\.down)?\.sql$/i

/** Each migration is one transaction, which uwas begins and ends. */
const TRANSACTION_COMMAND =
  /^(BEGIN|START TRANSACTION|COMMIT|END|ROLLBACK|ABORT|PREPARE TRANSACTION)\b/

/** All migrations in order of their numbers. Throws UWAS_ERR_MODEL_MIGRATION_FILES. */
export function readMigrations(dir: string): MigrationFile[] {
  const names = listSqlFiles(dir)
  const downs = new Set(names.filter((name) => name.endsWith('.down.sql')))
  const files = names
    .filter((name) => !downs.has(name))
    .map((name) => readMigration(dir, name, downs))
    .sort((a, b) => a.number - b.number)
  for (const [i, file] of files.entries()) {
    const other = files[i - 1]
    if (other?.number === file.number) {
      throw wrong(file.path, `has the same number as ${other.name}.sql; give it the next free one`)
    }
  }
  const [stray] = downs
  if (stray !== undefined) throw wrong(join(dir, stray), 'reverts a migration that is not there')
  return files
}

function listSqlFiles(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => name.endsWith('.sql'))
  } catch (error) {
    throw wrong(dir, `the folder of migrations cannot be read: ${problemOf(error)}`)
  }
}

function readMigration(dir: string, fileName: string, downs: Set<string>): MigrationFile {
  const path = join(dir, fileName)
  const match = FILE_NAME.exec(fileName)
  if (match === null) {
    throw wrong(path, 'is not named like a migration: 0001_what_it_does.sql')
  }
  const name = fileName.slice(0, -'.sql'.length)
  const text = readText(path)
  const checksum = createHash('sha256').update(text).digest('hex')
  const statements = readStatements(path, text)
  return { name, number: Number(match[1]), path, checksum, statements, down: readDown() }

  function readDown(): MigrationFile['down'] {
    if (!downs.delete(`${name}.down.sql`)) return null
    const downPath = join(dir, `${name}.down.sql`)
    return { path: downPath, statements: readStatements(downPath, readText(downPath)) }
  }
}

/** Git may write CRLF on one machine and LF on another. */
function readText(path: string): string {
  return readFileSync(path, 'utf8')
    .replace(/^\ufeff/, '')
    .replaceAll('\r\n', '\n')
}

function readStatements(path: string, text: string): SqlStatement[] {
  const statements = splitSql(text)
  for (const each of statements) {
    const command = TRANSACTION_COMMAND.exec(commandOf(each))?.[0]
    if (command !== undefined) {
      const problem = `${command} cannot stand in a migration: uwas runs each file in a transaction`
      throw wrong(`${path}:${each.line}`, problem)
    }
  }
  return statements
}

function wrong(file: string, problem: string): Error {
  return createError('UWAS_ERR_MODEL_MIGRATION_FILES', { file, problem })
}
