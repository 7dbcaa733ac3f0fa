/** Traces of a whole site, as a collector gets them. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { HttpError } from '../../../src/http/http-error.ts'
import { stream, text } from '../../../src/http/reply.ts'
import type { Request } from '../../../src/http/request.ts'
import { span, traceHeaders } from '../../../src/observe/tracing/span.ts'
import { socket } from '../../../src/route/socket.ts'
import { path, urlconf } from '../../../src/route/urlconf.ts'
import type { UserConfig } from '../../../src/was/config-types.ts'
import { render } from '../../../src/was/render.ts'
import { temporaryFolder, writeTree } from '../../support/catalogue.ts'
import { collectorOf, type ToldSpan } from '../../support/collector.ts'
import { raw } from '../../support/raw.ts'
import { siteOf } from '../../support/serving.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const CALLER = 'b7ad6b7169203331'

async function tracedSite(t: Test, urls: UserConfig['urls'], more: Partial<UserConfig> = {}) {
  const collector = await collectorOf(t)
  const { tracing = {}, ...rest } = more
  const config: UserConfig = {
    urls,
    database: false,
    ...rest,
    tracing: { endpoint: collector.url, serviceName: 'shop', ...(tracing || {}) },
  }
  const site = await siteOf(t, config)
  /** All spans, once the queue has been emptied. */
  const told = async (): Promise<readonly ToldSpan[]> => {
    await site.backends.tracer?.close()
    t.same(collector.problems, [], 'all is by the protocol')
    return collector.spans
  }
  return { ...site, collector, told }
}

const parentOf = (spans: readonly ToldSpan[], name: string): string | undefined => {
  const child = spans.find((one) => one.name === name)
  return spans.find(({ spanId }) => spanId === child?.parentSpanId)?.name
}

t.test(
  "a request is told as a span by the conventions, continuing its caller's trace",
  async (t) => {
    const site = await tracedSite(t, urlconf(path('/posts/<int:id>', () => text('yes'))))
    await site.ask('/posts/7?token=secret&page=2', [
      `traceparent: 00-${TRACE}-${CALLER}-01`,
      'tracestate: a=1',
      'tracestate: b=2',
      'User-Agent: tests',
      'Host: shop.test:8080',
    ])
    const [one, ...others] = await site.told()
    t.same(others, [])
    t.match(one, {
      traceId: TRACE,
      parentSpanId: CALLER,
      traceState: 'a=1,b=2',
      flags: 0x301,
      name: 'GET /posts/<int:id>',
      kind: 2,
      status: {},
      resource: {
        'service.name': 'shop',
        'telemetry.sdk.name': 'uwas',
        'process.pid': process.pid,
      },
    })
    t.same(one?.attributes, {
      'http.request.method': 'GET',
      'http.route': '/posts/<int:id>',
      'url.path': '/posts/7',
      'url.query': 'token=***&page=2',
      'url.scheme': 'http',
      'server.address': 'shop.test',
      'server.port': 8080,
      'network.protocol.version': '1.1',
      'client.address': '127.0.0.1',
      'user_agent.original': 'tests',
      'http.response.status_code': 200,
    })
    t.match(one?.spanId, /^[0-9a-f]{16}$/)
    t.ok(Math.abs((one?.endMs ?? 0) - Date.now()) < 60_000, 'it ended about now')
    t.ok((one?.startMs ?? 0) <= (one?.endMs ?? 0))
    t.match(site.collector.requests, [
      {
        path: '/v1/traces',
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      },
    ])
  },
)

t.test('a trace begins where none came, or what came is not by the grammar', async (t) => {
  const site = await tracedSite(t, urlconf(path('/', () => text('yes'))))
  await site.ask('/', [])
  await site.ask('/', [`traceparent: 00-${TRACE.toUpperCase()}-${CALLER}-01`])
  await site.ask('/', [
    `traceparent: 00-${TRACE}-${CALLER}-01`,
    `traceparent: 00-${TRACE}-${CALLER}-01`,
  ])
  const spans = await site.told()
  t.equal(spans.length, 3)
  for (const { traceId, parentSpanId, flags } of spans) {
    t.not(traceId, TRACE)
    t.equal(parentSpanId, undefined)
    t.equal(flags, 0x103, 'sampled, of a random id, no remote parent')
  }
  t.equal(new Set(spans.map(({ traceId }) => traceId)).size, 3)
})

t.test('parts of a site are spans in one another, each in its own request', async (t) => {
  const seen: Record<string, string>[] = []
  const view = async (req: Request) => {
    const name = req.path.slice(1)
    await span(req, `outer ${name}`, async (info) => {
      info.set('app.name', name)
      await sleep(name === 'a' ? 20 : 5)
      await Promise.all(
        [1, 2].map((n) =>
          span(
            req,
            `inner ${name} ${n}`,
            async () => {
              await sleep(5)
              seen.push(traceHeaders(req))
            },
            { kind: 'client', attributes: { n, half: 0.5, yes: true } },
          ),
        ),
      )
    })
    span(req, `at once ${name}`, () => 1)
    return text(name)
  }
  const site = await tracedSite(t, urlconf(path('/a', view), path('/b', view)))
  await Promise.all([site.ask('/a'), site.ask('/b')])
  const spans = await site.told()
  t.equal(spans.length, 10)
  for (const name of ['a', 'b']) {
    t.equal(parentOf(spans, `outer ${name}`), `GET /${name}`)
    t.equal(parentOf(spans, `inner ${name} 1`), `outer ${name}`)
    t.equal(parentOf(spans, `inner ${name} 2`), `outer ${name}`)
    t.equal(parentOf(spans, `at once ${name}`), `GET /${name}`)
    const all = spans.filter((one) => one.name.split(/[ /]/).includes(name))
    t.equal(all.length, 5)
    t.equal(new Set(all.map(({ traceId }) => traceId)).size, 1, 'one trace a request')
  }
  t.match(
    spans.find((one) => one.name === 'inner a 2'),
    {
      kind: 3,
      attributes: { n: 2, half: 0.5, yes: true },
    },
  )
  t.match(
    spans.find((one) => one.name === 'outer b'),
    { kind: 1, attributes: { 'app.name': 'b' } },
  )
  const inner = spans.filter((one) => one.name.startsWith('inner'))
  t.same(
    seen.map(({ traceparent }) => traceparent).sort(),
    inner.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-03`).sort(),
    'who is asked inside of a span has that one as parent',
  )
})

t.test('failures are told by their code or class, and never by their words', async (t) => {
  const site = await tracedSite(
    t,
    urlconf(
      path('/thrown', () => {
        throw new TypeError('the secret')
      }),
      path('/busy', () => {
        throw new HttpError(503, 'secret')
      }),
      path('/gone', () => {
        throw new HttpError(404)
      }),
      path('/part', async (req) => {
        await span(req, 'fails', () => Promise.reject(new RangeError('the secret'))).catch(() => {})
        return text('all the same')
      }),
    ),
  )
  for (const one of ['/thrown', '/busy', '/gone', '/part']) await site.ask(one)
  const spans = await site.told()
  const found = (name: string) => spans.find((one) => one.name === name)
  t.match(found('GET /thrown'), { status: { code: 2 }, attributes: { 'error.type': 'TypeError' } })
  t.match(found('GET /busy'), { status: { code: 2 }, attributes: { 'error.type': 'HttpError' } })
  t.same(found('GET /gone')?.status, {}, 'a mistake of the client is none of the server')
  t.equal(found('GET /gone')?.attributes['error.type'], undefined)
  t.match(found('fails'), { status: { code: 2 }, attributes: { 'error.type': 'RangeError' } })
  t.same(found('GET /part')?.status, {})
  t.notMatch(JSON.stringify(spans), /secret/)
  const traceId = found('GET /thrown')?.traceId
  t.ok(
    site.log.some((line) => line.includes(`, trace ${traceId})`)),
    'the error log names the trace',
  )
})

t.test('streams, clients that go, and replies that break off', async (t) => {
  async function* slowly() {
    yield 'a'
    await sleep(50)
    yield 'b'
  }
  async function* breaks() {
    yield 'a'
    throw new RangeError('no more')
  }
  let began = (): void => {}
  const running = new Promise<void>((resolve) => {
    began = resolve
  })
  const site = await tracedSite(
    t,
    urlconf(
      path('/stream', () => stream(slowly(), 'text/plain')),
      path('/breaks', () => stream(breaks(), 'text/plain')),
      path('/never', () => {
        began()
        return new Promise<never>(() => {})
      }),
    ),
  )
  await site.ask('/stream')
  await raw(site.server.port, 'GET /breaks HTTP/1.1\r\nHost: x\r\n\r\n', { untilClosed: true })
  const client = connect(site.server.port, '127.0.0.1')
  client.write('GET /never HTTP/1.1\r\nHost: x\r\n\r\n')
  await running
  client.resetAndDestroy()
  await sleep(50)
  const spans = await site.told()
  const [whole, broken, gone] = ['stream', 'breaks', 'never'].map((name) =>
    spans.find((one) => one.name === `GET /${name}`),
  )
  t.ok((whole?.endMs ?? 0) - (whole?.startMs ?? 0) >= 45, 'to its last byte')
  t.match(broken, {
    status: { code: 2 },
    attributes: { 'http.response.status_code': 200, 'error.type': 'RangeError' },
  })
  t.same(gone?.status, {})
  t.equal(gone?.attributes['error.type'], 'client_closed')
  t.equal(gone?.attributes['http.response.status_code'], undefined, 'none was sent')
})

t.test(
  'handshakes, unknown methods and cached pages are told; files and refusals are not',
  async (t) => {
    const dir = await writeTree(temporaryFolder(t), { 'a.css': 'p { color: red }' })
    const site = await tracedSite(
      t,
      urlconf(
        socket('/live', { message() {} }),
        path('/kept', () => text('kept'), { cached: { seconds: 60 } }),
      ),
      { static: dir },
    )
    await site.ask('/a.css')
    await site.ask('/%')
    await site.ask('/kept')
    await site.ask('/kept', [`traceparent: 00-${TRACE}-${CALLER}-00`])
    await site.ask('/kept', [`traceparent: 00-${TRACE}-${CALLER}-01`])
    await raw(site.server.port, 'BREW / HTTP/1.1\r\nHost: x\r\n\r\n', { methods: ['BREW'] })
    const client = new WebSocket(`ws://127.0.0.1:${site.server.port}/live`)
    await once(client, 'open')
    client.close()
    await once(client, 'close')
    const spans = await site.told()
    t.same(
      spans.map(({ name, attributes }) => [name, attributes['http.response.status_code']]),
      [
        ['GET /kept', 200],
        ['GET /kept', 200],
        ['GET /live', 101],
      ],
    )
    t.match(spans[1], { traceId: TRACE, parentSpanId: CALLER })
  },
)

t.test('what is not sampled is told only when it was slow or failed', async (t) => {
  const site = await tracedSite(
    t,
    urlconf(
      path('/quick', () => text('yes')),
      path('/slow', (req) =>
        span(req, 'waits', async () => {
          await sleep(60)
          return text('yes')
        }),
      ),
      path('/fails', () => text('no', { status: 500 })),
    ),
    { tracing: { sampleRatio: 0, keepSlowMs: 50 } },
  )
  await site.ask('/quick', [`traceparent: 00-${TRACE}-${CALLER}-00`])
  await site.ask('/slow', [`traceparent: 00-${TRACE}-${CALLER}-00`])
  await site.ask('/fails')
  await site.ask('/quick', [`traceparent: 00-${TRACE}-${CALLER}-01`])
  const spans = await site.told()
  t.same(
    spans.map(({ name }) => name),
    ['GET /slow', 'waits', 'GET /fails', 'GET /quick'],
  )
  t.match(spans[0], { traceId: TRACE, parentSpanId: CALLER, flags: 0x300 })
  t.equal(spans[2]?.attributes['error.type'], '500')
})

t.test(
  'a view passes its trace on, sampled or not; without tracing that of its client',
  async (t) => {
    const view = (req: Request) => text(JSON.stringify(traceHeaders(req)))
    const urls = urlconf(path('/', view))
    const traced = await tracedSite(t, urls, {
      tracing: { sampleRatio: 0, keepErrors: false, keepSlowMs: 0 },
    })
    const fields = [`traceparent: 00-${TRACE}-${CALLER}-01`, 'tracestate: a=1']
    const own = JSON.parse((await traced.ask('/', fields)).body.toString())
    t.match(own, {
      traceparent: new RegExp(`^00-${TRACE}-(?!${CALLER})[0-9a-f]{16}-01$`),
      tracestate: 'a=1',
    })
    const begun = JSON.parse((await traced.ask('/', [])).body.toString())
    t.match(begun.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-02$/)
    t.same((await traced.told()).length, 1)
    const untraced = await siteOf(t, { urls, database: false })
    const passed = JSON.parse((await untraced.ask('/', fields)).body.toString())
    t.same(passed, { traceparent: `00-${TRACE}-${CALLER}-01`, tracestate: 'a=1' })
    t.same(JSON.parse((await untraced.ask('/', ['traceparent: nonsense'])).body.toString()), {})
  },
)

t.test('templates are told with their names', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.mustache': '<p>{{x}}</p>' })
  const site = await tracedSite(
    t,
    urlconf(path('/', (req) => span(req, 'part', () => render(req, 'a', { x: 1 })))),
    { templates: dir },
  )
  await site.ask('/')
  const spans = await site.told()
  t.equal(parentOf(spans, 'render a'), 'part')
  t.match(
    spans.find((one) => one.name === 'render a'),
    { attributes: { 'uwas.template': 'a' } },
  )
})

t.test('files behind rules are not told, nor is what the rules refuse', async (t) => {
  const dir = temporaryFolder(t)
  await writeTree(dir, { 'a.txt': 'a', 'shut/b.txt': 'b' })
  const view = () => text('yes')
  const urls = urlconf(path('/view', view), path('/shut/view', view))
  const site = await tracedSite(t, urls, {
    static: dir,
    limits: { requests: [{ requests: 100, perSeconds: 1 }] },
    access: [{ path: '/shut/*', deny: ['loopback'] }],
  })
  for (const target of ['/a.txt', '/shut/b.txt', '/shut/view', '/view']) {
    await site.ask(target)
    await site.ask(`http://x${target}`)
  }
  t.match(await site.told(), [{ name: 'GET /view' }, { name: 'GET /view' }])
})

t.test('a query that begins when it is waited for begins once, inside of its span', async (t) => {
  let begun = 0
  const lazy = (req: Request) => ({
    // biome-ignore lint/suspicious/noThenProperty: as query builders have it
    then(resolve: (value: string) => void) {
      begun++
      span(req, 'the query', () => {})
      resolve('rows')
    },
  })
  const view = async (req: Request) => {
    const waited = await span(req, 'waited for', () => lazy(req))
    span(req, 'not waited for', () => lazy(req))
    await sleep(0)
    return text(`${waited} ${begun}`)
  }
  const urls = urlconf(path('/', view))
  const site = await tracedSite(t, urls)
  t.equal((await site.ask('/')).body.toString(), 'rows 2')
  t.equal(parentOf(await site.told(), 'the query'), 'waited for')
  const untraced = await siteOf(t, { urls, database: false })
  t.equal((await untraced.ask('/')).body.toString(), 'rows 4', 'as where nobody traces')
})
