import t from 'tap'
import { Backoff } from '../../src/supervisor/backoff.ts'
import { enough } from '../../src/supervisor/limits.ts'
import { workersOf } from '../../src/was/workers.ts'

const LIMITS = workersOf({ maxMemoryBytes: 100_000_000, maxRequests: 1000, maxAgeSeconds: 100 })
const YOUNG = { memoryBytes: 50_000_000, requests: 10, readyAt: 0 }

t.test('a worker has served enough when one of its limits says so', async (t) => {
  t.equal(enough(YOUNG, LIMITS, 0, 1000), null)
  t.equal(enough({ ...YOUNG, requests: 1000 }, LIMITS, 0, 1000), 'it has answered 1000 requests')
  t.equal(enough(YOUNG, LIMITS, 0, 100_000), 'it has served for 100 s')
  t.equal(
    enough({ ...YOUNG, memoryBytes: 100_000_001 }, LIMITS, 0, 1000),
    'it has 95 MiB of memory',
  )
  t.equal(enough({ memoryBytes: 1e12, requests: 1e12, readyAt: 0 }, workersOf(2), 0, 1e12), null)
})

t.test('requests and age vary by a tenth from worker to worker, memory does not', async (t) => {
  t.equal(enough({ ...YOUNG, requests: 950 }, LIMITS, 0, 1000), null)
  t.ok(enough({ ...YOUNG, requests: 900 }, LIMITS, -1, 1000))
  t.equal(enough({ ...YOUNG, requests: 1099 }, LIMITS, 1, 1000), null)
  t.ok(enough(YOUNG, LIMITS, -1, 90_000))
  t.equal(enough(YOUNG, LIMITS, 1, 109_000), null)
  t.equal(enough({ ...YOUNG, memoryBytes: 95_000_000 }, LIMITS, -1, 1000), null)
})

t.test(
  'the first end is made good at once, each further one later, up to a second, or half a minute',
  async (t) => {
    const backoff = new Backoff()
    t.equal(backoff.next(5000), 0)
    t.strictSame(
      [1, 2, 3].map(() => backoff.next(100)),
      [200, 400, 800],
    )
    for (let i = 0; i < 20; i++) backoff.next(0)
    t.equal(backoff.next(0), 30_000, 'while none becomes ready')
    t.equal(backoff.next(100), 1000, 'one that serves for a while is better than none')
    t.equal(backoff.next(30_000), 0, 'a long life makes it good')
    backoff.reset()
    t.equal(backoff.next(0), 100, 'so does a success')
    t.equal(new Backoff().next(0), 100, 'one that never was ready is not tried again at once')
  },
)
