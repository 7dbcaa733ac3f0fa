import t from 'tap'
import { CLIENTS, goOn, startLoad } from '../support/load.ts'
import {
  answering,
  childrenOf,
  eventually,
  skipWithoutGate,
  superviseSite,
} from '../support/supervised.ts'

t.test('reloads under load lose no request', { skip: skipWithoutGate }, async (t) => {
  const { child, url, printed, stderr } = await superviseSite(t, 'workers: 2')
  await answering(url, 2)
  const load = startLoad(t, url, CLIENTS)
  await goOn(load)
  for (let i = 0; i < 3; i++) {
    const from = stderr().length
    const before = childrenOf(child.pid ?? 0)
    child.kill('SIGHUP')
    await printed(/reloaded in/, from)
    await eventually('the old workers have ended', () => {
      const now = childrenOf(child.pid ?? 0)
      return !before.some((pid) => now.includes(pid))
    })
    await goOn(load)
  }
  await load.stop()
  t.strictSame(load.failures, [])
})

t.test(
  'replacing workers one by one under load loses no request',
  { skip: skipWithoutGate },
  async (t) => {
    const { child, url } = await superviseSite(t, 'workers: 2')
    const first = await answering(url, 2)
    const load = startLoad(t, url, CLIENTS)
    await goOn(load)
    for (const pid of first) {
      process.kill(pid, 'SIGTERM')
      await eventually('it has ended', () => !childrenOf(child.pid ?? 0).includes(pid))
      await goOn(load)
    }
    await load.stop()
    t.strictSame(load.failures, [])
  },
)

t.test(
  'a worker that is killed under load costs the connections that it had, and no other',
  { skip: skipWithoutGate },
  async (t) => {
    const { child, url } = await superviseSite(t, 'workers: 2')
    const [first = 0] = await answering(url, 2)
    const load = startLoad(t, url, CLIENTS)
    await goOn(load)
    process.kill(first, 'SIGKILL')
    await eventually('another one has its place', () => {
      const now = childrenOf(child.pid ?? 0)
      return now.length === 2 && !now.includes(first)
    })
    await goOn(load)
    await load.stop()
    // Each client has one connection at a time; those of the other worker, and all that came later, were answered.
    t.ok(load.failures.length <= CLIENTS, `${load.failures.length} failures: ${load.failures}`)
    for (const failure of load.failures) t.match(failure, /ECONNRESET|socket hang up|aborted|EPIPE/)
  },
)

t.test(
  'workers that serve a few requests each, under load',
  { skip: skipWithoutGate },
  async (t) => {
    const { url, stderr } = await superviseSite(t, 'workers: { count: 2, maxRequests: 500 }')
    const load = startLoad(t, url, CLIENTS)
    await eventually('several have been replaced', () => stderr().split('is replaced').length > 4)
    await load.stop()
    t.strictSame(load.failures, [])
  },
)
