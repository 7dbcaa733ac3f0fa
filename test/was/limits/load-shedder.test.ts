import t, { type Test } from 'tap'
import { createLog } from '../../../src/core/log.ts'
import { text } from '../../../src/http/reply.ts'
import { LoadShedder } from '../../../src/was/limits/load-shedder.ts'
import type { SiteShed } from '../../../src/was/limits/options.ts'
import { requestOf } from '../../support/request.ts'

const LIMITS: SiteShed = { maxEventLoopDelayMs: 100, maxPoolWaitMs: 1000, retryAfterSeconds: 10 }

/** One that hears nothing but what the test says. */
function shedderOf(t: Test, limits: Partial<SiteShed> = {}) {
  const lines: string[] = []
  const log = createLog((line) => lines.push(line))
  const shedder = new LoadShedder({ ...LIMITS, ...limits }, { database: null, log })
  shedder.close()
  t.teardown(() => shedder.close())
  const handler = shedder.around(
    () => text('taken'),
    () => text('refused', { status: 503 }),
  )
  /** How many of so many requests are refused. */
  const refusedOf = async (count: number): Promise<number> => {
    let refused = 0
    for (let i = 0; i < count; i++) {
      const reply = await handler(requestOf('GET', '/'))
      if (reply.status === 503) refused++
    }
    return refused
  }
  return { shedder, lines, refusedOf }
}

t.test('one pause of the event loop refuses nobody, a delay that lasts does', async (t) => {
  const { shedder, refusedOf } = shedderOf(t)
  shedder.hear(199, 0)
  t.equal(shedder.share, 0, 'garbage was collected')
  shedder.hear(0, 0)
  for (let i = 0; i < 50; i++) shedder.hear(66, 0)
  t.equal(await refusedOf(100), 0, 'below the limit, however long')
  for (let i = 0; i < 4; i++) shedder.hear(130, 0)
  t.ok(shedder.share > 0 && shedder.share < 1)
  for (let i = 0; i < 10; i++) shedder.hear(130, 0)
  t.equal(shedder.share, 1)
  t.equal(await refusedOf(100), 100)
})

t.test('what is far too much refuses sooner', async (t) => {
  const little = shedderOf(t).shedder
  const much = shedderOf(t).shedder
  for (let i = 0; i < 2; i++) {
    little.hear(0, 1001)
    much.hear(0, 4000)
  }
  t.ok(little.share < 0.25)
  t.ok(much.share > 0.75)
})

t.test('between two thirds of a limit and the limit the share falls slowly', async (t) => {
  const { shedder } = shedderOf(t)
  for (let i = 0; i < 3; i++) shedder.hear(0, 1001)
  const { share } = shedder
  for (let i = 0; i < 100; i++) shedder.hear(0, i % 2 === 0 ? 1000 : 670)
  t.ok(shedder.share < share)
  t.ok(shedder.share > share - 0.21, 'in ten seconds from all to none')
  const { share: later } = shedder
  shedder.hear(0, 660)
  t.ok(shedder.share < later - 0.01)
  t.ok(shedder.share > later - 0.1, 'slower than it has come')
  for (let i = 0; i < 50; i++) shedder.hear(0, 0)
  t.equal(shedder.share, 0)
})

t.test('of a share of a third each third is refused', async (t) => {
  const { shedder, refusedOf } = shedderOf(t)
  shedder.share = 1 / 3
  t.equal(await refusedOf(3), 1)
  const refused = await refusedOf(300)
  t.ok(refused === 99 || refused === 100, `${refused} of 300`)
})

t.test('a limit that is not set counts nothing', async (t) => {
  const { shedder } = shedderOf(t, { maxPoolWaitMs: 0 })
  for (let i = 0; i < 10; i++) shedder.hear(0, 1_000_000)
  t.equal(shedder.share, 0)
  const other = shedderOf(t, { maxEventLoopDelayMs: 0 }).shedder
  for (let i = 0; i < 10; i++) other.hear(1_000_000, 0)
  t.equal(other.share, 0)
})

t.test('refusals are counted by what was too much', async (t) => {
  const { shedder, refusedOf } = shedderOf(t)
  for (let i = 0; i < 10; i++) shedder.hear(0, 2000)
  await refusedOf(2)
  t.strictSame(shedder.counts, { event_loop_delay: 0, pool_wait: 2 })
  for (let i = 0; i < 10; i++) shedder.hear(900, 2000)
  await refusedOf(3)
  t.strictSame(shedder.counts, { event_loop_delay: 3, pool_wait: 2 })
})

t.test('the log has one line when it begins and one when it has ended', async (t) => {
  const { shedder, lines, refusedOf } = shedderOf(t)
  for (let i = 0; i < 10; i++) shedder.hear(0, 2000)
  t.strictSame(lines, [], 'nobody was refused yet')
  await refusedOf(1000)
  for (let i = 0; i < 60; i++) shedder.hear(0, 0)
  t.equal(shedder.share, 0)
  for (let i = 0; i < 10; i++) shedder.hear(0, 2000)
  await refusedOf(1)
  for (let i = 0; i < 60; i++) shedder.hear(0, 0)
  t.strictSame(lines, [
    'uwas: warning: too much to do, so views are answered 503: the database has kept requests waiting for 2000 ms, and limits.shed.maxPoolWaitMs is 1000',
  ])
  const soon = performance.now() + 9000
  shedder.hear(0, 0, soon)
  t.equal(lines.length, 1, 'it may begin anew at once')
  shedder.hear(0, 0, soon + 2000)
  t.equal(lines.length, 2)
  t.match(lines[1], /^uwas: views are answered again; within \d+\.\d s 503 was said 1001 times$/)
  shedder.hear(0, 0, soon + 60_000)
  t.equal(lines.length, 2)
  for (let i = 0; i < 20; i++) shedder.hear(300, 0)
  await refusedOf(1)
  t.match(lines[2], /the event loop was \d+ ms late, and limits\.shed\.maxEventLoopDelayMs is 100$/)
})
