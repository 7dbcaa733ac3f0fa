/** The database of the views: the PostgreSQL that uwas brings along, on the serving core, with TechEmpower's tables. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLog } from '../../src/core/log.ts'
import { createDatabase } from '../../src/model/database.ts'
import { startEmbeddedPostgres } from '../../src/model/embedded.ts'
import { parseDatabaseUrl } from '../../src/model/url.ts'
import { FORTUNES, numberOf, WORLDS } from '../scenarios/rows.ts'

export type ReadTable = 'world' | 'fortune'

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
  scans(table: ReadTable): Promise<number>
}

export interface BenchServer {
  /** All of PostgreSQL's processes as they are now. */
  pids(): number[]
  /** A new database with the tables. */
  create(): Promise<OwnDatabase>
  stop(): Promise<void>
}

/** Starts PostgreSQL in `dir`, on one core. */
export async function startServer(dir: string, cpu: number): Promise<BenchServer> {
  const log = createLog(() => {})
  const server = await startEmbeddedPostgres({ dir: join(dir, 'postgres'), log, unsafeFast: true })
  const pids = () => [server.pid, ...childrenOf(server.pid)]
  for (const pid of pids()) {
    const args = ['-a', '-c', '-p', String(cpu), String(pid)]
    execFileSync('taskset', args, { stdio: 'ignore' })
  }
  let created = 0
  return {
    pids,
    async create() {
      const name = `bench_${++created}`
      const url = server.urlOf(name)
      await ask(server.url, `create database ${name}`)
      await ask(url, schema())
      const { host, port, user } = parseDatabaseUrl(url)
      const scans = 'select seq_scan + coalesce(idx_scan, 0) from pg_stat_user_tables'
      return {
        place: { url, folder: host, port, user, name },
        scans: async (table) => Number(await ask(url, `${scans} where relname = '${table}'`)),
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

/** Every number follows from its id, so that any answer can be checked. */
function schema(): string {
  const worlds = Array.from({ length: WORLDS }, (_, i) => `(${i + 1}, ${numberOf(i + 1)})`)
  const fortunes = FORTUNES.map((message, i) => `(${i + 1}, '${message.replaceAll("'", "''")}')`)
  return `
create table world (id integer primary key, randomnumber integer not null);
insert into world values ${worlds.join(', ')};
create table fortune (id integer primary key, message varchar(2048) not null);
insert into fortune values ${fortunes.join(', ')};
analyze;
`
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.trim().split(' ').filter(Boolean).map(Number)
}
