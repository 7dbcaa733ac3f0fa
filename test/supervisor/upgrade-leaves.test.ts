/** What a server does that another one has taken over from, until it has ended; and what else is asked meanwhile. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { managerAt } from '../support/activated.ts'
import { folder, put, run, serve } from '../support/binary.ts'
import {
  ask,
  configuration,
  eventually,
  runs,
  SITE,
  skipWithoutGate,
} from '../support/supervised.ts'
import { endWith, masterOf, upgradable } from '../support/upgraded.ts'

const skip = skipWithoutGate
const skipWithoutSocat =
  spawnSync('socat', ['-V']).status !== 0 && 'socat, which stands in for systemd, is not there'

/** Of what tells a service manager something: a second is for ever. */
const FILL = { input: 'X=1', timeout: 1_000 } as const
/** What has begun may take as long as this machine needs. */
const PATIENT = 'workers: { count: 1, graceMs: 100_000 }'
/** A view that answers when there is a file `go`. */
const WAITING = `import { existsSync } from 'node:fs'
import { path, text, urlconf } from 'uwas'
const wait = async () => {
  while (!existsSync('go')) await new Promise((done) => setTimeout(done, 20))
  return text(String(process.pid))
}
export const urls = urlconf(path('/', () => text(String(process.pid))), path('/wait', wait))
`

t.test(
  'a signal to stop ends both as long as the service manager takes the old one for the service',
  { skip: skip || skipWithoutSocat },
  async (t) => {
    const root = folder(t, { 'uwas.config.ts': configuration('workers: 1'), 'urls.ts': SITE })
    const path = join(root, 'notify')
    const { told, manager } = await managerAt(t, path)
    const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '100000', INVOCATION_ID: 'x' }
    const started = await serve(t, ['serve', '--port', '0'], { cwd: root, env })
    const { child, printed, port } = started
    endWith(t, root)
    await eventually('it lives', () => told().includes('WATCHDOG=1'))
    manager.kill('SIGSTOP')
    // What nobody reads fills the socket, and is tried again.
    while (spawnSync('socat', ['-u', '-', `UNIX-SENDTO:${path}`], FILL).status === 0);
    child.kill('SIGUSR2')
    await printed(/upgraded in/)
    const second = masterOf(root)
    const slow = ask(`http://127.0.0.1:${port}/slow`)
    child.kill('SIGTERM')
    await printed(/SIGTERM: stopping, and so does the process that has taken over/)
    manager.kill('SIGCONT')
    t.ok((await slow) > 0, 'what has begun is finished')
    await eventually('both have ended', () => !runs(child.pid ?? 0) && !runs(second))
    t.match(
      told(),
      new RegExp(`MAINPID=${second}\nWATCHDOG=1.*READY=1.*STOPPING=1(WATCHDOG=1)*$`, 's'),
    )
    t.notOk(existsSync(join(root, '.uwas/uwas.pid')), 'nothing is left')
  },
)
t.test('then it ends the old one alone, and the log names the other', { skip }, async (t) => {
  const { root, url, child, printed, master } = await upgradable(t, PATIENT)
  put(root, 'urls.ts', WAITING)
  await run(['reload'], { cwd: root })
  const waiting = ask(`${url}/wait`)
  child.kill('SIGUSR2')
  await printed(/upgraded in/)
  const second = master()
  child.kill('SIGTERM')
  await printed(new RegExp(`SIGTERM: another process \\(pid ${second}\\) serves, and goes on`))
  put(root, 'go', '')
  t.ok((await waiting) > 0)
  await eventually('it has ended', () => !runs(child.pid ?? 0))
  t.ok((await ask(url)) > 0)
  t.equal(master(), second)
})

t.test('until it has ended there is no third one', { skip }, async (t) => {
  const { root, url, child, master } = await upgradable(t, PATIENT)
  put(root, 'urls.ts', WAITING)
  t.equal((await run(['reload'], { cwd: root })).code, 0)
  const waiting = ask(`${url}/wait`)
  t.equal((await run(['upgrade'], { cwd: root })).code, 0)
  const second = master()
  const { code, stderr } = await run(['upgrade'], { cwd: root })
  t.equal(code, 1)
  t.match(
    stderr,
    `what served before goes on: the server before this one (pid ${child.pid}) is still finishing what it has begun: wait until it has ended [UWAS_ERR_SUPERVISOR_DRAINING]`,
  )
  t.equal(master(), second)
  t.equal((await run(['reload'], { cwd: root })).code, 0, 'but new workers')
  put(root, 'go', '')
  t.ok((await waiting) > 0)
  await eventually('it has ended', () => !runs(child.pid ?? 0))
  t.equal((await run(['upgrade'], { cwd: root })).code, 0)
  t.not(master(), second)
})

t.test('the socket of an address that is none any more is taken away', { skip }, async (t) => {
  const root = folder(t, { 'uwas.config.ts': '', 'urls.ts': SITE })
  const configure = (...paths: string[]) => {
    const all = paths.map((path) => `'unix:${path}'`)
    put(root, 'uwas.config.ts', configuration(`workers: 1, listen: [${all.join()}]`))
  }
  configure('a.sock', 'b.sock')
  const { child } = await serve(t, ['serve'], { cwd: root })
  endWith(t, root)
  configure('b.sock', 'c.sock')
  t.equal((await run(['upgrade'], { cwd: root })).code, 0)
  await eventually('the first one has ended', () => !runs(child.pid ?? 0))
  const files = ['a', 'b', 'c'].map((name) => existsSync(join(root, `${name}.sock`)))
  t.strictSame(files, [false, true, true])
})
