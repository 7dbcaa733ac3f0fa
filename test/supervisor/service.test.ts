/** What a service manager gives and is told: sockets, sd_notify(3), a user for the workers. */
import { spawnSync } from 'node:child_process'
import { chownSync, closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { createLog } from '../../src/core/log.ts'
import { loadNative } from '../../src/native/load.ts'
import { ServiceManager } from '../../src/supervisor/service-manager.ts'
import { activate, hears, managerAt } from '../support/activated.ts'
import { folder, put, run, serve } from '../support/binary.ts'
import {
  answering,
  childrenOf,
  configuration,
  eventually,
  SITE,
  skipWithoutGate,
} from '../support/supervised.ts'

const skipWithoutSocat =
  spawnSync('socat', ['-V']).status !== 0 && 'socat, which stands in for systemd, is not there'
const skipUnlessRoot = process.getuid?.() !== 0 && 'only root has workers run as others'

t.test(
  'a socket that it is started with is served by all workers, before and after a restart',
  { skip: skipWithoutGate },
  async (t) => {
    const { gate } = loadNative()
    const { fd, port } = gate?.listen({ host: '127.0.0.1', port: 0 }) ?? { fd: -1, port: 0 }
    t.teardown(() => closeSync(fd))
    const root = folder(t, { 'uwas.config.ts': configuration('workers: 2'), 'urls.ts': SITE })
    const url = `http://127.0.0.1:${port}`
    const first = activate(t, [fd], ['--port', '1'], root)
    t.match(await hears(first, /serving/), `on http://localhost:${port}`)
    await answering(url, 2)
    first.kill('SIGTERM')
    await new Promise((resolve) => first.once('exit', resolve))
    const waiting = fetch(url)
    const second = activate(t, [fd], [], root)
    t.equal((await waiting).status, 200, 'who came in between was not refused')
    second.kill('SIGTERM')
    await new Promise((resolve) => second.once('exit', resolve))
  },
)

t.test(
  'all sockets that it is started with are served, by fewer workers too',
  { skip: skipWithoutGate },
  async (t) => {
    const root = folder(t, { 'index.html': 'x' })
    const { gate } = loadNative()
    const listening = [1, 2].flatMap(() => gate?.listen({ host: '127.0.0.1', port: 0 }) ?? [])
    const fds = listening.map(({ fd }) => fd)
    t.teardown(() => fds.forEach(closeSync))
    const child = activate(t, fds, [root, '--workers', '1'], root)
    await hears(child, /serving/)
    for (const { port } of listening) {
      t.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200)
    }
    child.kill('SIGTERM')
    await new Promise((resolve) => child.once('exit', resolve))
  },
)

t.test('what is no listening TCP socket is refused', { skip: skipWithoutGate }, async (t) => {
  const root = folder(t, { 'index.html': 'x' })
  const fd = openSync(join(root, 'index.html'), 'r')
  t.teardown(() => closeSync(fd))
  const words = /the inherited socket 3 cannot be served: .*UWAS_ERR_SUPERVISOR_SOCKET/
  t.match(await hears(activate(t, [fd], [root], root), words), words)
  const alone = await hears(activate(t, [fd], [root, '--workers', '0'], root), words)
  t.match(alone, 'the inherited socket 3 cannot be served: that needs workers')
})

t.test(
  'the service manager is told when it serves, reloads and stops, and that it lives',
  { skip: skipWithoutGate || skipWithoutSocat },
  async (t) => {
    const root = folder(t, { 'uwas.config.ts': configuration('workers: 1'), 'urls.ts': SITE })
    const path = join(root, 'notify')
    const { told } = await managerAt(t, path)
    const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '100000' }
    const { child, finished } = await serve(t, ['serve', '--port', '0'], { cwd: root, env })
    await eventually('it is ready', () => /^(EXTEND_TIMEOUT_USEC=90000000)+READY=1/.test(told()))
    await eventually('it lives', () => told().split('WATCHDOG=1').length > 2)
    child.kill('SIGHUP')
    await eventually('it reloads', () =>
      /RELOADING=1\nMONOTONIC_USEC=\d+(WATCHDOG=1|EXTEND_TIMEOUT_USEC=90000000)*READY=1/.test(
        told(),
      ),
    )
    child.kill('SIGTERM')
    t.equal((await finished).code, 0)
    await eventually('it stops', () => /STOPPING=1(WATCHDOG=1)*$/.test(told()))
  },
)

t.test('a start is given more time, whatever comes of it', async (t) => {
  const told: string[] = []
  const notify = (_path: string, state: string): number => {
    told.push(state)
    return 0
  }
  const ownProcess = { endWithParent: () => true, pinToCore: () => 0, notify }
  const manager = new ServiceManager(
    { NOTIFY_SOCKET: '/x' },
    ownProcess,
    createLog(() => {}),
  )
  manager.extendUntil(Promise.reject(new Error('it has failed')))
  await Promise.resolve()
  t.strictSame(told, Array(2).fill('EXTEND_TIMEOUT_USEC=90000000'), 'at its begin and its end')
})

t.test('a service manager that does not listen is a warning', async (t) => {
  const lines: string[] = []
  const log = createLog((line) => lines.push(line))
  const env = { NOTIFY_SOCKET: '/nowhere/at/all', OTHER: 'stays' }
  const manager = new ServiceManager(env, loadNative().ownProcess, log)
  manager.ready()
  manager.stopping()
  t.equal(lines.length, 1, 'told once')
  t.match(lines.join(), /NOTIFY_SOCKET .*(cannot be told: ENOENT|needs Linux and the native addon)/)
  t.strictSame(env, { OTHER: 'stays' }, 'it is for this process alone')
})

t.test('a service manager that is busy is told later, in order', async (t) => {
  const told: string[] = []
  let left = 2
  const notify = (_path: string, state: string): number => {
    if (left-- > 0) return constants.errno.EAGAIN
    told.push(state.replace(/\d+/, ''))
    return 0
  }
  const lines: string[] = []
  const ownProcess = { endWithParent: () => true, pinToCore: () => 0, notify }
  const log = createLog((line) => lines.push(line))
  const manager = new ServiceManager({ NOTIFY_SOCKET: '/x' }, ownProcess, log)
  manager.ready()
  manager.stopping()
  t.strictSame(told, [])
  await eventually('all is told', () => told.length === 2)
  t.strictSame(told, ['READY=', 'STOPPING='])
  t.strictSame(lines, [])
})

t.test('one that never reads holds up no process that follows', async (t) => {
  const lines: string[] = []
  const notify = (): number => constants.errno.EAGAIN
  const ownProcess = { endWithParent: () => true, pinToCore: () => 0, notify }
  const log = createLog((line) => lines.push(line))
  await new ServiceManager({ NOTIFY_SOCKET: '/x' }, ownProcess, log).leaveTo(7, 150)
  t.match(
    lines.join(),
    /NOTIFY_SOCKET \/x has not been read for 150 ms: .* that pid 7 is the service/,
  )
  t.equal(lines.length, 1)
})

t.test('workers run as the user that root names', { skip: skipUnlessRoot }, async (t) => {
  const root = folder(t, { 'uwas.config.ts': configuration("workers: 1, static: 'public'") })
  put(root, 'urls.ts', SITE)
  put(root, 'public/a.txt', 'a')
  const { child, port, stderr } = await serve(t, ['serve', '--port', '0', '--user', 'nobody'], {
    cwd: root,
  })
  const nobody = Number(spawnSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).stdout)
  const idsOf = (pid: number, what: string): number[] => {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8')
    return (new RegExp(`^${what}:\t(.*)`, 'm').exec(text)?.[1] ?? '').split(/\s+/).map(Number)
  }
  const [worker = 0] = childrenOf(child.pid ?? 0)
  t.strictSame(idsOf(worker, 'Uid'), [nobody, nobody, nobody, nobody])
  t.ok(!idsOf(worker, 'Groups').includes(1), 'the groups of root are not its')
  t.strictSame(idsOf(child.pid ?? 0, 'Uid'), [0, 0, 0, 0])
  const environment = readFileSync(`/proc/${worker}/environ`, 'utf8').split('\0')
  const [, , , , , home, shell] = spawnSync('getent', ['passwd', 'nobody'], { encoding: 'utf8' })
    .stdout.trim()
    .split(':')
  const ownOf = (names: string[]) =>
    environment.filter((one) => names.includes(one.split('=')[0] ?? ''))
  t.strictSame(ownOf(['HOME', 'USER', 'LOGNAME', 'SHELL']).sort(), [
    `HOME=${home}`,
    'LOGNAME=nobody',
    `SHELL=${shell}`,
    'USER=nobody',
  ])
  t.equal(statSync(join(root, '.uwas')).uid, nobody, 'it can keep its state')
  t.notMatch(stderr(), /EACCES/)
  t.equal((await fetch(`http://127.0.0.1:${port}/a.txt`)).status, 200)
  t.equal((await run(['stop'], { cwd: root })).code, 0)
})

t.test(
  'they have no embedded PostgreSQL, and that is told',
  { skip: skipUnlessRoot },
  async (t) => {
    const root = folder(t, { 'uwas.config.ts': configuration('workers: 1, database: {}') })
    put(root, 'urls.ts', SITE)
    const { code, stderr } = await run(['serve', '--port', '0', '--user', 'nobody'], { cwd: root })
    t.not(code, 0)
    t.match(stderr, /as the user nobody: the embedded PostgreSQL .* DATABASE_URL/)
  },
)

t.test('a pid file of one user ends no process of another', { skip: skipUnlessRoot }, async (t) => {
  const root = folder(t, { 'public/a.txt': 'a' })
  const pidFile = join(root, 'pid')
  const args = ['--pid-file', pidFile]
  const { child, port } = await serve(t, ['serve', join(root, 'public'), '--port', '0', ...args])
  const nobody = Number(spawnSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).stdout)
  chownSync(pidFile, nobody, -1)
  const { code, stderr } = await run(['stop', ...args])
  t.equal(code, 2)
  t.match(
    stderr,
    `it is not of the user whose process (pid ${child.pid}) it names. Name another one with --pid-file`,
  )
  t.equal((await fetch(`http://127.0.0.1:${port}/a.txt`)).status, 200, 'it goes on')
  chownSync(pidFile, 0, -1)
  t.equal((await run(['stop', ...args])).code, 0)
})

t.test('a user that cannot be is told before anything is opened', async (t) => {
  const root = folder(t, { 'index.html': 'x' })
  const serveAs = (user: string, more: string[] = [], options = {}) =>
    run(['serve', root, '--port', '0', '--user', user, ...more], options)
  if (skipUnlessRoot === false) {
    const words =
      /workers cannot run as the user no-such-user: .*no such user.*UWAS_ERR_SUPERVISOR_USER/
    t.match((await serveAs('no-such-user')).stderr, words)
    t.match((await serveAs('--help')).stderr, /UWAS_ERR_SUPERVISOR_USER|argument missing/)
    t.match((await serveAs('nobody', ['--workers', '0'])).stderr, 'nobody: that needs workers')
  }
  const uid = skipUnlessRoot === false ? { uid: 65_534 } : {}
  t.match((await serveAs('root', [], uid)).stderr, 'only root can do that')
})
