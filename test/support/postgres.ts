/**
 * A real PostgreSQL for tests: one embedded server a test file, started when first asked for, in a
 * temporary folder that goes with it. Every caller gets a database of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createLog, type Log } from '../../src/core/log.ts'
import { createDatabase, type Database, type DatabaseOptions } from '../../src/model/database.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/model/embedded.ts'
import { copyFreshData } from './fresh-data.ts'

/** A log that keeps its lines instead of printing them. */
export interface KeptLog extends Log {
  readonly lines: string[]
}

export function keepLog(): KeptLog {
  const lines: string[] = []
  return { ...createLog((line) => lines.push(line)), lines }
}

let server: Promise<EmbeddedPostgres> | undefined
let databases = 0

/** The file's server; it gives up durability for speed. Stopped when the file's tests have ended. */
export function testServer(): Promise<EmbeddedPostgres> {
  server ??= start()
  return server
}

/** The URL of a new, empty database. */
export async function testDatabaseUrl(): Promise<string> {
  const { url, urlOf } = await testServer().then((each) => ({
    url: each.url,
    urlOf: each.urlOf.bind(each),
  }))
  const name = `test_${++databases}`
  const db = createDatabase({ url, log: keepLog() })
  const connection = await db.openSeparate()
  await connection.simple(`create database ${name}`)
  await connection.close(1000)
  await db.close()
  return urlOf(name)
}

/** Waits until it is so, for a bounded time. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; !(await isSo()); attempt++) {
    if (attempt === 600) throw new Error('it did not become so within 15 s')
    await sleep(25)
  }
}

/** A Database on a new, empty database with `schema` run in it; closed when `test` ends. */
export async function testDatabase(
  test: Test,
  schema = '',
  options: Partial<DatabaseOptions> = {},
): Promise<Database> {
  const db = createDatabase({ url: await testDatabaseUrl(), log: keepLog(), ...options })
  test.teardown(() => db.close())
  if (schema !== '') await runSql(db, schema)
  return db
}

/** Runs SQL text outside of the pool; the rows of its last statement as text. */
export async function runSql(db: Database, sql: string): Promise<(string | null)[][]> {
  const connection = await db.openSeparate()
  try {
    return (await connection.simple(sql)).rows.map((row) => [...row])
  } finally {
    await connection.close(1000)
  }
}

async function start(): Promise<EmbeddedPostgres> {
  const dir = mkdtempSync(join(tmpdir(), 'uwas-test-'))
  await copyFreshData(dir)
  const started = await startEmbeddedPostgres({ dir, log: keepLog(), unsafeFast: true })
  t.teardown(async () => {
    await started.stop()
    rmSync(dir, { recursive: true, force: true })
  })
  return started
}
