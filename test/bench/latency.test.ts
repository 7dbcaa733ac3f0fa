import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import {
  buildOpenLoad,
  generatorLimit,
  missingOpenLoad,
  type OpenResult,
  openLoad,
  planOpenLoad,
  whyNotOpen,
} from '../../bench/method/open-load.ts'
import { latencyTable } from '../../bench/report/latency.ts'
import { latencyPage } from '../../bench/report/latency-page.ts'
import type { Scenario } from '../../bench/scenarios/scenario.ts'
import { run } from './sample-run.ts'

const RATE = 200
/** Any core that this process may use. */
const CORES = [0]

function asking(paths: readonly string[], more: Partial<Scenario> = {}): Scenario {
  return { name: 'x', title: 'x', files: () => [], paths, connections: 4, ...more }
}

const skip = missingOpenLoad() ?? (process.platform !== 'linux' && 'it is made of epoll')

/** A second of load on a server in this process. */
async function loaded(t: Test, paths: readonly string[], listener: RequestListener) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.closeAllConnections())
  t.teardown(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const dir = t.testdir()
  const plan = planOpenLoad(buildOpenLoad(dir), asking(paths), origin, { 'X-Field': 'v' }, dir)
  return await openLoad(plan, CORES, RATE, 1)
}

t.test(
  'a server that stops once is late for all that was due meanwhile, not for one request alone',
  { skip },
  async (t) => {
    const paths = Array.from({ length: RATE }, (_, i) => (i === 20 ? '/stop' : '/'))
    const result = await loaded(t, paths, ({ url }, response) => {
      // By the clock that the generator reads: Date.now() is of whole milliseconds, so it may end one early.
      const until = performance.now() + (url === '/stop' ? 400 : 0)
      while (performance.now() < until);
      response.end('x')
    })
    t.match(result, { requests: RATE, errors: 0 })
    // Of 200, one took 400 ms. Some 80 were due in that time: a generator that waited for it would find none late.
    t.ok(result.p99 > 300, `${result.p99} ms`)
    t.ok(result.most >= 400, `${result.most} ms`)
  },
)

t.test(
  'answers of every framing are told apart, and wrong ones are errors',
  { skip },
  async (t) => {
    const seen = new Map<string, number>()
    const paths = [
      '/length',
      '/none',
      '/chunked',
      '/unchanged',
      '/close',
      '/empty',
      '/wrong',
      '/broken',
    ]
    const result = await loaded(t, paths, (request, response) => {
      const { url = '' } = request
      seen.set(url, (seen.get(url) ?? 0) + (request.headers['x-field'] === 'v' ? 1 : 0))
      if (url === '/broken') return void request.socket.destroy()
      if (url === '/wrong') response.statusCode = 500
      if (url === '/none') response.statusCode = 204
      if (url === '/unchanged') response.statusCode = 304
      if (url === '/close') response.setHeader('Connection', 'close')
      if (url === '/chunked') {
        response.write('one')
        response.write('y'.repeat(100_000))
      }
      response.end(['/none', '/unchanged', '/empty'].includes(url) ? undefined : 'z'.repeat(3000))
    })
    t.same(
      Object.fromEntries(seen),
      Object.fromEntries(paths.map((path) => [path, RATE / paths.length])),
    )
    t.match(result, { requests: (RATE * 7) / 8, errors: (RATE * 2) / 8 })
  },
)

const quick: OpenResult = {
  requests: 500,
  errors: 0,
  seconds: 1,
  p50: 0.1,
  p99: 0.4,
  p999: 1,
  most: 2,
  lag99: 0.1,
  busy: 0.5,
}

t.test('it is said when the generator is the limit', async (t) => {
  t.equal(generatorLimit(quick), undefined)
  t.equal(generatorLimit({ ...quick, lag99: 1.5 }), 'the load generator was up to 1.5 ms late')
  t.match(generatorLimit({ ...quick, busy: 0.95 }), 'no pause (95 % busy)')
})

t.test('the table has each server at each rate, and what a server cannot reach', async (t) => {
  const row = (name: string, samples: OpenResult[]) => ({
    name,
    most: 1000,
    at: [{ rate: 500, samples }],
    half: { rate: 250, samples },
  })
  const slow = { ...quick, requests: 300, errors: 7, p99: 800 }
  const late = { ...quick, lag99: 9 }
  const text = latencyTable('small', [row('uwas', [quick, late, quick]), row('slow', [slow])])
  t.match(text, '| 500 | uwas | 0.10 | 0.40 | 1.00 | 2.0 | 0 |  |')
  t.match(text, '| 500 | slow | 0.10 | 800.00 | 1.00 | 2.0 | 7 | reaches 300 |')
  t.match(text, '| 250 (half of its most) | uwas |')
  t.match(latencyTable('small', [row('uwas', [late])]), 'the load generator was up to 9.0 ms late')
})

t.test(
  'the page has a chart for each rate, in words too, and lets no name be markup',
  async (t) => {
    const row = (name: string, samples: OpenResult[]) => ({
      name,
      most: 1000,
      at: [
        { rate: 250, samples },
        { rate: 500, samples },
      ],
      half: { rate: 500, samples },
    })
    const slow = { ...quick, requests: 300, p99: 800 }
    const rows = [row('uwas', [quick, { ...quick, p99: 0.6 }, quick]), row('<b>slow</b>', [slow])]
    const page = latencyPage(run([]), [{ scenario: 'small', title: 'a <small> one', rows }])
    const charts = [...page.matchAll(/<svg role="img" aria-labelledby="(\S+) (\S+)"/g)]
    t.equal(charts.length, 3)
    t.equal(new Set(charts.map(([, title]) => title)).size, 3)
    t.match(page, 'uwas 0.40 ms; &lt;b&gt;slow&lt;/b&gt; 800.00 ms (reaches 300).')
    t.match(page, 'a &lt;small&gt; one')
    t.notMatch(page, '<b>')
    t.notMatch(page, /\b(src|href)="(?!#)|<script|@import|url\(/)
    t.equal(page.match(/<th scope="row">uwas<\/th>/g)?.length, 3)
  },
)

t.test('scenarios whose answers cannot be timed one by one are refused', async (t) => {
  t.equal(whyNotOpen(asking(['/'])), undefined)
  t.match(whyNotOpen(asking(['/'], { pipelined: 16 })), 'sixteen at once')
  t.match(whyNotOpen(asking(['/'], { closes: true })), 'a connection of its own')
})
