import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Sample } from '../../bench/method/rounds.ts'
import { core, peersOf, ratioOf } from '../../bench/report/figures.ts'
import { runPage } from '../../bench/report/page.ts'
import { readRun, stemOf, write } from '../../bench/report/result.ts'
import { runTable } from '../../bench/report/table.ts'
import { rival, run, sample, scenario } from './sample-run.ts'

const HOSTILE = '<script>alert("1")</script> & co'

const two = run([
  scenario('small', [rival('uwas', [10, 12, 11]), rival('nginx', [20, 12, 33])]),
  scenario('large', [rival('uwas', [100, 100, 100]), rival(HOSTILE, [700, 700, 700])], {
    throughput: true,
    reads: true,
    leftOut: { h2o: 'the body is another' },
  }),
])

t.test('the ratio is the median of the ratios within a round', async (t) => {
  const [small] = two.scenarios
  t.same(small && ratioOf(small, small.rivals[1] as never, core), { middle: 2, low: 1, high: 3 })
})

t.test(
  'the best of a family is its peer: by CPU, or by requests a second where that counts',
  async (t) => {
    const cheap = { ...rival('cheap', [5]), family: 'one' }
    const fast = rival('fast', [], {
      family: 'one',
      samples: [sample(9, { requests: 5000 })],
    })
    const alone = rival('alone', [1])
    t.same([...peersOf(false, [fast, cheap, alone])], ['cheap'])
    t.same([...peersOf(true, [cheap, fast, alone])], ['fast'])
  },
)

t.test('the page needs nothing from elsewhere and runs nothing', async (t) => {
  const page = runPage(two)
  t.notMatch(page, /\b(src|href)="(?!#)/)
  t.notMatch(page, /@import|url\(/)
  t.notMatch(page, /<script/)
  t.match(page, /prefers-color-scheme: dark/)
  t.match(page, /<meta name="viewport" content="width=device-width/)
})

t.test('names from elsewhere are text in the page, never markup', async (t) => {
  const page = runPage(two)
  t.match(page, '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; co')
  t.match(page, 'a &lt;fast&gt; CPU')
})

t.test(
  'each chart has a name and words for those who do not see it, and a table beside it',
  async (t) => {
    const page = runPage(two)
    const charts = [...page.matchAll(/<svg role="img" aria-labelledby="(\S+) (\S+)"/g)]
    t.equal(charts.length, 4, 'overview, two of cost, one of throughput')
    for (const [, title, text] of charts) {
      t.match(page, new RegExp(`<title id="${title}">[^<]+</title>`))
      t.match(page, new RegExp(`<desc id="${text}">[^<]+</desc>`))
    }
    t.equal(new Set(charts.map(([, title]) => title)).size, charts.length)
    t.equal(page.match(/<table>/g)?.length, 2)
    t.match(page, 'h2o is left out here: the body is another')
  },
)

t.test('a bar is as long as its value, and cut where it would dwarf the others', async (t) => {
  const page = runPage(two)
  const small = page.slice(page.indexOf('id="small-cost-title"'), page.indexOf('id="large"'))
  const widths = [...small.matchAll(/class="whole" x="0" y="\d+" width="([\d.]+)%"/g)]
  // The axis ends with the longest whisker, at 33.
  t.same(
    widths.map(([, width]) => Number(width)),
    [33.33, 60.61],
  )
  t.notMatch(small, /class="gap"/)
  const large = page.slice(page.indexOf('id="large-cost-title"'))
  t.match(large, /class="gap"/)
  t.match(large, '700 µs')
})

t.test('the Markdown has a table a scenario and says what is not there', async (t) => {
  const text = runTable(two)
  t.match(text, 'commit 0123456789 with changes')
  t.match(text, '| uwas | 11.00 | 10.00 | 1,000 | 2.00 | 50.0 | 1.000 (1.000–1.000) |')
  t.match(text, '| nginx | 20.00 | 19.00 | 1,000 | 2.00 | 50.0 | 2.000 (1.000–3.000) |')
  t.match(text, 'Caddy is left out: caddy is not here: apt-get install caddy')
})

t.test('figures of a disturbed machine, and of a load that was the limit, say so', async (t) => {
  const of = (more: Partial<Sample>) => {
    const [first, second] = [sample(10), sample(10, more)]
    return run([
      scenario('small', [
        rival('quiet', [], { samples: [first] }),
        rival('<odd>', [], { samples: [second] }),
      ]),
    ])
  }
  const noisy = of({ processMicros: 4 })
  t.match(runTable(noisy), /The machine was disturbed: 60 % \(<odd>\) of the serving core's time/)
  t.match(runPage(noisy), 'The machine was disturbed: 60 % (&lt;odd&gt;)')
  t.notMatch(runTable(noisy), 'load generator')
  t.notMatch(
    runTable(of({ processMicros: 4, databaseMicros: 5 })),
    'disturbed',
    'the database counts',
  )
  // 50,000 requests of 10 µs: half of the second.
  const starved = of({ requests: 50_000, loadBusy: 0.99 })
  t.match(
    runTable(starved),
    /The load generator was the limit: .* for only 50 % \(<odd>\) of the time/,
  )
  t.notMatch(runTable(of({ requests: 99_000, loadBusy: 0.99 })), 'load generator', 'both are full')
  t.notMatch(runTable(of({ requests: 50_000, loadBusy: 0.5 })), 'load generator', 'both waited')
})

t.test('a result is read back as it was written', async (t) => {
  const dir = t.testdir()
  const file = write(`${stemOf(two, join(dir, 'new'))}.json`, JSON.stringify(two))
  t.equal(file, join(dir, 'new/2026-01-02T03-04-05-678Z.json'))
  t.same(readRun(file), two)
})

t.test('what is no result of the bench is refused, with what to do', async (t) => {
  const dir = t.testdir({ 'text.json': 'no JSON', 'old.json': '{"format":0,"scenarios":[]}' })
  t.throws(() => readRun(join(dir, 'text.json')), /text\.json cannot be read as JSON: /)
  t.throws(() => readRun(join(dir, 'absent.json')), /absent\.json cannot be read as JSON: ENOENT/)
  t.throws(
    () => readRun(join(dir, 'old.json')),
    /old\.json is no result of this bench \(format 1\): run the bench anew/,
  )
  writeFileSync(join(dir, 'null.json'), 'null')
  t.throws(() => readRun(join(dir, 'null.json')), /null\.json is no result of this bench/)
})
