import t from 'tap'
import {
  answering,
  ask,
  childrenOf,
  eventually,
  skipWithoutGate,
  superviseSite,
} from '../support/supervised.ts'

const skip = skipWithoutGate

async function readiness(url: string): Promise<number> {
  const response = await fetch(`${url}/readyz`, { headers: { connection: 'close' } })
  await response.arrayBuffer()
  return response.status
}

t.test(
  'before it stops it is unready for a while, and serves all that comes',
  { skip },
  async (t) => {
    const { child, url, printed, finished } = await superviseSite(
      t,
      'workers: { count: 2, stopDelayMs: 600_000 }',
    )
    await answering(url, 2)
    t.equal(await readiness(url), 200)
    const [crashed = 0, other] = childrenOf(child.pid ?? 0)
    child.kill('SIGTERM')
    await printed(/not ready any more, stopping in 600000 ms/)
    await eventually('it is unready', async () => (await readiness(url)) === 503)
    t.equal((await answering(url, 2)).has(crashed), true)

    process.kill(crashed, 'SIGKILL')
    const now = await eventually('another one takes its place', async () => {
      const pids = childrenOf(child.pid ?? 0)
      return pids.length === 2 && !pids.includes(crashed) && pids
    })
    t.strictSame(await answering(url, 2), new Set(now))
    t.ok(now.includes(other ?? 0))
    // Of the ones that follow some reach the new worker.
    await eventually('the new one is unready too', async () => {
      const replies = await Promise.all(Array.from({ length: 32 }, () => readiness(url)))
      return replies.every((status) => status === 503)
    })

    child.kill('SIGTERM')
    await printed(/second signal \(SIGTERM\): exiting at once/)
    t.equal((await finished).code, 1)
  },
)

t.test('after that time it stops', { skip }, async (t) => {
  const { child, url, stderr, finished } = await superviseSite(t, 'workers: { stopDelayMs: 50 }')
  t.ok((await ask(url)) > 0)
  child.kill('SIGTERM')
  t.match(await finished, { code: 0, signal: null })
  t.match(stderr(), /not ready any more, stopping in 50 ms[\s\S]*SIGTERM: finishing/)
})

t.test('so does one process without workers', async (t) => {
  const long = await superviseSite(t, 'workers: { count: 0, stopDelayMs: 600_000 }')
  t.equal(await readiness(long.url), 200)
  long.child.kill('SIGTERM')
  await long.printed(/not ready any more, stopping in 600000 ms/)
  t.equal(await readiness(long.url), 503)
  t.equal(await ask(long.url), long.child.pid)
  long.child.kill('SIGTERM')
  await long.printed(/second signal/)
  t.equal((await long.finished).code, 1)

  const short = await superviseSite(t, 'workers: { count: 0, stopDelayMs: 50 }')
  short.child.kill('SIGTERM')
  t.match(await short.finished, { code: 0, signal: null })
})
