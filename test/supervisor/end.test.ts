import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { readVersion } from '../../src/commands/version.ts'
import { createLog } from '../../src/core/log.ts'
import { ConnectionRows } from '../../src/supervisor/connection-rows.ts'
import { reloadAndTell } from '../../src/supervisor/reload-and-tell.ts'
import { ServiceManager } from '../../src/supervisor/service-manager.ts'
import { Supervisor } from '../../src/supervisor/supervisor.ts'
import { folder, launch, serve } from '../support/binary.ts'
import { copyFreshData } from '../support/fresh-data.ts'
import { ROOT } from '../support/sources.ts'
import {
  answering,
  ask,
  childrenOf,
  eventually,
  runs,
  skipWithoutGate,
  superviseSite,
} from '../support/supervised.ts'

function connectionError(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(undefined)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
}

function readPostmaster(root: string): number {
  return Number.parseInt(readFileSync(join(root, '.uwas/postgres/data/postmaster.pid'), 'utf8'), 10)
}

t.test(
  'SIGTERM lets what has begun end on all workers, refuses what is new, leaves nothing',
  async (t) => {
    const { child, url, port, printed, finished } = await superviseSite(t, 'workers: 2')
    await answering(url, 2)
    const pids = childrenOf(child.pid ?? 0)
    const slow = [ask(`${url}/slow`), ask(`${url}/slow`), ask(`${url}/slow`)]
    await ask(url)
    child.kill('SIGTERM')
    await printed(/SIGTERM: finishing what has begun/)
    t.equal(await connectionError(port), 'ECONNREFUSED')
    for (const pid of await Promise.all(slow)) t.ok(pids.includes(pid))
    t.match(await finished, { code: 0, signal: null })
    t.notOk(pids.some(runs))
  },
)

t.test('a second signal ends all at once', async (t) => {
  const { child, url, port, printed, finished } = await superviseSite(
    t,
    'workers: { count: 2, graceMs: 60_000 }, limits: { maxViewSeconds: 0 }',
  )
  await answering(url, 2)
  const pids = childrenOf(child.pid ?? 0)
  const spinning = connect(port, '127.0.0.1')
  t.teardown(() => spinning.destroy())
  spinning.on('error', () => {})
  spinning.write('GET /spin HTTP/1.1\r\nHost: x\r\n\r\n')
  await printed(/spinning/)
  child.kill('SIGINT')
  await printed(/SIGINT: finishing/)
  child.kill('SIGINT')
  await printed(/second signal \(SIGINT\): exiting at once/)
  t.equal((await finished).code, 1)
  await eventually('no worker runs', () => !pids.some(runs))
})

t.test('reloads that are asked for before and while it stops keep nothing alive', async (t) => {
  const { child, url, printed, stderr, finished } = await superviseSite(t, 'workers: 2')
  await answering(url, 2)
  const slow = ask(`${url}/slow`)
  await ask(url)
  child.kill('SIGHUP')
  await printed(/SIGHUP: starting/)
  child.kill('SIGHUP')
  await eventually('both are heard', () => stderr().split('SIGHUP: starting').length === 3)
  const pids = childrenOf(child.pid ?? 0)
  child.kill('SIGTERM')
  await printed(/SIGTERM: finishing/)
  child.kill('SIGHUP')
  t.ok((await slow) > 0)
  t.match(await finished, { code: 0, signal: null })
  t.notOk(pids.some(runs))
  t.notMatch(stderr(), /not reloaded/)
})

t.test('a supervisor that stops does not reload', async (t) => {
  const log = createLog(() => {})
  const supervisor = new Supervisor({
    command: { file: '/bin/false', args: [], version: '0', user: undefined },
    given: { activated: [], handed: [], status: null, postgresDir: null, ticketSeed: null },
    predecessor: null,
    gate: null,
    rows: new ConnectionRows(null, null),
    log,
    startPostgres: () => Promise.reject(new Error('none')),
    onSettings: () => ({ isPatient: false }),
    onPreparing: () => {},
    openStatus: () => Promise.reject(new Error('none')),
  })
  await supervisor.stop()
  const code = 'UWAS_ERR_SUPERVISOR_STOPPING'
  await t.rejects(supervisor.reload(), { code, message: 'the server is stopping' })
  await t.rejects(reloadAndTell(supervisor, log, new ServiceManager({}, null, log)), { code })
  t.equal(supervisor.crew.slots.length, 0)
})

t.test('a worker ends whose supervisor has gone before it could listen', async (t) => {
  const root = folder(t, {
    'uwas.config.ts': `setInterval(() => {}, 1000)\nexport const config = { static: 'public' }`,
    'public/a.txt': 'a',
  })
  const script = `
    const { fork } = require('node:child_process')
    const env = { ...process.env, UWAS_WORKER: process.argv[2] }
    process.stdout.write(String(fork(process.argv[1], ['serve'], { env, stdio: 'ignore' }).pid))
    process.kill(process.pid, 'SIGKILL')`
  const args = ['-e', script, join(ROOT, 'dist/main.js'), readVersion()]
  const { stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  const pid = Number(stdout)
  t.ok(pid > 0)
  await eventually('it has ended', () => !runs(pid))
})

t.test('workers end with a supervisor that is killed, after what they have begun', async (t) => {
  const { child, url } = await superviseSite(t, 'workers: 2')
  await answering(url, 2)
  const pids = childrenOf(child.pid ?? 0)
  const slow = ask(`${url}/slow`)
  await ask(url)
  child.kill('SIGKILL')
  t.ok(pids.includes(await slow))
  await eventually('no worker runs', () => !pids.some(runs))
})

t.test('a supervisor that is killed leaves no PostgreSQL behind', async (t) => {
  const root = folder(t, {
    'uwas.config.ts':
      "export const config = { migrations: 'migrations', database: 'embedded', static: 'public', workers: 2 }",
    'migrations/0001_a.sql': 'create table a (x text);',
    'public/a.txt': 'a',
  })
  await copyFreshData(join(root, '.uwas/postgres'))
  const { child, stderr } = await serve(t, ['serve', '--port', '0'], { cwd: root })
  t.equal(stderr().split('applied migration').length, 2, 'migrations run once')
  const postmaster = readPostmaster(root)
  t.ok(runs(postmaster))
  t.ok(childrenOf(child.pid ?? 0).length > 0)
  child.kill('SIGKILL')
  await eventually('PostgreSQL has ended', () => !runs(postmaster))
})

t.test('nor does one that is killed while its first worker migrates', async (t) => {
  const root = folder(t, {
    'uwas.config.ts':
      "export const config = { migrations: 'migrations', database: 'embedded', static: 'public', workers: 2 }",
    'migrations/0001_a.sql': 'select pg_sleep(2); create table a (x text);',
    'public/a.txt': 'a',
  })
  await copyFreshData(join(root, '.uwas/postgres'))
  const { child } = launch(t, ['serve', '--port', '0'], { cwd: root })
  await eventually('PostgreSQL is looked after', () =>
    existsSync(join(root, '.uwas/postgres/owner.json')),
  )
  const pids = [readPostmaster(root), ...childrenOf(child.pid ?? 0)]
  child.kill('SIGKILL')
  await eventually('nothing runs', () => !pids.some(runs))
})

t.test(
  'a worker in a loop without end does not outlive a supervisor that is killed',
  { skip: skipWithoutGate },
  async (t) => {
    const { child, url, printed } = await superviseSite(t, 'workers: { count: 1, graceMs: 0 }')
    const pids = childrenOf(child.pid ?? 0)
    const spinning = fetch(`${url}/spin`).catch(() => undefined)
    await printed(/spinning/)
    child.kill('SIGKILL')
    await eventually('it has ended', () => !pids.some(runs))
    await spinning
  },
)
