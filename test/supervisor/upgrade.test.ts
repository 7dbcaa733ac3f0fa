/** What clients, commands and managers of a server see of an upgrade that comes to a good end. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { managerAt } from '../support/activated.ts'
import { folder, put, run, serve } from '../support/binary.ts'
import { copyFreshData } from '../support/fresh-data.ts'
import { CLIENTS, goOn, startLoad } from '../support/load.ts'
import {
  answering,
  ask,
  childrenOf,
  configuration,
  eventually,
  runs,
  SITE,
  skipWithoutGate,
} from '../support/supervised.ts'
import { endWith, masterOf, SCRIPT, serveByScript, upgradable } from '../support/upgraded.ts'

const skip = skipWithoutGate
const skipWithoutSocat =
  spawnSync('socat', ['-V']).status !== 0 && 'socat, which stands in for systemd, is not there'

t.test('upgrades under load lose no request, by command and by signal', { skip }, async (t) => {
  const { child, url, root, finished, master, stderr } = await upgradable(t, 'workers: 2')
  await answering(url, 2)
  const load = startLoad(t, url, CLIENTS)
  await goOn(load)
  const { code, stdout, stderr: words } = await run(['upgrade'], { cwd: root })
  t.equal(code, 0, words)
  const second = master()
  const workers = childrenOf(second)
  t.match(stdout, `upgraded: pid ${child.pid} to ${second} (uwas `)
  t.match(stdout, `, workers ${workers.join(', ')}\n`)
  await eventually('the first one has ended', () => !runs(child.pid ?? 0))
  await goOn(load)
  process.kill(second, 'SIGUSR2')
  await eventually('the second one has ended', () => !runs(second))
  await goOn(load)
  await load.stop()
  t.strictSame(load.failures, [])
  t.not(master(), second)
  t.match(stderr(), 'SIGUSR2: starting ')
  const { stdout: status } = await run(['status', '--json'], { cwd: root })
  t.match(JSON.parse(status), { pid: master(), workers: [{ state: 'ready' }, { state: 'ready' }] })
  t.equal((await run(['stop'], { cwd: root })).code, 0)
  t.notOk(existsSync(join(root, '.uwas/uwas.pid')), 'nothing is left')
  t.notOk(existsSync(join(root, '.uwas/uwas.pid.sock')))
  t.equal((await finished).code, 0)
})

t.test('what has begun is finished by who began it', { skip }, async (t) => {
  const { url, root, child } = await upgradable(t, 'workers: 1')
  const before = await ask(url)
  const slow = ask(`${url}/slow`)
  // By the signal: the command would outlast it.
  child.kill('SIGUSR2')
  t.equal(await slow, before)
  await eventually('it has ended', () => !runs(child.pid ?? 0))
  t.not(masterOf(root), child.pid)
  t.not(await ask(url), before)
})

t.test('a link that leads to another release is followed', { skip }, async (t) => {
  const site = (name: string) =>
    `import { path, text, urlconf } from 'uwas'\nexport const urls = urlconf(path('/', () => text('${name}')))\n`
  const files = (name: string) => ({
    [`${name}/bin.mjs`]: SCRIPT,
    [`${name}/uwas.config.ts`]: configuration('workers: 1'),
    [`${name}/urls.ts`]: site(name),
  })
  const root = folder(t, { ...files('one'), ...files('two') })
  const link = join(root, 'current')
  symlinkSync('one', link)
  const pidFile = join(root, '.uwas/uwas.pid')
  const args = ['--pid-file', pidFile]
  const { url, heard } = await serveByScript(t, root, { cwd: link, args })
  const say = async () => await (await fetch(url)).text()
  t.equal(await say(), 'one')
  rmSync(link)
  symlinkSync('two', link)
  rmSync(join(root, 'one/bin.mjs'))
  const { code, stderr } = await run(['upgrade', '--pid-file', pidFile])
  t.equal(code, 0, stderr)
  // A connection that is kept alive is the old one's until that has closed it.
  await eventually('the new release answers', async () => (await say()) === 'two')
  t.equal(readlinkSync(`/proc/${masterOf(root)}/cwd`), join(root, 'two'))
  t.match(heard(), `starting ${process.execPath} ${link}/bin.mjs serve`)
})

t.test('the status listener answers all the time, that it is ready', { skip }, async (t) => {
  const keys = "workers: 1, status: { listen: '127.0.0.1:0' }"
  const { root, stderr, child, finished } = await upgradable(t, keys)
  const [, address = ''] = /health: (http:\S+)\n/.exec(stderr()) ?? []
  let isOver = false
  const seen: string[] = []
  const asking = (async () => {
    while (!isOver) seen.push(await readiness(address))
  })()
  t.equal((await run(['upgrade'], { cwd: root })).code, 0)
  await eventually('the first one has ended', () => !runs(child.pid ?? 0))
  isOver = true
  await asking
  t.strictSame([...new Set(seen)], ['200'])
  const { pid } = (await (await fetch(`${address}/status.json`)).json()) as { pid: number }
  t.equal(pid, masterOf(root), 'from the new one')
  await run(['stop'], { cwd: root })
  t.equal((await finished).code, 0)
})

/** By a connection of its own: one that is kept goes with who has it. */
function readiness(address: string): Promise<string> {
  return new Promise((resolve) => {
    get(`${address}/readyz`, { agent: false }, (response) => {
      response.resume()
      resolve(String(response.statusCode))
    }).once('error', ({ message }) => resolve(message))
  })
}

t.test('more workers, and a unix socket, which goes with the last one', { skip }, async (t) => {
  const root = folder(t, { 'uwas.config.ts': '', 'urls.ts': SITE })
  const configure = (workers: number) =>
    put(
      root,
      'uwas.config.ts',
      configuration(`workers: ${workers}, listen: ['unix:web.sock', '127.0.0.1:0']`),
    )
  configure(1)
  const { child, printed } = await serve(t, ['serve'], { cwd: root })
  endWith(t, root)
  const [, port] = await printed(/http:\S+:(\d+)/)
  configure(3)
  t.equal((await run(['upgrade'], { cwd: root })).code, 0)
  await eventually('the first one has ended', () => !runs(child.pid ?? 0))
  await answering(`http://127.0.0.1:${port}`, 3)
  const local = spawnSync('curl', ['-s', '--unix-socket', join(root, 'web.sock'), 'http://x/'])
  t.match(String(local.stdout), /^\d+$/, 'its file is still there')
  t.equal((await run(['stop'], { cwd: root })).code, 0)
  t.notOk(existsSync(join(root, 'web.sock')))
})

t.test(
  'a service manager is told which process it is',
  { skip: skip || skipWithoutSocat },
  async (t) => {
    const root = folder(t, { 'uwas.config.ts': configuration('workers: 1'), 'urls.ts': SITE })
    const path = join(root, 'notify')
    const { told } = await managerAt(t, path)
    const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '100000', INVOCATION_ID: 'x' }
    const { child } = await serve(t, ['serve', '--port', '0'], { cwd: root, env })
    endWith(t, root)
    await eventually('it lives', () => told().includes('WATCHDOG=1'))
    t.equal((await run(['upgrade'], { cwd: root })).code, 0)
    await eventually('the first one has ended', () => !runs(child.pid ?? 0))
    const from = told().length
    await eventually('it lives', () => told().slice(from).split('WATCHDOG=1').length > 2)
    const order = new RegExp(
      `^READY=1(WATCHDOG=1)+MAINPID=${masterOf(root)}\nWATCHDOG=1READY=1(WATCHDOG=1)+$`,
    )
    t.match(told(), order, 'once each, and the first one never that it stops')
  },
)

t.test(
  'statements of an embedded PostgreSQL go on, and it ends with the last one',
  { skip },
  async (t) => {
    const root = folder(t, { 'uwas.config.ts': configuration("workers: 2, database: 'embedded'") })
    await copyFreshData(join(root, '.uwas/postgres'))
    put(
      root,
      'urls.ts',
      `import { path, pg, statement, text, urlconf } from 'uwas'
const backend = statement('backend', {
  row: { pid: pg.int, slept: pg.text },
  sql: 'select pg_backend_pid() as pid, pg_sleep(0.005)::text as slept',
})
const view = async (req) => text(String((await backend.one(req)).pid))
export const urls = urlconf(path('/', view))
`,
    )
    const { child, port } = await serve(t, ['serve', '--port', '0'], { cwd: root })
    endWith(t, root)
    const postmaster = () =>
      Number.parseInt(readFileSync(join(root, '.uwas/postgres/data/postmaster.pid'), 'utf8'), 10)
    const owner = () =>
      JSON.parse(readFileSync(join(root, '.uwas/postgres/owner.json'), 'utf8')).pid
    const before = postmaster()
    const load = startLoad(t, `http://127.0.0.1:${port}`, CLIENTS)
    await goOn(load)
    t.equal((await run(['upgrade'], { cwd: root })).code, 0)
    await eventually('the first one has ended', () => !runs(child.pid ?? 0))
    await goOn(load)
    await load.stop()
    t.strictSame(load.failures, [])
    t.equal(postmaster(), before)
    await eventually('the new one looks after it', () => owner() === masterOf(root))
    t.equal((await run(['stop'], { cwd: root })).code, 0)
    t.notOk(runs(before))
  },
)
