/** What becomes of spans when the collector is well, slow, down, or talks nonsense. */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createLog } from '../../../src/core/log.ts'
import { encodeSpan, envelopeOf, KIND } from '../../../src/observe/tracing/encode.ts'
import { ExportQueue, type ExportQueueOptions } from '../../../src/observe/tracing/export-queue.ts'
import { type Collector, collectorOf } from '../../support/collector.ts'

const SPAN = encodeSpan({
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  parentId: '',
  isParentRemote: false,
  flags: 1,
  state: '',
  name: 'GET /',
  kind: KIND.server,
  startMs: 1,
  endMs: 2,
  attributes: [],
  hasFailed: false,
})

function queueOf(t: Test, endpoint: string, more: Partial<ExportQueueOptions> = {}) {
  const log: string[] = []
  const queue = new ExportQueue({
    endpoint,
    headers: { 'X-Key': 'k' },
    timeoutMs: 1000,
    maxQueuedSpans: 2048,
    envelope: envelopeOf([['service.name', 'tests']], '1'),
    log: createLog((line) => log.push(line)),
    gatherMs: 10,
    firstRetryMs: 5,
    ...more,
  })
  t.teardown(() => queue.close())
  const add = (count: number): void => {
    for (let i = 0; i < count; i++) if (queue.hasRoom()) queue.add(SPAN)
  }
  return { queue, log, add }
}

const until = async (isSo: () => boolean): Promise<void> => {
  for (let i = 0; i < 2000 && !isSo(); i++) await sleep(5)
}

const asked = ({ requests }: Collector): number => requests.length

t.test('spans are gathered, 512 at most together, with the fields of the site', async (t) => {
  const collector = await collectorOf(t)
  const { queue, log, add } = queueOf(t, `${collector.url}/v1/traces`)
  add(1100)
  await queue.close()
  t.equal(collector.spans.length, 1100)
  t.equal(asked(collector), 3)
  t.match(collector.requests[0], { path: '/v1/traces', headers: { 'x-key': 'k' } })
  t.same([queue.sent, queue.dropped, log, collector.problems], [1100, 0, [], []])
})

t.test('few are sent when their time has come', async (t) => {
  const collector = await collectorOf(t)
  const { queue, add } = queueOf(t, collector.url)
  add(1)
  await until(() => queue.sent === 1)
  add(1)
  await until(() => queue.sent === 2)
  t.equal(asked(collector), 2)
})

for (const status of [429, 502, 503, 504]) {
  t.test(`${status} is tried again, after the time that it says`, async (t) => {
    const collector = await collectorOf(t)
    const { queue, log, add } = queueOf(t, collector.url, { firstRetryMs: 60_000 })
    collector.answer = (res) => {
      collector.answer = undefined
      res.writeHead(status, { 'Retry-After': '0' }).end()
    }
    add(3)
    await until(() => queue.sent === 3)
    t.same([queue.sent, queue.dropped, asked(collector)], [3, 0, 2])
    t.equal(log.length, 1)
    t.match(log[0], `spans cannot be sent, and are tried again: it answers ${status}`)
  })
}

t.test(
  'after five attempts they are given up, and so at once where trying is in vain',
  async (t) => {
    const collector = await collectorOf(t)
    const { queue, log, add } = queueOf(t, collector.url)
    collector.answer = (res) => res.writeHead(503).end()
    add(2)
    await until(() => queue.dropped === 2)
    t.equal(asked(collector), 5)
    collector.answer = (res) =>
      res.writeHead(401, { 'Content-Type': 'text/plain' }).end('who are\nyou?')
    add(3)
    await until(() => queue.dropped === 5)
    t.equal(asked(collector), 6)
    t.equal(log.length, 1, 'the log hears of it once a minute')
    collector.answer = undefined
    add(1)
    await until(() => queue.sent === 1)
    await queue.close()
    t.match(log[1], /: 5 spans were lost: the server has stopped$/, 'and of all at the end')
  },
)

t.test('what a collector refuses of a batch is counted', async (t) => {
  const collector = await collectorOf(t)
  const { queue, log, add } = queueOf(t, collector.url)
  collector.answer = (res) =>
    res
      .setHeader('Content-Type', 'application/json')
      .end('{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}')
  add(5)
  await until(() => queue.sent > 0)
  t.same([queue.sent, queue.dropped], [3, 2])
  t.match(log, [/2 spans were lost: too old$/])
})

t.test('answers that are nonsense, endless or late cost only their spans', async (t) => {
  const collector = await collectorOf(t)
  const { queue, add } = queueOf(t, collector.url, { timeoutMs: 100 })
  const answers: NonNullable<Collector['answer']>[] = [
    (res) => res.setHeader('Content-Type', 'application/json').end('{"partialSuccess": nonsense'),
    (res) => res.setHeader('Content-Type', 'application/json').end('null'),
    (res) => {
      const write = (): void => {
        while (!res.destroyed && res.write('x'.repeat(10_000)));
      }
      res.on('drain', write)
      write()
    },
  ]
  for (const [i, answer] of answers.entries()) {
    collector.answer = answer
    add(1)
    await until(() => queue.sent === i + 1)
    t.equal(queue.sent, i + 1)
  }
  collector.answer = () => {}
  add(1)
  await until(() => queue.dropped === 1)
  t.same([queue.sent, queue.dropped], [3, 1])
  collector.answer = (res) => res.socket?.destroy()
  add(1)
  await until(() => queue.dropped === 2)
  t.equal(queue.dropped, 2)
})

t.test('a collector that answers 101 is none', async (t) => {
  const collector = await collectorOf(t)
  const { queue, log, add } = queueOf(t, collector.url)
  collector.answer = (res) =>
    res.socket?.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    )
  add(1)
  await until(() => queue.dropped === 1)
  t.equal(queue.dropped, 1)
  t.match(log.join('\n'), /it answers 101/)
})

t.test('what a collector says stands in one line of the log', async (t) => {
  const collector = await collectorOf(t)
  const { queue, log, add } = queueOf(t, collector.url)
  collector.answer = (res) =>
    res.writeHead(400, { 'Content-Type': 'text/plain' }).end('no\u2028really\u0085\x1b[2Jnot')
  add(1)
  await until(() => queue.dropped === 1)
  t.match(log, [/: it answers 400: no really \[2Jnot$/])
})

t.test('a collector that hangs fills the queue, and the rest is dropped and counted', async (t) => {
  const collector = await collectorOf(t)
  const { queue, log, add } = queueOf(t, collector.url, { maxQueuedSpans: 600, timeoutMs: 60_000 })
  collector.answer = () => {}
  add(10_000)
  t.equal(queue.dropped, 9400)
  t.match(log, [/1 span was lost: the collector takes them more slowly than they come$/])
  const from = performance.now()
  await queue.close()
  t.ok(performance.now() - from < 10_000, 'and holds up no stop')
  t.equal(queue.dropped, 10_000)
  t.match(log[1], /9999 spans were lost: the server has stopped$/)
  add(1)
  t.equal(queue.dropped, 10_001, 'nothing is taken any more')
})

t.test(
  'a collector that is down costs nobody anything, and a stop hurries the last attempt',
  async (t) => {
    const gone = await collectorOf(t)
    await gone.close()
    const { queue, log, add } = queueOf(t, gone.url, { firstRetryMs: 60_000 })
    add(4)
    await until(() => log.length === 1)
    t.match(log, [/tried again: .*ECONNREFUSED/])
    await queue.close()
    t.equal(queue.dropped, 4)
    t.notMatch(log.join('\n'), /X-Key/)
  },
)
