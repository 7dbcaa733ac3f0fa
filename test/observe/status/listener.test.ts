import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { Registry } from '../../../src/observe/metrics/registry.ts'
import { Mirror, Reporter } from '../../../src/observe/metrics/report.ts'
import {
  openStatus,
  type Readiness,
  type StatusListener,
  type StatusSource,
} from '../../../src/observe/status/listener.ts'
import { raw } from '../../support/raw.ts'

interface Told {
  readiness: Readiness
  asked: number
}

function sourceOf(told: Told): StatusSource {
  const registry = new Registry()
  const mirror = new Mirror()
  const reporter = new Reporter(registry)
  registry
    .counter('shop_orders_total', { help: 'Orders.', labels: ['kind'] })
    .at('<b>')
    .add(2)
  registry
    .histogram('shop_seconds', { help: 'S.', bounds: [1] })
    .at()
    .observe(0.5)
  return {
    async metrics() {
      told.asked++
      await new Promise((resolve) => setImmediate(resolve))
      mirror.take(reporter.report())
      return mirror.samples()
    },
    readiness: async () => told.readiness,
    status: async () => ({
      pid: 7,
      version: '1.2.3',
      name: 'shop & co',
      seconds: 5,
      reloads: 0,
      workers: [{ worker: 1, pid: 8, state: 'ready' }],
    }),
  }
}

async function open(
  t: Test,
  told: Told,
  { host = '127.0.0.1', token = null as string | null } = {},
): Promise<StatusListener> {
  const listener = await openStatus({ host, port: 0, token: () => token }, sourceOf(told))
  t.teardown(() => listener.close())
  return listener
}

const ready = (): Told => ({ readiness: { status: 'ready', checks: { database: 'ok' } }, asked: 0 })

t.test('metrics, health and a page for people and programs', async (t) => {
  const told = ready()
  const { url } = await open(t, told)
  const metrics = await fetch(`${url}/metrics`)
  t.equal(metrics.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  t.match(await metrics.text(), 'shop_orders_total{kind="<b>"} 2\n')
  const open2 = await fetch(`${url}/metrics`, {
    headers: { accept: 'application/openmetrics-text;version=1.0.0' },
  })
  t.match(await open2.text(), /# EOF\n$/)
  t.strictSame(await (await fetch(`${url}/healthz`)).json(), { status: 'alive' })
  const readyz = await fetch(`${url}/readyz`)
  t.strictSame(
    [readyz.status, await readyz.json()],
    [200, { status: 'ready', checks: { database: 'ok' } }],
  )
  const page = await fetch(url, { headers: { accept: 'text/html' } })
  const html = await page.text()
  t.match(html, 'uwas 1.2.3: shop &#38; co')
  t.match(html, '<td>1, on average 0.5</td>')
  t.notMatch(html, '<b>', 'labels are escaped')
  t.equal(page.headers.get('cache-control'), 'no-store')
  for (const path of ['/', '/status.json']) {
    const json = await fetch(url + path, { headers: { accept: 'application/json' } })
    t.match(await json.json(), { pid: 7, name: 'shop & co', readiness: { status: 'ready' } }, path)
  }
})

t.test('who is not ready is 503', async (t) => {
  for (const status of ['unready', 'draining', 'starting'] as const) {
    const { url } = await open(t, { readiness: { status, checks: {} }, asked: 0 })
    t.equal((await fetch(`${url}/readyz`)).status, 503, status)
    t.equal((await fetch(`${url}/healthz`)).status, 200, status)
  }
})

t.test('it only reads: other methods are 405, other paths 404', async (t) => {
  const { url } = await open(t, ready())
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const response = await fetch(`${url}/metrics`, { method })
    t.strictSame([response.status, response.headers.get('allow')], [405, 'GET, HEAD'], method)
  }
  const head = await fetch(`${url}/metrics`, { method: 'HEAD' })
  t.ok(Number(head.headers.get('content-length')) > 0)
  t.equal((await fetch(`${url}/metricsx`)).status, 404)
})

t.test('with a token everything but health wants it', async (t) => {
  const token = 'a-token-of-some-length'
  const { url } = await open(t, ready(), { token })
  for (const authorization of [undefined, 'Bearer ', `Bearer ${token}x`, token, `Basic ${token}`]) {
    const response = await fetch(`${url}/metrics`, {
      headers: authorization === undefined ? {} : { authorization },
    })
    t.equal(response.status, 401, String(authorization))
    t.equal(response.headers.get('www-authenticate'), 'Bearer')
    t.notMatch(await response.text(), token)
  }
  const right = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })
  t.equal(right.status, 200)
  t.equal((await fetch(`${url}/readyz`)).status, 200)
})

t.test(
  'on loopback a name of the Internet is refused: a browser could have been led here',
  async (t) => {
    const { port } = await open(t, ready())
    const statusOf = async (host: string) => {
      const { responses } = await raw(
        port,
        `GET /metrics HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      )
      return responses[0]?.status
    }
    t.equal(await statusOf('evil.example:9180'), 403)
    t.equal(await statusOf('localhost.evil.example'), 403)
    for (const host of ['localhost', `localhost:${port}`, '127.0.0.1:1', '[::1]:9180']) {
      t.equal(await statusOf(host), 200, host)
    }
  },
)

t.test('who scrape at the same time are answered by one look', async (t) => {
  const told = ready()
  const { url } = await open(t, told)
  // One connection each beforehand, so that their requests arrive together.
  await Promise.all(
    Array.from({ length: 20 }, () => fetch(`${url}/healthz`).then((one) => one.text())),
  )
  const texts = await Promise.all(
    Array.from({ length: 20 }, () => fetch(`${url}/metrics`).then((one) => one.text())),
  )
  t.equal(new Set(texts).size, 1)
  t.ok(told.asked <= 20)
})

t.test('a source that fails is a 500 that says why, and the next is answered', async (t) => {
  const source = {
    ...sourceOf(ready()),
    metrics: () => Promise.reject(new Error('no numbers today')),
  }
  const listener = await openStatus({ host: '127.0.0.1', port: 0, token: () => null }, source)
  t.teardown(() => listener.close())
  const failed = await fetch(`${listener.url}/metrics`)
  t.strictSame([failed.status, await failed.text()], [500, 'no numbers today\n'])
  t.equal((await fetch(`${listener.url}/healthz`)).status, 200)
})

t.test('nonsense on the connection ends it, and nothing else', async (t) => {
  const { port, url } = await open(t, ready())
  for (const nonsense of ['\0\0\0', 'GET\r\n\r\n', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`]) {
    await new Promise<void>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(nonsense))
      socket.resume()
      socket.once('error', () => {})
      socket.once('close', () => resolve())
      socket.setTimeout(60_000, () => reject(new Error('the connection stays open')))
    })
  }
  t.equal((await fetch(`${url}/healthz`)).status, 200)
})

t.test('an address that is taken is told', async (t) => {
  const { port } = await open(t, ready())
  await t.rejects(openStatus({ host: '127.0.0.1', port, token: () => null }, sourceOf(ready())), {
    code: 'EADDRINUSE',
  })
})

t.test('a second request before the answer to the first ends the connection', async (t) => {
  const told = { readiness: { status: 'ready', checks: {} } as Readiness, asked: 0 }
  const { port } = await open(t, told)
  const request = 'GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n'
  const heard = await new Promise<string>((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(request.repeat(1000)))
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', () => {}).on('close', () => resolve(text))
  })
  t.ok(heard.split('HTTP/1.1 200').length <= 2, 'one answer at most')
  const { responses } = await raw(
    port,
    request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
  )
  t.equal(responses[0]?.status, 200, 'others are answered')
})
