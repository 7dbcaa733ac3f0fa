/** Views that are refused while there is too much to do: on all lanes alike, with a real pool and a real event loop. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { text } from '../../src/http/reply.ts'
import { atomic } from '../../src/model/atomic.ts'
import { DATABASE } from '../../src/model/database.ts'
import { socket } from '../../src/route/socket.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import type { UserConfig } from '../../src/was/config-types.ts'
import { temporaryFolder } from '../support/catalogue.ts'
import { authorityOf } from '../support/certificates.ts'
import { ask2, openHttp2 } from '../support/http2.ts'
import { testDatabaseUrl, until } from '../support/postgres.ts'
import { raw } from '../support/raw.ts'
import { siteOf, type TestSite } from '../support/serving.ts'
import { refusedWith } from '../support/sockets.ts'
import { rawTls } from '../support/tls.ts'

t.setTimeout(120_000)

const { certFile, keyFile } = authorityOf(t).issue('own', ['localhost', 'x'])
const JSON_TYPE = 'Accept: application/json'

/** A site that counts how often its views have run. */
async function site(t: Test, config: UserConfig) {
  const ran: string[] = []
  const view = (name: string) => () => {
    ran.push(name)
    return text(`${name}\n`)
  }
  const dir = temporaryFolder(t)
  writeFileSync(join(dir, 'a.txt'), 'a file\n')
  const made = await siteOf(t, {
    urls: urlconf(
      path('/view', view('view'), { methods: ['GET', 'POST'] }),
      path('/own-health', view('own health'), { shed: false }),
      path('/cached', view('cached'), { cached: { seconds: 600 } }),
      path('/old', view('old'), { cached: { seconds: 0, graceSeconds: 600 } }),
      path('/hold', (req) => atomic(req, () => holding(req.query.get('name') ?? ''))),
      socket('/chat', { message() {} }),
    ),
    static: dir,
    middleware: [
      (_req, next) => {
        ran.push('middleware')
        return next()
      },
    ],
    ...config,
  })
  return { ...made, ran }
}

const held = new Map<string, () => void>()

/** A view's transaction, which lasts until `held` says otherwise. */
function holding(name: string) {
  return new Promise<ReturnType<typeof text>>((resolve) => {
    held.set(name, () => resolve(text(`held ${name}\n`)))
  })
}

/** One transaction has the only connection, and another one waits for it until `release` is called. */
async function starve({ app, ask, backends }: TestSite) {
  held.clear()
  const first = ask('/hold?name=first')
  await until(() => held.has('first'))
  const second = ask('/hold?name=second')
  await until(() => app.services.get(DATABASE).stats.waiting === 1)
  await until(() => backends.shedder?.share === 1)
  return async () => {
    held.get('first')?.()
    await until(() => held.has('second'))
    held.get('second')?.()
    return [(await first).body.toString(), (await second).body.toString()]
  }
}

const starving = async (): Promise<UserConfig> => ({
  database: { url: await testDatabaseUrl(), poolSize: 2, acquireTimeoutMs: 100_000 },
  limits: { shed: { maxPoolWaitMs: 100, retryAfterSeconds: 7 } },
})

t.test('a starved pool: views are refused at once by every lane, all else passes', async (t) => {
  const tls = { port: 0, redirect: false, certificates: [{ certFile, keyFile }] }
  const own = await site(t, { ...(await starving()), tls, status: {} })
  const { ask, ran, server, log, backends } = own
  t.equal((await ask('/cached')).status, 200)
  const release = await starve(own)
  const before = ran.length

  const refused = await ask('/view', [JSON_TYPE])
  t.equal(refused.status, 503)
  t.equal(refused.headers['retry-after'], '7')
  t.equal(refused.headers['content-type'], 'application/problem+json')
  t.match(JSON.parse(refused.body.toString()), {
    status: 503,
    title: 'Service Unavailable',
    detail: 'the server has too much to do; try again later',
  })
  t.match((await ask('/view')).body.toString(), '<h1>503 Service Unavailable</h1>')
  t.equal((await ask('/view', ['Content-Length: 0'], 'POST')).status, 503)
  const chunked =
    'POST /view HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n'
  t.equal((await raw(server.port, chunked)).responses[0]?.status, 503, 'the strict lane')
  const old = await raw(server.port, 'GET /view HTTP/1.0\r\nHost: x\r\n\r\n')
  t.equal(old.responses[0]?.status, 503, 'HTTP/1.0')
  const secure = await rawTls(server.tlsPort, 'GET /view HTTP/1.1\r\nHost: localhost\r\n\r\n')
  t.equal(secure.responses[0]?.status, 503, 'TLS')
  const session = openHttp2(t, server.tlsPort)
  const second = await ask2(session, { ':path': '/view' })
  t.match(second, { status: 503, headers: { 'retry-after': '7' } }, 'HTTP/2')
  t.equal(await refusedWith(`ws://127.0.0.1:${server.port}/chat`), 503, 'a WebSocket')
  t.equal(
    await refusedWith(`wss://localhost:${server.tlsPort}/chat`, { rejectUnauthorized: false }),
    503,
  )
  t.equal(ran.length, before, 'nothing of the site has run for them')

  t.equal((await ask('/a.txt')).body.toString(), 'a file\n')
  t.equal((await ask2(session, { ':path': '/a.txt' })).status, 200)
  t.equal((await ask('/cached')).body.toString(), 'cached\n')
  t.equal((await ask('/healthz')).status, 200)
  t.equal((await ask('/readyz')).status, 200)
  t.equal((await ask('/own-health')).body.toString(), 'own health\n', 'as the route says')
  t.equal((await ask('/nothing')).status, 404)
  session.close()

  t.strictSame(await release(), ['held first\n', 'held second\n'], 'what had begun goes on')
  await until(() => backends.shedder?.share === 0)
  t.equal((await ask('/view')).status, 200)
  const told = log.filter((line) => /503|too much/.test(line))
  t.equal(told.length, 1, told.join('\n'))
  t.match(
    told[0],
    /the database has kept requests waiting for \d+ ms, and limits\.shed\.maxPoolWaitMs is 100$/,
  )
  t.strictSame(shedOf(own), [
    ['event_loop_delay', 0],
    ['pool_wait', 9],
  ])
})

/** What the metrics tell. */
function shedOf({ backends }: TestSite): unknown[] {
  const { metrics } = backends
  metrics?.collect()
  const { families = [], series = [], numbers = [] } = metrics ?? {}
  return series
    .filter(({ family }) => families[family]?.name === 'uwas_http_requests_shed_total')
    .map(({ labels, offset }) => [...labels, numbers[offset]])
}

t.test(
  'an old page is sent where making it anew is refused, without a word each time',
  async (t) => {
    const own = await site(t, await starving())
    const { ask, ran, log } = own
    t.equal((await ask('/old')).status, 200)
    const release = await starve(own)
    const before = ran.length
    const answer = await ask('/old')
    t.match(answer, { status: 200, headers: { 'cache-status': /^uwas; hit/ } })
    t.equal(answer.body.toString(), 'old\n')
    t.equal(ran.length, before)
    await release()
    t.notOk(log.some((line) => line.includes('the old page is sent')))
  },
)

t.test('a blocked event loop: views are refused, files are not, until it is free', async (t) => {
  const own = await site(t, { database: false, limits: { shed: { maxEventLoopDelayMs: 250 } } })
  const { ask, log, backends } = own
  let isBlocked = true
  const block = (): void => {
    const end = performance.now() + 400
    while (performance.now() < end);
    if (isBlocked) setTimeout(block, 1)
  }
  block()
  await until(() => backends.shedder?.share === 1)
  const [view, file, health] = await Promise.all([ask('/view'), ask('/a.txt'), ask('/healthz')])
  t.equal(view.status, 503)
  t.equal(view.headers['retry-after'], '10')
  t.equal(file.status, 200)
  t.equal(health.status, 200)
  isBlocked = false
  await until(() => backends.shedder?.share === 0)
  t.equal((await ask('/view')).status, 200)
  t.match(
    log.join('\n'),
    /too much to do, so views are answered 503: the event loop was \d+ ms late/,
  )
})

t.test('without the key nothing is measured, and nothing stands before views', async (t) => {
  const { app, backends, ask } = await site(t, { database: false, status: {} })
  t.equal(backends.shedder, null)
  t.equal(app.config.limits.shed, null)
  t.strictSame(shedOf({ backends } as TestSite), [])
  t.equal((await ask('/view')).status, 200)
})
