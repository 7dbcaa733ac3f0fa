import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { text } from '../../../src/http/reply.ts'
import { Mirror, Reporter } from '../../../src/observe/metrics/report.ts'
import { path, urlconf } from '../../../src/route/urlconf.ts'
import type { UserConfig } from '../../../src/was/config-types.ts'
import { temporaryFolder } from '../../support/catalogue.ts'
import { raw } from '../../support/raw.ts'
import { siteOf, type TestSite } from '../../support/serving.ts'

const URLS = urlconf(
  path('/posts/<int:id>', () => text('post'), { methods: ['GET', 'POST'] }),
  path('/later', async () => {
    await sleep(30)
    return text('later')
  }),
  path('/waiting', async (req) => {
    await once(req.signal, 'abort')
    return text('nobody')
  }),
  path('/broken', () => {
    throw new Error('broken')
  }),
  path('/kept', () => text('x'.repeat(100)), { cached: { seconds: 60 } }),
)

async function measured(
  t: Test,
  config: UserConfig = {},
): Promise<TestSite & { numbers(name: string): Record<string, number[]> }> {
  const dir = temporaryFolder(t)
  writeFileSync(join(dir, 'a.txt'), 'hello')
  writeFileSync(join(dir, 'b.txt'), 'x'.repeat(100_000))
  const site = await siteOf(t, { urls: URLS, static: dir, status: {}, ...config })
  const [registry] = site.app.metrics
  if (registry === undefined) throw new Error('nothing is measured')
  const reporter = new Reporter(registry)
  const mirror = new Mirror()
  return {
    ...site,
    numbers(name) {
      mirror.take(reporter.report())
      const found = mirror.samples().find(({ family }) => family.name === name)
      return Object.fromEntries(
        (found?.samples ?? []).map(({ labels, values }) => [labels.join(' '), [...values]]),
      )
    },
  }
}

t.test(
  'behind guards files, pages and views are what they are, and refusals are told',
  async (t) => {
    const { ask, numbers } = await measured(t, {
      access: [{ deny: ['192.0.2.1'] }, { path: '/b.txt', deny: ['loopback'] }],
      redirects: [{ from: '/old', to: '/a.txt', status: 308 }],
    })
    for (const target of ['/a.txt', '/b.txt', '/posts/1', '/kept', '/kept', '/nowhere']) {
      await ask(target)
    }
    t.strictSame(numbers('uwas_http_requests_total'), {
      'static GET 200': [1],
      'refused GET 403': [1],
      '/posts/<int:id> GET 200': [1],
      '/kept GET 200': [2],
      'none GET 404': [1],
    })
  },
)

t.test('requests are counted by the template of their route, method and status', async (t) => {
  const { ask, numbers } = await measured(t)
  for (let id = 0; id < 5; id++) await ask(`/posts/${id}`)
  await ask('/posts/1', ['Content-Length: 0'], 'POST')
  await ask('/posts/1', ['Content-Length: 0'], 'DELETE')
  await ask('/broken')
  await ask('/a.txt')
  await ask('/b.txt')
  await ask('/nowhere/at/all')
  await ask('/kept')
  await ask('/kept')
  await ask('/a.txt', ['Content-Length: x'])
  t.strictSame(numbers('uwas_http_requests_total'), {
    '/posts/<int:id> GET 200': [5],
    '/posts/<int:id> POST 200': [1],
    'none DELETE 405': [1],
    '/broken GET 500': [1],
    'static GET 200': [2],
    'none GET 404': [1],
    '/kept GET 200': [2],
    'refused other 400': [1],
  })
  t.match(numbers('uwas_http_response_bytes_total'), { static: [100_005], '/kept': [200] })
  t.match(numbers('uwas_cache_requests_total'), {
    'pages hit': [1],
    'pages miss': [1],
    'files hit': [2],
    'files miss': [0],
  })
})

t.test('contents that had to be loaded are misses; 304 and larger files are neither', async (t) => {
  const { ask, numbers } = await measured(t, { files: { maxBytes: 0, maxFileBytes: 50_000 } })
  for (const target of ['/a.txt', '/a.txt', '/a.txt?x', '/b.txt']) {
    t.equal((await ask(target))?.status, 200, target)
  }
  t.equal((await ask('/a.txt', ['If-None-Match: *']))?.status, 304)
  t.match(numbers('uwas_cache_requests_total'), { 'files hit': [0], 'files miss': [3] })
})

t.test('durations reach to the last byte of the answer', async (t) => {
  const { ask, numbers } = await measured(t)
  await ask('/later')
  await ask('/posts/1')
  const later = numbers('uwas_http_request_duration_seconds')['/later GET'] ?? []
  t.equal(
    later.slice(0, -1).reduce((sum, one) => sum + one, 0),
    1,
  )
  t.equal(
    later.slice(0, 5).reduce((sum, one) => sum + one, 0),
    0,
    'it took longer than 10 ms',
  )
  t.ok((later.at(-1) ?? 0) >= 0.025)
})

t.test('a client that goes before the last byte is counted as cut', async (t) => {
  const { server, numbers } = await measured(t)
  const socket = connect(server.port, '127.0.0.1')
  await once(socket, 'connect')
  await new Promise((resolve) => socket.write('GET /waiting HTTP/1.1\r\nHost: x\r\n\r\n', resolve))
  for (let i = 0; i < 2400 && server.requestCount() === 0; i++) await sleep(5)
  socket.destroy()
  for (let i = 0; i < 2400; i++) {
    if (numbers('uwas_http_responses_cut_total')['/waiting']?.[0] === 1) break
    await sleep(25)
  }
  t.strictSame(numbers('uwas_http_requests_total'), { '/waiting GET 499': [1] })
})

t.test('paths, methods and hosts that clients make up add nothing', async (t) => {
  const { server, numbers } = await measured(t)
  for (let i = 0; i < 50; i++) {
    await raw(
      server.port,
      `GET /${'y'.repeat(i)}-${i} HTTP/1.1\r\nHost: ${i}.example\r\nConnection: close\r\n\r\n`,
    )
  }
  for (const method of ['PURGE', 'BREW', 'PROPFIND', 'X']) {
    await raw(server.port, `${method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  }
  const requests = numbers('uwas_http_requests_total')
  t.strictSame(requests['none GET 404'], [50])
  t.ok(
    Object.keys(requests).every((key) => /^(?:none|refused) (?:GET|other) \d+$/.test(key)),
    Object.keys(requests).join(),
  )
})
