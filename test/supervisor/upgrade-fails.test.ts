/** Upgrades that come to nothing, and what else is asked of a server meanwhile. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { folder, launch, put, run, serve } from '../support/binary.ts'
import {
  ask,
  childrenOf,
  configuration,
  eventually,
  runs,
  SITE,
  skipWithoutGate,
} from '../support/supervised.ts'
import { masterOf, SCRIPT, serveByScript, upgradable } from '../support/upgraded.ts'

const skip = skipWithoutGate
/** A site that says when it is loaded, and is so when there is a file `go`. */
const WAITING = `import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
console.error('loading')
while (!existsSync('go')) await sleep(20)
`

/** An upgrade whose new binary has begun and does not come to its end. */
async function waitingUpgrade(t: Test) {
  const keys = 'workers: 1'
  const running = await upgradable(t, keys)
  put(running.root, 'uwas.config.ts', WAITING + configuration(keys))
  const from = running.stderr().length
  const upgrade = run(['upgrade'], { cwd: running.root })
  await running.printed(/loading\n/, from)
  const pid = running.child.pid ?? 0
  const successor = childrenOf(pid).find((one) => childrenOf(one).length > 0) ?? 0
  return { ...running, upgrade, pid, successor }
}

t.test('where the new one cannot start, the old one goes on and tells why', { skip }, async (t) => {
  const { url, root, child, master } = await upgradable(t, 'workers: 1')
  const before = await ask(url)
  put(root, 'uwas.config.ts', configuration("templates: 'nowhere'"))
  const { code, stderr } = await run(['upgrade'], { cwd: root })
  t.equal(code, 1)
  t.match(
    stderr,
    /the running server did not upgrade: what served before goes on: .*UWAS_ERR_TEMPLATE_DIRECTORY.*UWAS_ERR_SUPERVISOR_REFUSED/s,
  )
  t.equal(await ask(url), before)
  t.equal(master(), child.pid)
  put(root, 'uwas.config.ts', configuration('workers: 0'))
  const none = await run(['upgrade'], { cwd: root })
  t.match(
    none.stderr,
    /cannot be taken over: the configuration wants no workers.*SUPERVISOR_UPGRADE/,
  )
  t.equal(await ask(url), before)
  // No limit, rather than none of the time.
  put(root, 'uwas.config.ts', configuration('workers: { count: 1, startTimeoutMs: 0 }'))
  t.equal((await run(['reload'], { cwd: root })).code, 0)
  t.equal((await run(['upgrade'], { cwd: root })).code, 0)
  await eventually('the first one has ended', () => !runs(child.pid ?? 0))
  t.not(master(), child.pid)
})

t.test('a binary that crashes, or never comes, is no end of the old one', { skip }, async (t) => {
  const root = folder(t, { 'bin.mjs': SCRIPT, 'urls.ts': SITE })
  put(root, 'uwas.config.ts', configuration('workers: { count: 1, startTimeoutMs: 3000 }'))
  const { child, url } = await serveByScript(t, root)
  const before = await ask(url)
  put(root, 'bin.mjs', 'process.exit(3)\n')
  const crashed = await run(['upgrade'], { cwd: root })
  t.equal(crashed.code, 1)
  t.match(
    crashed.stderr,
    'goes on: it ended with exit code 3 before it served; its words are in the log',
  )
  put(root, 'bin.mjs', 'setInterval(() => {}, 1e6)\n')
  const late = await run(['upgrade'], { cwd: root })
  t.equal(late.code, 1)
  t.match(late.stderr, 'what served before goes on: it was not ready after 3000 ms')
  t.equal(await ask(url), before)
  t.equal(masterOf(root), child.pid)
  t.strictSame(childrenOf(child.pid ?? 0), [before], 'nothing is left of them')
})

t.test('a second upgrade and a reload wait for none; SIGTERM ends both', { skip }, async (t) => {
  const { root, url, upgrade, finished, pid, child, successor } = await waitingUpgrade(t)
  for (const command of ['upgrade', 'reload']) {
    const { code, stderr } = await run([command], { cwd: root })
    t.equal(code, command === 'upgrade' ? 1 : 2)
    t.match(stderr, /an upgrade is under way: wait.*UWAS_ERR_SUPERVISOR_UPGRADING/)
  }
  t.ok((await ask(url)) > 0)
  t.ok(runs(successor))
  process.kill(pid, 'SIGTERM')
  const { code, stderr } = await upgrade
  t.equal(code, 1)
  t.match(stderr, 'did not upgrade: the server is stopping')
  await eventually('it has ended', () => child.exitCode !== null)
  t.equal(child.exitCode, 0)
  await finished
  t.notOk(runs(successor))
})

t.test('a server that is killed meanwhile is followed all the same', { skip }, async (t) => {
  const { root, url, pid, successor, upgrade, master } = await waitingUpgrade(t)
  const [before = 0] = childrenOf(pid)
  process.kill(pid, 'SIGKILL')
  t.match((await upgrade).stderr, 'UWAS_ERR_SUPERVISOR_UNREACHABLE')
  await eventually('its worker has ended', () => !runs(before))
  const waiting = ask(url)
  put(root, 'go', '')
  const [now] = await eventually('another one has begun', () => {
    const all = childrenOf(successor)
    return all.length > 0 && all
  })
  t.equal(await waiting, now, 'whose client has waited')
  await eventually('it is found', () => master() === successor)
  const { stdout } = await run(['status', '--json'], { cwd: root })
  t.match(JSON.parse(stdout), { pid: successor, workers: [{ pid: now }] })
})

t.test('then a signal to stop ends at once who does not serve yet', { skip }, async (t) => {
  const { pid, successor, upgrade, stderr } = await waitingUpgrade(t)
  process.kill(pid, 'SIGKILL')
  await upgrade
  // The end of the channel between them may be heard of a moment later.
  await eventually('it has a new parent', () => !childrenOf(pid).includes(successor))
  await sleep(200)
  process.kill(successor, 'SIGTERM')
  await eventually('it has ended', () => !runs(successor))
  t.notMatch(stderr(), 'could not start', 'and not since it took too long')
})

t.test('where its end would be that of the service, an upgrade is refused', { skip }, async (t) => {
  const { root, url, child, master, printed } = await upgradable(t, 'workers: 1', {
    env: { INVOCATION_ID: 'x' },
  })
  const { code, stderr } = await run(['upgrade'], { cwd: root })
  t.equal(code, 1)
  t.match(stderr, 'did not upgrade: systemd would take its end for that of the service: say Type=')
  child.kill('SIGUSR2')
  await printed(/(not upgraded: systemd.*\n.*){2}/)
  t.equal(master(), child.pid)
  t.ok((await ask(url)) > 0)
})

t.test('a server of one process is not upgraded, nor ended by the signal', async (t) => {
  const root = folder(t, { 'uwas.config.ts': configuration('workers: 0'), 'urls.ts': SITE })
  const { child, port, printed } = await serve(t, ['serve', '--port', '0'], { cwd: root })
  const { code, stderr } = await run(['upgrade'], { cwd: root })
  t.equal(code, 1)
  t.match(stderr, 'did not upgrade: it serves in one process, without workers (--workers 0)')
  child.kill('SIGUSR2')
  await printed(/SIGUSR2: not upgraded: that needs workers/)
  t.equal(await ask(`http://127.0.0.1:${port}`), child.pid)
  const dev = launch(t, ['dev', '--port', '0'], { cwd: root })
  await dev.printed(/on http/)
  dev.child.kill('SIGUSR2')
  await dev.printed(/SIGUSR2: not upgraded: uwas dev is not for that/)
})

t.test('of servers that start at once with one pid file, one has it', { skip }, async (t) => {
  const root = folder(t, { 'index.html': 'x', 'run/uwas.pid': '4194305\n1\n\n' })
  const pidFile = join(root, 'run/uwas.pid')
  const args = ['serve', root, '--port', '0', '--pid-file', pidFile]
  const all = await Promise.all([1, 2, 3].map(() => serve(t, args)))
  const pids = all.map(({ child }) => child.pid ?? 0)
  const { stdout } = await run(['status', '--json', '--pid-file', pidFile])
  const { pid } = JSON.parse(stdout)
  t.ok(pids.includes(pid))
  const words = new RegExp(`uwas.pid is of another server \\(pid ${pid}\\)`)
  for (const { child, stderr } of all) {
    const others = words.test(stderr())
    t.equal(others, child.pid !== pid)
  }
  t.strictSame(readdirSync(join(root, 'run')).sort(), ['uwas.pid', 'uwas.pid.sock'])
})
