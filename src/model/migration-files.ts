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
  readonly text: string
  readonly statements: readonly SqlStatement[]
  /** It holds a statement that PostgreSQL runs in no transaction. */
  readonly isOutside: boolean
  /** Names of the migrations whose place it has taken: `-- replaces: 0001_posts, 0002_likes`. */
  readonly replaces: readonly string[]
  readonly down: MigrationPart | null
}

/** A file that reverts a migration. */
export type MigrationPart = Pick<MigrationFile, 'path' | 'text' | 'statements' | 'isOutside'>

const FILE_NAME = /^(\d{4,10})_([a-z0-9_-]+?)(\.down)?\.sql$/i

/** Each migration is one transaction, which uwas begins and ends. */
const TRANSACTION_COMMAND =
  /^(BEGIN|START TRANSACTION|COMMIT|END|ROLLBACK|ABORT|PREPARE TRANSACTION)\b/

/** What PostgreSQL refuses inside a transaction. */
const OUTSIDE =
  /^(?:create\s+(?:unique\s+)?index\s+concurrently|drop\s+index\s+concurrently|reindex\b.*\bconcurrently|alter\s+table\b.*\bdetach\s+partition\b.*\bconcurrently|vacuum|alter\s+system|reindex\s+(?:database|system))\b/is

const REPLACES = /^--\s*replaces:(.*)$/gim

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
  checkReplaced(files)
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
  const part = readPart(path)
  const checksum = createHash('sha256').update(part.text).digest('hex')
  const replaces = [...part.text.matchAll(REPLACES)]
    .flatMap(([, names = '']) => names.split(','))
    .map((each) => each.trim())
    .filter((each) => each !== '')
  const number = Number(match[1])
  const hasDown = downs.delete(`${name}.down.sql`)
  const down = hasDown ? readPart(join(dir, `${name}.down.sql`)) : null
  return { ...part, name, number, checksum, replaces, down }
}

function readPart(path: string): MigrationPart {
  const text = readText(path)
  const statements = readStatements(path, text)
  const outside = statements.find((each) => OUTSIDE.test(each.text))
  if (outside !== undefined && statements.length > 1) {
    const problem = `${commandOf(outside)} … runs in no transaction: it must be the only statement of its file`
    throw wrong(`${path}:${outside.line}`, problem)
  }
  return { path, text, statements, isOutside: outside !== undefined }
}

function checkReplaced(files: readonly MigrationFile[]): void {
  for (const { path, replaces } of files) {
    const still = files.find(({ name }) => replaces.includes(name))
    if (still !== undefined) throw wrong(path, `replaces ${still.name}, whose file is still there`)
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
