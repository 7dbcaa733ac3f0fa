/**
 * Debian's PgBouncer in transaction mode, before a database of the file's PostgreSQL: started, stopped and started
 * again by a test. It refuses to be root, so it runs as whom PostgreSQL does.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { chooseIdentity } from '../../src/model/embedded-identity.ts'
import { parseDatabaseUrl } from '../../src/model/url.ts'
import { testDatabaseUrl, until } from './postgres.ts'

export interface PgBouncer {
  /** Of the database, through the pooler. */
  readonly url: string
  /** Of the database, around it. */
  readonly directUrl: string
  start(): Promise<void>
  /** Ends it at once, with all connections. */
  stop(): Promise<void>
}

const PORT = 6432
/** Backends for each database: fewer than the tests' connections, so that sessions are shared. */
const POOL_SIZE = 3

/** Where it is; undefined where it is not installed. */
export function pgbouncerPath(): string | undefined {
  // Debian puts it where only root's PATH leads to.
  return [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin']
    .map((folder) => join(folder, 'pgbouncer'))
    .find((path) => existsSync(path))
}

/** What to tell where it is not. */
export const HOW_TO_GET_IT = 'PgBouncer is not here; on Debian: apt-get install pgbouncer'

/** Started, before a new, empty database; ended with the test. */
export async function startPgBouncer(test: Test): Promise<PgBouncer> {
  const program = pgbouncerPath()
  if (program === undefined) throw new Error(HOW_TO_GET_IT)
  const directUrl = await testDatabaseUrl()
  const { host, port, user, database } = parseDatabaseUrl(directUrl)
  const dir = mkdtempSync(join(tmpdir(), 'uwas-bouncer-'))
  const identity = await chooseIdentity(dir, program)
  const file = join(dir, 'pgbouncer.ini')
  writeFileSync(
    file,
    `[databases]
* = host=${host} port=${port} user=${user}
[pgbouncer]
listen_port = ${PORT}
unix_socket_dir = ${dir}
auth_type = any
pool_mode = transaction
default_pool_size = ${POOL_SIZE}
max_client_conn = 100
`,
  )
  chownSync(file, identity.uid, identity.gid)
  const { file: command, args, options } = identity.wrap(program, ['--quiet', file])
  let child: ChildProcess | undefined
  const start = async () => {
    child = spawn(command, args, { ...options, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr?.on('data', (chunk) => (said += String(chunk)))
    const { exitCode } = child
    await until(() => {
      if (exitCode !== null || child?.exitCode != null) throw new Error(`pgbouncer ended: ${said}`)
      return existsSync(join(dir, `.s.PGSQL.${PORT}`))
    })
  }
  const stop = async () => {
    const running = child
    child = undefined
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const ended = new Promise<void>((resolve) => running.once('exit', () => resolve()))
    running.kill('SIGKILL')
    await ended
    // Its own way out takes the socket away; one that is left would look like a running server.
    rmSync(join(dir, `.s.PGSQL.${PORT}`), { force: true })
    rmSync(join(dir, `.s.PGSQL.${PORT}.lock`), { force: true })
  }
  test.teardown(async () => {
    await stop()
    rmSync(dir, { recursive: true, force: true })
  })
  await start()
  const url = `postgres://${user}@localhost:${PORT}/${database}?host=${encodeURIComponent(dir)}`
  return { url, directUrl, start, stop }
}

/** Its version: `[1, 18]`. */
export function pgbouncerVersion(): readonly [number, number] {
  const text = execFileSync(pgbouncerPath() ?? 'pgbouncer', ['--version'], { encoding: 'utf8' })
  const [, major, minor] = /PgBouncer (\d+)\.(\d+)/.exec(text) ?? []
  return [Number(major), Number(minor)]
}
