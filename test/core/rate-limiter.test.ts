import fc from 'fast-check'
import t from 'tap'
import { GcraTable } from '../../src/core/gcra.ts'
import { RateLimiter } from '../../src/core/rate-limiter.ts'

const RATE = { intervalMs: 100, burst: 3 }

/** A limiter whose clock is set by the test. */
function clocked(rate = RATE, maxKeys = 64) {
  const clock = { now: 5000 }
  return { clock, limiter: new RateLimiter('test', rate, { maxKeys, now: () => clock.now }) }
}

t.test('a burst passes at once, then one each interval, and all of it comes back', (t) => {
  const { clock, limiter } = clocked()
  const remaining = [1, 2, 3].map(() => limiter.take('a').remaining)
  t.strictSame(remaining, [2, 1, 0])
  t.match(limiter.take('a'), { allowed: false, retryMs: 100, remaining: 0, resetMs: 300 })
  clock.now += 99
  t.match(limiter.take('a'), { allowed: false, retryMs: 1 })
  clock.now += 1
  t.equal(limiter.take('a').allowed, true)
  t.equal(limiter.take('a').allowed, false)
  clock.now += 300
  t.match(limiter.take('a'), { allowed: true, remaining: 2, resetMs: 100 })
  t.match(limiter.take('b'), { allowed: true, remaining: 2 }, 'another key has its own')
  t.end()
})

t.test('a refused request costs nothing, and what is given back is there again', (t) => {
  const { limiter } = clocked()
  for (let i = 0; i < 3; i++) limiter.take('a')
  for (let i = 0; i < 50; i++) t.equal(limiter.take('a').allowed, false)
  t.equal(limiter.take('a').retryMs, 100)
  limiter.giveBack('a')
  t.match(limiter.take('a'), { allowed: true, remaining: 0 })
  limiter.giveBack('never seen')
  t.match(limiter.take('never seen'), { remaining: 2 }, 'nobody has more than the burst')
  limiter.giveBack('never seen', 100)
  t.match(limiter.take('never seen'), { remaining: 2 })
  t.match(
    limiter.take('b', 4),
    { allowed: false, remaining: 3 },
    'more than the burst never passes',
  )
  t.match(limiter.take('b', 3), { allowed: true, remaining: 0 })
  t.end()
})

t.test('never more passes than the rate allows, however the requests lie', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 250 }), { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 1, max: 7 }),
      fc.double({ min: 0.1, max: 90, noNaN: true }),
      (pauses, burst, intervalMs) => {
        const { clock, limiter } = clocked({ intervalMs, burst })
        const passed: number[] = []
        for (const pause of pauses) {
          clock.now += pause
          const verdict = limiter.take('a')
          if (verdict.allowed) passed.push(clock.now)
          else t.ok(verdict.retryMs > 0 && verdict.retryMs <= intervalMs * 1.001)
        }
        for (const [i, from] of passed.entries()) {
          const last = passed.at(-1) ?? from
          // A thousandth of an interval at each is rounding.
          const most = burst + ((last - from) / intervalMs) * 1.002 + 0.01
          t.ok(passed.length - i <= most, `${passed.length - i} of ${most}`)
        }
      },
    ),
  )
  t.end()
})

t.test('memory is bounded, and a flood of new keys does not free who is held back', (t) => {
  t.equal(GcraTable.bytesFor(65_536), 786_432)
  t.equal(GcraTable.bytesFor(1), 8 * 12)
  t.equal(GcraTable.bytesFor(9), 16 * 12)
  const { limiter } = clocked({ intervalMs: 60_000, burst: 5 }, 256)
  const held = Array.from({ length: 8 }, (_, i) => `held ${i}`)
  for (const key of held) for (let i = 0; i < 5; i++) limiter.take(key)
  for (let i = 0; i < 20_000; i++) limiter.take(`flood ${i}`)
  for (const key of held) t.equal(limiter.take(key).allowed, false, key)
  t.end()
})

t.test('two tables over the same memory count together', (t) => {
  const shared = new SharedArrayBuffer(GcraTable.bytesFor(64))
  const [one, other] = [new GcraTable(64, shared), new GcraTable(64, shared)]
  t.equal(one.take(1, 2, 1000, RATE, 2).remaining, 1)
  t.equal(other.take(1, 2, 1000, RATE, 1).remaining, 0)
  t.equal(one.take(1, 2, 1000, RATE, 1).allowed, false)
  t.equal(one.take(1, 3, 1000, RATE, 1).allowed, true, 'another print is another key')
  t.equal(one.take(1, 0, 1000, RATE, 3).allowed, true, 'a print of 0 is a key too')
  t.equal(one.take(1, 0, 1000, RATE, 1).allowed, false)
  t.end()
})
