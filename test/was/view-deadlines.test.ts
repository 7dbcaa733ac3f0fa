import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createLog } from '../../src/core/log.ts'
import { Services } from '../../src/core/services.ts'
import { html, stream, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { atomic } from '../../src/model/atomic.ts'
import { DATABASE } from '../../src/model/database.ts'
import { statement } from '../../src/model/statement.ts'
import { compileUrls } from '../../src/route/compile.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { createDispatcher } from '../../src/was/dispatch.ts'
import { createErrorPages } from '../../src/was/error-pages.ts'
import { runSql, testDatabase } from '../support/postgres.ts'
import { requestOf } from '../support/request.ts'

const log: string[] = []

function dispatcherOf(view: (req: Request) => Promise<never> | unknown, timeoutMs?: number) {
  const urls = compileUrls(
    urlconf(path('/', view as never, timeoutMs === undefined ? {} : { timeoutMs })),
  )
  return createDispatcher({
    urls,
    middleware: [],
    errorPages: createErrorPages({ log: createLog((line) => log.push(line)) }),
    maxBodyBytes: 1024,
    viewTimeoutMs: 100,
    fileMethods: () => undefined,
  })
}

t.test('a view that takes too long is 503, and hears of it', async (t) => {
  let reason: unknown
  const { dispatch } = dispatcherOf(async (req) => {
    req.signal.addEventListener('abort', () => {
      reason = req.signal.reason
    })
    await sleep(400)
    return text('late')
  })
  const req = requestOf('GET', '/')
  const reply = await dispatch(req)
  t.equal(reply.status, 503)
  t.strictSame(
    reply.headers?.find(([name]) => name === 'Retry-After'),
    ['Retry-After', '1'],
  )
  t.equal(req.isAborted, true)
  t.match(reason, {
    code: 'UWAS_ERR_WAS_VIEW_TIMEOUT',
    message: 'the view did not answer within 100 ms',
  })
  t.match(log.join('\n'), /GET \/ → 503 .*did not answer within 100 ms/)
})

t.test('a stream that comes too late is let go of', async (t) => {
  let isReturned = false
  async function* late(): AsyncGenerator<string> {
    try {
      yield 'x'
    } finally {
      isReturned = true
    }
  }
  const body = late()
  await body.next()
  const { dispatch } = dispatcherOf(async () => {
    await sleep(300)
    return stream(body, 'text/plain')
  })
  t.equal((await dispatch(requestOf('GET', '/'))).status, 503)
  for (let i = 0; i < 200 && !isReturned; i++) await sleep(10)
  t.equal(isReturned, true)
})

t.test('a route may have more time, or none to lose', async (t) => {
  const slow = async () => {
    await sleep(300)
    return html('there')
  }
  t.equal((await dispatcherOf(slow, 0).dispatch(requestOf('GET', '/'))).status, 200)
  t.equal((await dispatcherOf(slow, 60_000).dispatch(requestOf('GET', '/'))).status, 200)
  t.equal((await dispatcherOf(slow, 20).dispatch(requestOf('GET', '/'))).status, 503)
  for (const timeoutMs of [-1, 1.5, Number.NaN, '5' as never]) {
    t.throws(() => path('/', slow, { timeoutMs }), {
      code: 'UWAS_ERR_CORE_INVALID_OPTION',
      message: /timeoutMs is .*; it has to be a whole number from 0 on/,
    })
  }
})

t.test('what a view that took too long has done in its transaction is undone', async (t) => {
  const db = await testDatabase(t, 'create table done (id int)')
  const add = statement('late.add', { sql: 'insert into done values (1)' })
  let failure: unknown
  const { dispatch } = dispatcherOf(async (req) => {
    try {
      await atomic(req, async (tx) => {
        await add.run(tx)
        await sleep(300)
      })
    } catch (error) {
      failure = error
    }
    return text('late')
  })
  const services = new Services().provide(DATABASE, db)
  t.equal((await dispatch(requestOf('GET', '/', { services }))).status, 503)
  for (let i = 0; i < 200 && failure === undefined; i++) await sleep(10)
  t.match(failure, {
    code: 'UWAS_ERR_MODEL_ABANDONED',
    message: /^the transaction was rolled back: the client has gone or the time/,
  })
  t.strictSame(await runSql(db, 'select count(*) from done'), [['0']])
})
