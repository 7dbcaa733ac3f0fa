import t from 'tap'
import type { MetricSamples } from '../../../src/observe/metrics/family.ts'
import { Registry } from '../../../src/observe/metrics/registry.ts'
import { Mirror, Reporter } from '../../../src/observe/metrics/report.ts'
import { Totals } from '../../../src/observe/metrics/totals.ts'

/** As one process hears of another: through JSON. */
function followed(registry: Registry): () => MetricSamples[] {
  const reporter = new Reporter(registry)
  const mirror = new Mirror()
  return () => {
    mirror.take(JSON.parse(JSON.stringify(reporter.report())))
    return mirror.samples()
  }
}

/** `name{a,b}` → numbers. */
function numbersOf(metrics: readonly MetricSamples[]): Record<string, number[]> {
  return Object.fromEntries(
    metrics.flatMap(({ family, samples }) =>
      samples.map(({ labels, values }) => [`${family.name}{${labels.join()}}`, [...values]]),
    ),
  )
}

t.test('what is counted reaches another process, and only what has changed is sent', async (t) => {
  const registry = new Registry()
  const requests = registry.counter('requests_total', { help: 'Requests.', labels: ['route'] })
  const seconds = registry.histogram('seconds', { help: 'Seconds.', bounds: [0.1, 1] }).at()
  const reporter = new Reporter(registry)
  const mirror = new Mirror()
  requests.at('/a').add()
  requests.at('/b').add(3)
  for (const value of [0.1, 0.5, 2]) seconds.observe(value)
  mirror.take(reporter.report())
  t.strictSame(numbersOf(mirror.samples()), {
    'requests_total{/a}': [1],
    'requests_total{/b}': [3],
    // A bound belongs to its own bucket.
    'seconds{}': [1, 1, 1, 2.6],
  })
  requests.at('/b').add()
  const next = reporter.report()
  t.strictSame([next.families, next.series, next.changed.length], [[], [], 2])
  mirror.take(next)
  t.strictSame(numbersOf(mirror.samples())['requests_total{/b}'], [4])
  t.strictSame(reporter.report().changed, [], 'nothing has happened')
})

t.test('numbers outgrow their array and stay what they were', async (t) => {
  const registry = new Registry()
  const samples = followed(registry)
  const early = registry.counter('early_total', { help: 'Early.' }).at()
  early.add(7)
  const many = registry.counter('many_total', { help: 'Many.', labels: ['n'] })
  for (let i = 0; i < 900; i++) many.at(String(i)).add(i)
  early.add()
  const numbers = numbersOf(samples())
  t.strictSame(numbers['early_total{}'], [8])
  t.strictSame(numbers['many_total{899}'], [899])
})

t.test('label values beyond the bound are one series, and long ones are cut', async (t) => {
  const registry = new Registry()
  const samples = followed(registry)
  const views = registry.counter('views_total', { help: 'V.', labels: ['a', 'b'], maxSeries: 2 })
  for (let i = 0; i < 1000; i++) views.at(String(i), 'x').add()
  t.strictSame(numbersOf(samples()), {
    'views_total{0,x}': [1],
    'views_total{1,x}': [1],
    'views_total{other,other}': [998],
  })
  const long = registry.gauge('long', { help: 'L.', labels: ['a'] })
  long.at('y'.repeat(5000)).set(1)
  long.at('y'.repeat(6000)).set(2)
  t.strictSame(numbersOf(samples())[`long{${'y'.repeat(200)}}`], [2])
})

t.test('label values never run into one another', async (t) => {
  const registry = new Registry()
  const samples = followed(registry)
  const pairs = registry.counter('pairs_total', { help: 'P.', labels: ['a', 'b'] })
  pairs.at('x","y', 'z').add()
  pairs.at('x', 'y","z').add()
  t.equal(samples()[0]?.samples.length, 2)
})

t.test('processes are summed up, and what has ended stays counted', async (t) => {
  const totals = new Totals()
  const workers = [1, 2].map((worker) => {
    const registry = new Registry()
    const samples = followed(registry)
    registry.counter('requests_total', { help: 'R.' }).at().add(worker)
    registry.gauge('open', { help: 'O.' }).at().set(worker)
    registry.gauge('oldest', { help: 'O.', merge: 'max' }).at().set(worker)
    registry
      .gauge('memory', { help: 'M.', merge: 'worker' })
      .at()
      .set(worker * 10)
    registry
      .histogram('seconds', { help: 'S.', bounds: [1] })
      .at()
      .observe(worker)
    return { metrics: samples(), worker }
  })
  t.strictSame(numbersOf(totals.sum(workers)), {
    'memory{1}': [10],
    'memory{2}': [20],
    'oldest{}': [2],
    'open{}': [3],
    'requests_total{}': [3],
    'seconds{}': [1, 1, 3],
  })
  totals.retire(workers[0]?.metrics ?? [])
  const [, second] = workers
  t.strictSame(numbersOf(totals.sum(second === undefined ? [] : [second])), {
    'memory{2}': [20],
    'oldest{}': [2],
    'open{}': [2],
    'requests_total{}': [3],
    'seconds{}': [1, 1, 3],
  })
  totals.retire(second?.metrics ?? [])
  t.strictSame(numbersOf(totals.sum([])), { 'requests_total{}': [3], 'seconds{}': [1, 1, 3] })
})

t.test('the least of several gauges counts, and one that has no value not at all', async (t) => {
  const totals = new Totals()
  const workers = [7, 5].map((seconds) => {
    const registry = new Registry()
    const ends = registry.gauge('ends', { help: 'E.', labels: ['name'], merge: 'min' })
    const samples = followed(registry)
    ends.at('a').set(seconds)
    ends.at(`b${seconds}`).set(1)
    return { ends, samples }
  })
  const sum = () =>
    numbersOf(totals.sum(workers.map(({ samples }, i) => ({ metrics: samples(), worker: i + 1 }))))
  t.strictSame(sum(), { 'ends{a}': [5], 'ends{b5}': [1], 'ends{b7}': [1] })
  for (const { ends } of workers) ends.at('b7').clear()
  workers[1]?.ends.at('a').clear()
  t.strictSame(sum(), { 'ends{a}': [7], 'ends{b5}': [1] })
  t.strictSame(sum(), { 'ends{a}': [7], 'ends{b5}': [1] }, 'and it stays so')
  workers[1]?.ends.at('a').set(3)
  t.strictSame(sum(), { 'ends{a}': [3], 'ends{b5}': [1] })
})

t.test('a metric that means something else after a reload begins anew', async (t) => {
  const totals = new Totals()
  const before = new Registry()
  const samplesBefore = followed(before)
  before
    .counter('done_total', { help: 'D.', labels: ['kind'] })
    .at('a')
    .add(5)
  totals.retire(samplesBefore())
  const after = new Registry()
  const samplesAfter = followed(after)
  after
    .counter('done_total', { help: 'D.', labels: ['kind', 'size'] })
    .at('a', 's')
    .add()
  t.strictSame(numbersOf(totals.sum([{ metrics: samplesAfter(), worker: 1 }])), {
    'done_total{a,s}': [1],
  })
})

t.test('series of processes that have ended are bounded', async (t) => {
  const totals = new Totals()
  for (let round = 0; round < 12; round++) {
    const registry = new Registry()
    const samples = followed(registry)
    const done = registry.counter('done_total', { help: 'D.', labels: ['n'] })
    for (let i = 0; i < 1000; i++) done.at(`${round}-${i}`).add()
    totals.retire(samples())
  }
  const [family] = totals.sum([])
  t.equal(family?.samples.length, 10_001)
  const all = family?.samples.reduce((sum, { values }) => sum + (values[0] ?? 0), 0)
  t.equal(all, 12_000, 'all are counted')
})
