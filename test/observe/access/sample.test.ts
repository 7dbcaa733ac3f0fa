/** Which requests are written where a part of them is enough. */
import t from 'tap'
import { createSample } from '../../../src/observe/access/sample.ts'
import { recordOf } from '../../support/records.ts'

const written = (
  rules: Parameters<typeof createSample>[0],
  parts: object,
  times: number,
): number => {
  const sample = createSample(rules)
  let count = 0
  for (let i = 0; i < times; i++) if (sample?.(recordOf(parts))) count++
  return count
}

t.test('a share of the requests is written, evenly, beginning with the first', async (t) => {
  const path = '/assets/a.css'
  for (const [share, count] of [
    [0, 0],
    [0.01, 10],
    [0.1, 100],
    [1 / 3, 334],
    [0.5, 500],
    [1, 1000],
  ] as const) {
    t.equal(written([{ prefix: '/assets/', share }], { path }, 1000), count, `${share}`)
  }
  t.equal(written([{ prefix: '/assets/', share: 0.1 }], { path }, 1), 1)
  t.equal(createSample([]), null, 'without rules nothing is asked')
})

t.test('the first rule that fits counts; what fits none is written', async (t) => {
  const rules = [
    { route: '/posts/<int:id>', share: 0 },
    { prefix: '/posts/', share: 0.5 },
  ]
  t.equal(written(rules, { path: '/posts/7', route: '/posts/<int:id>' }, 10), 0)
  t.equal(written(rules, { path: '/posts/new', route: '/posts/new' }, 10), 5)
  t.equal(written(rules, { path: '/other', route: '' }, 10), 10)
})

t.test('each rule counts for itself', async (t) => {
  const sample = createSample([
    { prefix: '/a', share: 0.5 },
    { prefix: '/b', share: 0.5 },
  ])
  const seen = ['/a', '/b', '/a', '/b', '/a', '/b'].map((path) => sample?.(recordOf({ path })))
  t.strictSame(seen, [true, true, false, false, true, true])
})

t.test('what the server has failed at is always written', async (t) => {
  t.equal(written([{ prefix: '/', share: 0 }], { status: 500 }, 10), 10)
  t.equal(written([{ prefix: '/', share: 0 }], { status: 499 }, 10), 0)
})
