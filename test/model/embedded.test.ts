import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { isAlive } from '../../src/core/process-id.ts'
import { createDatabase } from '../../src/model/database.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/model/embedded.ts'
import { findBinaries } from '../../src/model/embedded-binaries.ts'
import { chooseIdentity } from '../../src/model/embedded-identity.ts'
import { endServer } from '../../src/model/embedded-processes.ts'
import { copyFreshData } from '../support/fresh-data.ts'
import { type KeptLog, keepLog, runSql } from '../support/postgres.ts'

const isRoot = process.getuid?.() === 0

/** Makes and removes folders of files in argv[1], as an initdb beside us does. */
const COME_AND_GO = `
  const { mkdirSync, rmSync, writeFileSync } = require('node:fs')
  const sub = process.argv[1] + '/data.new-1'
  for (let i = 0; ; i++) {
    mkdirSync(sub + '/base', { recursive: true })
    for (const name of 'abcdefgh') writeFileSync(sub + '/base/' + name, '')
    if (i === 0) console.log('ready')
    rmSync(sub, { recursive: true })
  }`

function folder(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'uwas-embedded-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** One whose server has been made. */
async function madeFolder(t: Test): Promise<string> {
  const dir = folder(t)
  await copyFreshData(dir)
  return dir
}

async function start(
  t: Test,
  dir: string,
  log: KeptLog = keepLog(),
  unsafeFast = true,
): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dir, log, unsafeFast })
  t.teardown(() => server.stop())
  return server
}

async function query(server: EmbeddedPostgres, sql: string): Promise<(string | null)[][]> {
  const db = createDatabase({ url: server.url, log: keepLog() })
  try {
    return await runSql(db, sql)
  } finally {
    await db.close()
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await condition()) return
    await sleep(50)
  }
  throw new Error('it did not come to pass')
}

/** Another uwas process; its first line of output says what it got. */
async function startChild(
  t: Test,
  dir: string,
  more: readonly string[] = [],
): Promise<{ child: ChildProcess; pid: number; shared: boolean }> {
  const script = join(import.meta.dirname, '../support/embedded-child.ts')
  const child = spawn(process.execPath, ['--import=tsx', script, dir, ...more], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const line = await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then((how) => Promise.reject(new Error(`it ended first: ${how}`))),
  ])
  return { child, ...(JSON.parse(String(line)) as { pid: number; shared: boolean }) }
}

t.test('makes a durable UTF-8 cluster on a private socket, and keeps its data', async (t) => {
  const dir = join(folder(t), 'sub', 'postgres')
  const log = keepLog()
  const first = await startEmbeddedPostgres({ dir, log })
  const names = ['fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums']
  const settings = names.map((name) => `current_setting('${name}')`).join(',')
  t.same(await query(first, `select ${settings}`), [['on', 'on', 'on', 'on']])
  t.same(
    await query(
      first,
      "select current_setting('listen_addresses'), current_setting('server_encoding')",
    ),
    [['', 'UTF8']],
  )
  t.same(await query(first, "select upper('éß가'), 'ä' > 'z'"), [['Éß가', 't']])
  t.equal(statSync(dir).mode & 0o777, 0o700)
  t.ok(existsSync(join(dir, '.s.PGSQL.5432')))
  t.match(first, { shared: false })
  await query(first, 'create table kept (x text); insert into kept values (1)')
  await first.stop()
  t.notOk(isAlive(first.pid))
  const second = await start(t, dir)
  t.equal(second.url, first.url)
  t.same(await query(second, 'select * from kept'), [['1']])
  t.same(log.lines, [])
})

t.test('runs in a session of its own, so that Ctrl-C is not for it', async (t) => {
  const server = await start(t, await madeFolder(t))
  const stat = readFileSync(`/proc/${server.pid}/stat`, 'latin1')
  const [, , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  t.equal(Number(session), server.pid)
})

t.test(
  'a server that a killed uwas left behind is taken over and stopped in the end',
  async (t) => {
    const dir = await madeFolder(t)
    const { child, pid, shared } = await startChild(t, dir)
    t.equal(shared, false)
    child.kill('SIGKILL')
    await once(child, 'exit')
    t.ok(isAlive(pid))
    const log = keepLog()
    const server = await start(t, dir, log)
    t.match(server, { pid, shared: false })
    t.match(log.lines, [
      `uwas: took over the embedded PostgreSQL that was still running (pid ${pid})`,
    ])
    t.same(await query(server, 'select 1'), [['1']])
    await server.stop()
    t.notOk(isAlive(pid))
  },
)

t.test('a server left behind that does not answer is ended and started anew', async (t) => {
  const dir = await madeFolder(t)
  const { child, pid } = await startChild(t, dir)
  child.kill('SIGKILL')
  await once(child, 'exit')
  process.kill(pid, 'SIGSTOP')
  const log = keepLog()
  const server = await startEmbeddedPostgres({ dir, log, unsafeFast: true, answerWithinMs: 300 })
  t.teardown(() => server.stop())
  t.not(server.pid, pid)
  t.match(log.lines, [/the PostgreSQL left behind \(pid \d+\) does not answer; ending it/])
  t.same(await query(server, 'select 1'), [['1']])
})

t.test(
  'two processes share one server; when its owner stops it, the other starts it',
  async (t) => {
    const dir = await madeFolder(t)
    const { child, pid } = await startChild(t, dir)
    const log = keepLog()
    const server = await start(t, dir, log)
    t.match(server, { pid, shared: true })
    child.stdin?.write('stop\n')
    await once(child, 'exit')
    t.notOk(isAlive(pid), 'the owner stopped it')
    await until(() => server.pid !== pid && isAlive(server.pid))
    await until(() => !server.shared)
    t.same(await query(server, 'select 1'), [['1']])
    t.match(log.lines, [/has ended; starting it again/])
  },
)

t.test('a process that only shares the server leaves it running', async (t) => {
  const dir = await madeFolder(t)
  const owner = await start(t, dir)
  const { child, shared } = await startChild(t, dir)
  t.equal(shared, true)
  child.stdin?.write('stop\n')
  await once(child, 'exit')
  t.same(await query(owner, 'select 1'), [['1']])
})

t.test('processes that start at once on a new folder end up with one server', async (t) => {
  const dir = folder(t)
  const others = [startChild(t, dir), startChild(t, dir)]
  const mine = await start(t, dir)
  const pids = [mine.pid, ...(await Promise.all(others)).map(({ pid }) => pid)]
  t.equal(new Set(pids).size, 1)
  t.same(await query(mine, 'select 1'), [['1']])
  for (const { child } of await Promise.all(others)) {
    child.stdin?.write('stop\n')
    await once(child, 'exit')
  }
})

t.test(
  'data of a killed server, and a pid file that names a stranger, are no hindrance',
  async (t) => {
    const dir = await madeFolder(t)
    const server = await start(t, dir, keepLog(), false)
    await query(server, 'create table kept (x int); insert into kept values (5)')
    const { pid } = server
    process.kill(pid, 'SIGKILL')
    await until(() => server.pid !== pid && isAlive(server.pid))
    t.same(await query(server, 'select * from kept'), [['5']])
    await server.stop()
    // As after a restart of the machine: the file is there, and its pid is now something else's.
    const stale = [process.pid, join(dir, 'data'), 1, 5432, dir, '', '  1  1', 'ready   ', '']
    writeFileSync(join(dir, 'data', 'postmaster.pid'), stale.join('\n'))
    const again = await start(t, dir)
    t.same(await query(again, 'select * from kept'), [['5']])
  },
)

t.test('an initdb that was cut short is done again', async (t) => {
  const dir = folder(t)
  const gone = spawn(process.execPath, ['-e', '0'])
  await once(gone, 'exit')
  const leftover = join(dir, `data.new-${gone.pid}`)
  mkdirSync(leftover)
  writeFileSync(join(leftover, 'PG_VERSION'), '18\n')
  const server = await start(t, dir)
  t.notOk(existsSync(leftover))
  t.same(await query(server, 'select 1'), [['1']])
})

t.test('data of another version are left alone, with advice', async (t) => {
  const dir = await madeFolder(t)
  const server = await start(t, dir)
  await server.stop()
  writeFileSync(join(dir, 'data', 'PG_VERSION'), '15\n')
  const before = readFileSync(join(dir, 'data', 'global', 'pg_control'))
  await t.rejects(startEmbeddedPostgres({ dir, log: keepLog() }), {
    code: 'UWAS_ERR_MODEL_EMBEDDED_VERSION',
    message: /was written by PostgreSQL 15, but the embedded one is 18; nothing was changed. Move/,
  })
  t.same(readFileSync(join(dir, 'data', 'global', 'pg_control')), before)
})

t.test('a folder that is no data folder, or cannot be made, is told', async (t) => {
  const dir = folder(t)
  mkdirSync(join(dir, 'data'))
  await t.rejects(startEmbeddedPostgres({ dir, log: keepLog() }), {
    code: 'UWAS_ERR_MODEL_EMBEDDED_START',
    message: /data is no data folder of PostgreSQL: it has no PG_VERSION; move it away/,
  })
  writeFileSync(join(dir, 'file'), '')
  await t.rejects(startEmbeddedPostgres({ dir: join(dir, 'file', 'pg'), log: keepLog() }), {
    code: 'UWAS_ERR_MODEL_EMBEDDED_ACCESS',
    message: /^the embedded PostgreSQL cannot use .*: ENOTDIR/,
  })
})

t.test('a server that does not start says why', async (t) => {
  const dir = await madeFolder(t)
  const server = await start(t, dir)
  await server.stop()
  truncateSync(join(dir, 'data', 'global', 'pg_control'), 10)
  await t.rejects(startEmbeddedPostgres({ dir, log: keepLog() }), {
    code: 'UWAS_ERR_MODEL_EMBEDDED_START',
    message: /did not start: it ended with .*; .*server\.log says:\n.*pg_control/s,
  })
})

t.test('a path too long for a socket has it in a private temporary folder', async (t) => {
  const dir = join(folder(t), '긴 이름, "quoted"'.repeat(6))
  const server = await start(t, dir)
  const socketFolder = new URL(server.url).searchParams.get('host') ?? ''
  t.ok(socketFolder.startsWith(join(tmpdir(), 'uwas-')))
  t.teardown(() => rmSync(socketFolder, { recursive: true, force: true }))
  t.equal(statSync(socketFolder).mode & 0o777, 0o700)
  t.same(await query(server, 'select 1'), [['1']])
})

t.test('a folder with spaces, commas and quotes in its name works', async (t) => {
  const server = await start(t, join(folder(t), `a, b "c" 'd' 한 %2F`))
  t.same(await query(server, 'select 1'), [['1']])
})

t.test('the log of the server stays bounded', async (t) => {
  const dir = await madeFolder(t)
  writeFileSync(join(dir, 'server.log'), Buffer.alloc(11 * 1024 * 1024, 120))
  await start(t, dir)
  t.ok(statSync(join(dir, 'server.log')).size < 100_000)
})

t.test('as root it works in a folder that only root can reach', { skip: !isRoot }, async (t) => {
  const dir = folder(t)
  t.equal(statSync(dir).mode & 0o777, 0o700)
  const server = await start(t, join(dir, 'postgres'))
  t.same(await query(server, 'select 1'), [['1']])
  t.equal(
    statSync(join(dir, 'postgres', 'data')).uid,
    0,
    'in a user namespace: root keeps its files',
  )
})

t.test('as root without user namespaces it runs as another user', { skip: !isRoot }, async (t) => {
  const PATH = process.env['PATH'] ?? ''
  t.teardown(() => {
    process.env['PATH'] = PATH
  })
  process.env['PATH'] = '/nowhere'
  const closed = folder(t)
  await t.rejects(startEmbeddedPostgres({ dir: join(closed, 'postgres'), log: keepLog() }), {
    code: 'UWAS_ERR_MODEL_EMBEDDED_USER',
    message:
      /no other way to run it in .* works here:\n {2}as root in a user namespace: spawn unshare ENOENT\n.*Run uwas as an ordinary user/s,
  })
  const open = mkdtempSync('/var/tmp/uwas-embedded-')
  t.teardown(() => rmSync(open, { recursive: true, force: true }))
  chmodSync(open, 0o755)
  const dir = join(open, 'postgres')
  const server = await start(t, dir)
  t.not(statSync(`/proc/${server.pid}`).uid, 0)
  await query(server, 'create table kept (x int)')
  await server.stop()
  process.env['PATH'] = PATH
  const again = await start(t, dir)
  t.not(statSync(`/proc/${again.pid}`).uid, 0, 'the user who owns the data keeps them')
  t.same(await query(again, 'select * from kept'), [])
})

t.test('as root it gives a folder in which files come and go', { skip: !isRoot }, async (t) => {
  const dir = folder(t)
  const { postgres } = await findBinaries()
  const busy = spawn(process.execPath, ['-e', COME_AND_GO, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => busy.kill('SIGKILL'))
  await once(busy.stdout, 'data')
  for (let i = 0; i < 20; i++) t.match(await chooseIdentity(dir, postgres), { uid: Number })
})

t.test('ending a process that is gone already is nothing', async (t) => {
  const gone = spawn(process.execPath, ['-e', '0'])
  await once(gone, 'exit')
  await endServer(gone.pid ?? 0)
  t.notOk(isAlive(gone.pid ?? 0))
})

t.test(
  'a server is left to the process that inherits it, whichever way its own ends',
  async (t) => {
    const dir = await madeFolder(t)
    const { child, pid } = await startChild(t, dir)
    const heir = await startEmbeddedPostgres({ dir, log: keepLog(), inherits: true })
    t.teardown(() => heir.stop())
    t.match(heir, { pid, shared: true, dir: realpathSync(dir) })
    child.kill('SIGKILL')
    await once(child, 'exit')
    t.equal(heir.shared, false, 'from that moment on')
    const next = await startChild(t, dir, ['inherits'])
    t.match(next, { pid, shared: true })
    t.equal(await heir.release(), true)
    await heir.stop()
    t.ok(isAlive(pid), 'it is the other one now that ends it')
    next.child.stdin?.write('end')
    await once(next.child, 'exit')
    t.notOk(isAlive(pid))
  },
)

t.test('a server that nobody inherits is not released', async (t) => {
  const server = await start(t, await madeFolder(t))
  t.equal(await server.release(), false)
  await server.stop()
  t.notOk(isAlive(server.pid))
})
