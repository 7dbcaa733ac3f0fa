import t from 'tap'
import { WebSocket } from 'ws'
import { text } from '../../src/http/reply.ts'
import { socket } from '../../src/route/socket.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { absoluteUrl } from '../../src/was/absolute-url.ts'
import { AllowedHosts } from '../../src/was/allowed-hosts.ts'
import type { UserConfig } from '../../src/was/config.ts'
import { temporaryFolder, writeTree } from '../support/catalogue.ts'
import { rawRequest } from '../support/hosts.ts'
import { site } from '../support/site.ts'

t.test('a host is allowed by its name, whatever its case, port or last dot', (t) => {
  const hosts = new AllowedHosts(
    ['example.org', '*.shop.example', '192.0.2.1', '[2001:db8::1]'],
    false,
  )
  for (const host of [
    'example.org',
    'EXAMPLE.org:8080',
    'example.org.',
    'example.org.:80',
    'a.shop.example',
    'a.b.shop.example',
    '192.0.2.1:80',
    '[2001:DB8::1]:80',
  ]) {
    t.ok(hosts.allows(host), host)
    t.ok(hosts.allows(host), 'again')
  }
  for (const host of [
    '',
    'evil.example',
    'www.example.org',
    'example.org.evil.example',
    'notexample.org',
    'evil-shop.example',
    'shop.example',
    '.shop.example',
    'example.org..',
    'localhost',
    '127.0.0.1',
    '192.0.2.10',
    '[2001:db8::2]',
  ]) {
    t.notOk(hosts.allows(host), host)
  }
  const own = new AllowedHosts(['example.org'], true)
  for (const host of ['localhost:80', 'a.localhost', '127.0.0.1', '127.9.9.9', '[::1]:8080']) {
    t.ok(own.allows(host), host)
  }
  for (const host of ['localhost.evil.example', '128.0.0.1', '127.0.0.1.evil.example']) {
    t.notOk(own.allows(host), host)
  }
  t.end()
})

const urls = urlconf(
  path('/', (req) => text(absoluteUrl(req, '/reset?token=1'))),
  path('/out', (req) => {
    try {
      return text(absoluteUrl(req, req.query.get('to') ?? '/'))
    } catch (error) {
      const { code, message } = error as { code: string; message: string }
      return text(`${code} ${message}`)
    }
  }),
)

async function start(t: Parameters<typeof temporaryFolder>[0], more: UserConfig = {}) {
  const root = await writeTree(temporaryFolder(t), { 'public/a.txt': 'a file' })
  const config = { urls, static: [{ dir: 'public', prefix: '/s' }], ...more }
  const { client } = await site(t, config, { hasDatabase: false, root })
  return (where: string, host: string, fields: Record<string, string> = {}) =>
    rawRequest(client.url, where, { host, ...fields })
}

t.test('another host gets nothing: 421 for views, files and what is missing', async (t) => {
  const ask = await start(t, { allowedHosts: ['example.org'] })
  t.match(await ask('/', 'example.org'), { status: 200, text: 'http://example.org/reset?token=1' })
  t.match(await ask('/s/a.txt', 'example.org'), { status: 200, text: 'a file' })
  for (const where of ['/', '/s/a.txt', '/missing']) {
    const refused = await ask(where, 'evil.example')
    t.match(refused, { status: 421, text: '421 Misdirected Request\n' }, where)
  }
  t.match(await ask('/', 'localhost'), { status: 200 }, 'development is at home')
  const twice = await ask('/s/a.txt', 'evil.example')
  t.equal(twice.status, 421, 'what was allowed before does not help')
})

t.test('behind a proxy the host counts that the client has named', async (t) => {
  const ask = await start(t, { allowedHosts: ['example.org'], trustedProxies: ['loopback'] })
  const named = (host: string) =>
    ask('/', 'backend.internal', { 'x-forwarded-host': host, 'x-forwarded-proto': 'https' })
  t.match(await named('example.org'), { status: 200, text: 'https://example.org/reset?token=1' })
  t.equal((await named('evil.example')).status, 421)
  t.equal((await ask('/', 'evil.example')).status, 421)
})

t.test('a link for a mail never has a host that anybody has made up', async (t) => {
  const open = await start(t)
  t.equal(
    (await open('/out', 'evil.example')).text,
    'UWAS_ERR_WAS_HOST a URL of this site cannot have the host "evil.example", which the client has named; list the hosts of the site in allowedHosts',
  )
  t.equal((await open('/out', 'localhost:8080')).text, 'http://localhost:8080/')
  for (const to of ['//evil.example', '/%5Cevil', 'https://evil.example', '@evil.example']) {
    const { text } = await open(
      `/out?to=${encodeURIComponent(decodeURIComponent(to))}`,
      'localhost',
    )
    t.match(text, `UWAS_ERR_CORE_INVALID_OPTION absoluteUrl(): `, to)
  }
})

t.test('a WebSocket of another host is refused as well', async (t) => {
  const talk = socket('/talk', { message() {} })
  const config = { urls: urlconf(talk), allowedHosts: ['example.org'] }
  const { client } = await site(t, config, { hasDatabase: false })
  const status = (host: string) =>
    new Promise<number>((resolve) => {
      const ws = new WebSocket(`${client.url.replace('http', 'ws')}/talk`, { headers: { host } })
      ws.on('open', () => {
        ws.close()
        resolve(101)
      })
      ws.on('unexpected-response', (_req, reply) => {
        ws.terminate()
        resolve(reply.statusCode ?? 0)
      })
      ws.on('error', () => {})
    })
  t.strictSame([await status('example.org'), await status('evil.example')], [101, 421])
})
