/** What happens in the moment in which a new binary serves, and the one before has not heard of it yet. */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { folder, run } from '../support/binary.ts'
import {
  ask,
  childrenOf,
  configuration,
  eventually,
  runs,
  SITE,
  skipWithoutGate,
} from '../support/supervised.ts'
import { masterOf, SCRIPT, serveByScript } from '../support/upgraded.ts'

const skip = skipWithoutGate

/** A server whose successor does this in that moment; `tell()` goes on. */
async function serveUntil(t: Test, what: string) {
  const script = `if (process.env.UWAS_UPGRADE !== undefined) {
  const send = process.send.bind(process)
  process.send = (message, ...rest) => {
    const tell = () => process.connected && send(message, ...rest)
    if (message.type === 'serving') { ${what} } else tell()
  }
}
${SCRIPT}`
  const config = configuration('workers: 1')
  const root = folder(t, { 'bin.mjs': script, 'urls.ts': SITE, 'uwas.config.ts': config })
  const { child, url } = await serveByScript(t, root)
  return { root, child, pid: child.pid ?? 0, url, before: await ask(url) }
}

t.test('the new one is killed: the old one goes on, and is found again', { skip }, async (t) => {
  const { root, pid, url, before } = await serveUntil(t, "process.kill(process.pid, 'SIGKILL')")
  const { code, stderr } = await run(['upgrade'], { cwd: root })
  t.equal(code, 1)
  t.match(stderr, 'what served before goes on: it ended by SIGKILL before it served')
  t.equal(masterOf(root), pid)
  await eventually('the other worker has ended', () => childrenOf(pid).length === 1)
  t.equal(await ask(url), before)
  const { stdout } = await run(['status', '--json'], { cwd: root })
  t.match(JSON.parse(stdout), { pid, workers: [{ pid: before }] })
})

t.test('the old one is told to stop: both do, with grace', { skip }, async (t) => {
  const what = "process.kill(process.ppid, 'SIGTERM'); setTimeout(tell, 300)"
  const { root, child, url } = await serveUntil(t, what)
  const slow = ask(`${url}/slow`)
  child.kill('SIGUSR2')
  t.ok((await slow) > 0, 'what has begun is finished')
  const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
  t.equal(code, 0)
  await eventually('the new one has ended', () => !existsSync(join(root, '.uwas/uwas.pid')))
  await t.rejects(fetch(url))
})

t.test('the old one is killed: the new one serves', { skip }, async (t) => {
  const what = "process.kill(process.ppid, 'SIGKILL'); setTimeout(tell, 300)"
  const { root, child, pid, url, before } = await serveUntil(t, what)
  child.kill('SIGUSR2')
  await eventually('the old ones have ended', () => !runs(pid) && !runs(before))
  const master = masterOf(root)
  t.not(master, pid)
  t.strictSame(childrenOf(master), [await ask(url)])
  const { stdout } = await run(['status', '--json'], { cwd: root })
  t.match(JSON.parse(stdout), { pid: master })
})
