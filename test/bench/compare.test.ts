import t from 'tap'
import { ofGroups, ofPairs } from '../../bench/method/rank.ts'
import { judgeCounts, judgeGroups, judgePairs, judgeRuns } from '../../bench/report/verdict.ts'
import { numbers } from '../../bench/scenarios/content.ts'
import { rival, run, scenario } from './sample-run.ts'

/** Numbers around 0 with a deviation of 1, the same at every run. */
function normal(seed: number): () => number {
  const next = numbers(seed)
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
}

function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i))
}

t.test('the interval of pairs is that of the signed ranks', async (t) => {
  const [two, four, eight, ten] = [
    [1, 3],
    [1, 2, 4, 8],
    times(8, (i) => i),
    times(10, (i) => 2 ** i),
  ]
  t.same(
    ofPairs(two, 0.99),
    { middle: 2, low: undefined, high: undefined },
    'two may agree by chance',
  )
  t.same(ofPairs(four, 0.875), { middle: 3.5, low: 1, high: 8 }, '2/16 of arrangements are outside')
  t.same(ofPairs(eight, 0.99), { middle: 3.5, low: 0, high: 7 }, '2/256 are outside')
  // Of ten, the sums 0 to 3 take 5/1024 at each end: the fourth mean from each end, of 1, 1.5, 2, 2.5 and 512, 384, 320, 288.
  const { low, high } = ofPairs(ten, 0.99)
  t.same({ low, high }, { low: 2.5, high: 288 })
})

t.test('the interval of two groups is that of the rank sums', async (t) => {
  const [a, b] = [times(5, (i) => i), times(5, (i) => 10 + i)]
  // 2/252 of the arrangements are outside of the smallest and the largest difference.
  t.same(ofGroups(a, b, 0.99), { middle: 10, low: 6, high: 14 })
  t.same(ofGroups(a.slice(0, 3), b.slice(0, 3), 0.99).low, undefined)
})

t.test(
  'a tenth more is found in the noise of this kind of measurement, and equal builds are equal',
  async (t) => {
    const noise = normal(11)
    // Each start has its own luck of about 3 %.
    const trial = (factor: number) => judgePairs(times(8, () => factor * Math.exp(0.03 * noise())))
    const judgements = (factor: number, what: string) =>
      times(500, () => trial(factor)).filter(({ judgement }) => judgement === what).length
    t.ok(judgements(1.1, 'B is dearer') >= 490)
    t.ok(judgements(1 / 1.1, 'B is cheaper') >= 490)
    t.ok(judgements(1, 'no difference shown') >= 490)
    t.equal(judgements(1.1, 'B is cheaper'), 0)
  },
)

t.test('counts of instructions are told apart from two hundredths on', async (t) => {
  const judged = (b: number) => judgeCounts(15_000, b).judgement
  t.equal(judged(15_250), 'no difference shown')
  t.equal(judged(14_750), 'no difference shown')
  t.equal(judged(15_350), 'B is dearer')
  t.equal(judged(14_650), 'B is cheaper')
  t.equal(judgeCounts(100, 110).ratio, 1.1)
})

t.test('too few starts, and a difference too small to matter, give no verdict', async (t) => {
  t.match(judgePairs(times(7, () => 2)), { judgement: 'too few values', ratio: 2, low: Number.NaN })
  t.match(judgePairs(times(8, () => 1.009)), { judgement: 'no difference shown' })
  t.match(judgePairs(times(8, () => 1.011)), { judgement: 'B is dearer' })
  t.match(
    judgeGroups(
      times(8, () => 1),
      times(8, () => 1.02),
    ),
    { judgement: 'no difference shown' },
  )
  t.match(
    judgeGroups(
      times(8, () => 1),
      times(8, () => 1.04),
    ),
    { judgement: 'B is dearer' },
  )
})

t.test('an hour in which all servers are slower does not count against uwas', async (t) => {
  const costs = (factor: number) => times(7, (i) => factor * (10 + i / 100))
  const inHour = (hour: number, own: number) =>
    run([
      scenario('small', [rival('uwas', costs(hour * own)), rival('nginx', costs(hour))]),
      scenario(`only-${hour}`, [rival('uwas', costs(1))]),
    ])
  const [before] = judgeRuns(inHour(1, 1), inHour(1.3, 1))
  t.match(before, { scenario: 'small', controls: ['nginx'], judgement: 'no difference shown' })
  const all = judgeRuns(inHour(1, 1), inHour(1.3, 1.1))
  t.equal(all.length, 1, 'scenarios that only one has are left out')
  t.match(all[0], { judgement: 'B is dearer' })
  t.ok(Math.abs((all[0]?.ratio ?? 0) - 1.1) < 0.01)
})

t.test('a rival of another version stands for nothing', async (t) => {
  const of = (version: string) =>
    run([
      scenario('small', [
        rival(
          'uwas',
          times(7, () => 10),
        ),
        rival(
          'nginx',
          times(7, () => 20),
          { version },
        ),
      ]),
    ])
  t.same(judgeRuns(of('1'), of('2'))[0]?.controls, [])
})
