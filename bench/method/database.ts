/** The database of the views: the PostgreSQL that uwas brings along, on the serving core, with the tables of `scenarios/rows.ts`. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { createLog } from '../../src/core/log.ts'
import { createDatabase } from '../../src/model/database.ts'
import { startEmbeddedPostgres } from '../../src/model/embedded.ts'
import { parseDatabaseUrl } from '../../src/model/url.ts'
import {
  ARTICLES,
  AUTHORS,
  authorName,
  authorOf,
  FORTUNES,
  numberOf,
  summaryOf,
  titleOf,
  WORLDS,
} from '../scenarios/rows.ts'
import { listOf } from './cores.ts'
import { childrenOf, familyMs } from './cpu.ts'

export type CountedTable = 'world' | 'fortune' | 'article'

/** Where rivals find the database. */
export interface DatabasePlace {
  readonly url: string
  /** Folder of the unix socket. */
  readonly folder: string
  readonly port: number
  readonly user: string
  readonly name: string
}

/** A rival's own: what PostgreSQL counts there is its alone. */
export interface OwnDatabase {
  readonly place: DatabasePlace
  /** Scans of the table so far, by PostgreSQL's books; whole when all others have disconnected. */
  scans(table: CountedTable): Promise<number>
  /** Rows of the table changed so far, likewise. */
  updates(table: CountedTable): Promise<number>
  /** The first cell of the last statement's answer. */
  ask(sql: string): Promise<string | null | undefined>
}

export interface BenchServer {
  /** Milliseconds that PostgreSQL has run, those of its processes that have ended included. */
  cpuMs(): number
  version(): Promise<string>
  /** A new database with the tables. */
  create(): Promise<OwnDatabase>
  stop(): Promise<void>
}

/** Starts PostgreSQL in `dir`, on these cores. */
export async function startServer(dir: string, cores: readonly number[]): Promise<BenchServer> {
  const log = createLog(() => {})
  const server = await startEmbeddedPostgres({ dir: join(dir, 'postgres'), log, unsafeFast: true })
  for (const pid of [server.pid, ...childrenOf(server.pid)]) {
    const args = ['-a', '-c', '-p', listOf(cores), String(pid)]
    execFileSync('taskset', args, { stdio: 'ignore' })
  }
  let created = 0
  return {
    cpuMs: () => familyMs(server.pid),
    version: async () => (await ask(server.url, 'show server_version')) ?? 'unknown',
    async create() {
      const name = `bench_${++created}`
      const url = server.urlOf(name)
      await ask(server.url, `create database ${name}`)
      await ask(url, schema())
      const { host, port, user } = parseDatabaseUrl(url)
      const count = async (what: string, table: CountedTable) =>
        Number(await ask(url, `select ${what} from pg_stat_user_tables where relname = '${table}'`))
      return {
        place: { url, folder: host, port, user, name },
        scans: (table) => count('seq_scan + coalesce(idx_scan, 0)', table),
        updates: (table) => count('n_tup_upd', table),
        ask: (sql) => ask(url, sql),
      }
    },
    stop: () => server.stop(),
  }
}

/** The first cell of the last statement's answer. */
async function ask(url: string, sql: string): Promise<string | null | undefined> {
  const database = createDatabase({ url, log: createLog(() => {}) })
  const connection = await database.openSeparate()
  try {
    return (await connection.simple(sql)).rows[0]?.[0]
  } finally {
    await connection.close(1000)
    await database.close()
  }
}

/** The tables and their rows, as SQL. */
export function schema(): string {
  const worlds = rows(WORLDS, (id) => [id, numberOf(id)])
  const fortunes = rows(FORTUNES.length, (id) => [id, FORTUNES[id - 1] ?? ''])
  const authors = rows(AUTHORS, (id) => [id, authorName(id)])
  const articles = rows(ARTICLES, (id) => [id, authorOf(id), titleOf(id), summaryOf(id)])
  return `
create table world (id integer primary key, randomnumber integer not null);
insert into world values ${worlds};
create table fortune (id integer primary key, message varchar(2048) not null);
insert into fortune values ${fortunes};
create table author (id integer primary key, name text not null);
insert into author values ${authors};
create table article (
  id integer primary key, author_id integer not null references author, title text not null, summary text not null);
insert into article values ${articles};
analyze;
`
}

/** Values of the rows with the ids from 1 to `count`, as SQL. */
function rows(count: number, of: (id: number) => readonly (string | number)[]): string {
  const literal = (value: string | number): string =>
    typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`
  return Array.from(
    { length: count },
    (_, i) =>
      `(${of(i + 1)
        .map(literal)
        .join(', ')})`,
  ).join(', ')
}
