/** Statements and transactions in a trace, on a real PostgreSQL. */
import t from 'tap'
import { text } from '../../../src/http/reply.ts'
import { pg } from '../../../src/index.ts'
import { atomic } from '../../../src/model/atomic.ts'
import { statement } from '../../../src/model/statement.ts'
import { span } from '../../../src/observe/tracing/span.ts'
import { path, urlconf } from '../../../src/route/urlconf.ts'
import { collectorOf, type ToldSpan } from '../../support/collector.ts'
import { testDatabaseUrl } from '../../support/postgres.ts'
import { siteOf } from '../../support/serving.ts'

const row = { n: pg.int }
const plus = statement('traced: plus', {
  params: { n: pg.int },
  row,
  sql: 'select $1::int + 1 as n',
  repeats: true,
})
const fails = statement('traced: fails', { row, sql: 'select 1 / (select 0) as n' })
const rows = statement('traced: rows', { row, sql: 'with a as (select 1 as n) select n from a' })

const urls = urlconf(
  path('/one', async (req) => text(String((await plus.one(req, { n: 41_414 })).n))),
  path('/many', async (req) => {
    await atomic(req, async (tx) => {
      await plus.one(tx, { n: 1 })
      await span(req, 'in it', () => plus.one(tx, { n: 2 }))
      await atomic(tx, (inner) => rows.all(inner))
    })
    await plus.one(req, { n: 3 })
    return text('done')
  }),
  path('/fails', async (req) => text(String(await atomic(req, (tx) => fails.one(tx))))),
)

t.test('statements and transactions are spans, without values', async (t) => {
  const collector = await collectorOf(t)
  const database = await testDatabaseUrl()
  const site = await siteOf(t, { urls, database, tracing: { endpoint: collector.url } })
  for (const one of ['/one', '/many', '/fails']) await site.ask(one)
  await site.backends.tracer?.close()
  t.same(collector.problems, [])
  const { spans } = collector
  const of = (name: string): ToldSpan[] => {
    const traceId = spans.find((one) => one.name === name)?.traceId
    return spans.filter((one) => one.traceId === traceId)
  }
  const treeOf = (all: readonly ToldSpan[]) =>
    all.map(({ name, parentSpanId }) => [
      name,
      all.find(({ spanId }) => spanId === parentSpanId)?.name,
    ])
  t.match(of('GET /one')[1], {
    name: 'traced: plus',
    kind: 3,
    status: {},
    attributes: {
      'db.system.name': 'postgresql',
      'db.query.summary': 'traced: plus',
      'db.query.text': 'select $1::int + 1 as n',
      'db.operation.name': 'SELECT',
    },
  })
  t.notMatch(JSON.stringify(spans), /41414/)
  t.same(treeOf(of('GET /many')), [
    ['GET /many', undefined],
    ['traced: plus', 'transaction'],
    ['traced: plus', 'in it'],
    ['in it', 'transaction'],
    ['traced: rows', 'savepoint'],
    ['savepoint', 'transaction'],
    ['transaction', 'GET /many'],
    ['traced: plus', 'GET /many'],
  ])
  const rowsSpan = spans.find(({ name }) => name === 'traced: rows')
  t.equal(rowsSpan?.attributes['db.operation.name'], undefined, 'what a WITH does is not guessed')
  const [request, statementSpan, transaction] = of('GET /fails')
  t.match(statementSpan, {
    name: 'traced: fails',
    status: { code: 2 },
    attributes: { 'error.type': '22012', 'db.response.status_code': '22012' },
  })
  t.match(transaction, { name: 'transaction', status: { code: 2 } })
  t.match(request, { status: { code: 2 }, attributes: { 'http.response.status_code': 500 } })
})
