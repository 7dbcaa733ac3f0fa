/** What a request for a host that is not the site's gets: on each lane, for files and cached pages as for views. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { text } from '../../src/http/reply.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import type { UserConfig } from '../../src/was/config.ts'
import { temporaryFolder } from '../support/catalogue.ts'
import { authorityOf } from '../support/certificates.ts'
import { ask2, openHttp2 } from '../support/http2.ts'
import { raw } from '../support/raw.ts'
import { siteOf } from '../support/serving.ts'
import { handshake } from '../support/sockets.ts'
import { rawTls } from '../support/tls.ts'

const authority = authorityOf(t)
const { certFile, keyFile } = authority.issue('own', ['x.test', 'localhost'])
const numbered = authority.issue('numbered', ['n.test', 'IP:127.0.0.1'])
const urls = urlconf(
  path('/', () => text('view')),
  path('/page', () => text('page'), { cached: { seconds: 60 } }),
)

async function site(t: Test, config: UserConfig) {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'a.txt'), 'file')
  const tls = { port: 0, certificates: [{ certFile, keyFile }], redirect: false, ...config.tls }
  return await siteOf(t, {
    urls,
    static: folder,
    database: false,
    health: {},
    allowedHosts: ['x.test', 'localhost'],
    ...config,
    tls,
  })
}

const get = (target: string, host: string) => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`
const TARGETS = { '/': 'view', '/page': 'page', '/a.txt': 'file' }

for (const unknownHosts of [undefined, 421, 404, 'close'] as const) {
  t.test(`a request for another host: ${unknownHosts ?? 'nothing is said'}`, async (t) => {
    const { server } = await site(t, { unknownHosts })
    const { port, tlsPort } = server
    const status = unknownHosts === 'close' ? undefined : (unknownHosts ?? 421)
    const session = openHttp2(t, tlsPort)
    const tls = { servername: 'x.test' }
    for (const [target, body] of Object.entries(TARGETS)) {
      // Once more: a page is kept by then.
      for (let i = 0; i < 2; i++) {
        const [own] = (await raw(port, get(target, 'x.test'))).responses
        t.strictSame([own?.status, String(own?.body)], [200, body])
      }
      const asked = get(target, 'other.test')
      const answers = {
        clear: await raw(port, asked, { untilClosed: true }),
        strict: await raw(port, `\r\n${asked}`, { untilClosed: true }),
        tls: await rawTls(tlsPort, asked, { tls, untilClosed: true }),
      }
      for (const [lane, { closed, bytes, responses }] of Object.entries(answers)) {
        t.ok(closed, `${lane} ${target}`)
        t.equal(responses[0]?.status, status, `${lane} ${target}`)
        if (status === undefined) t.equal(bytes.length, 0, `${lane} ${target}`)
      }
      const other = { ':path': target, ':authority': 'other.test' }
      const { status: told, reset } = await ask2(session, other)
      t.strictSame([told || undefined, reset > 0], [status, status === undefined], `h2 ${target}`)
      const again = await ask2(session, { ':path': target, ':authority': 'localhost' })
      t.strictSame([again.status, String(again.body)], [200, body], 'the connection goes on')
    }
    const pipelined = get('/a.txt', 'x.test') + get('/a.txt', 'other.test') + get('/', 'x.test')
    const { responses } = await raw(port, pipelined, { untilClosed: true })
    t.notOk(
      responses.some(({ body }) => String(body) === 'view'),
      'nothing behind it is answered',
    )
    const chat = await raw(port, handshake('/chat', { Host: 'other.test' }), { untilClosed: true })
    t.equal(chat.responses[0]?.status, status)
    t.equal((await raw(port, get('/healthz', '10.0.0.1'))).responses[0]?.status, 200)
  })
}

t.test('behind proxies the host that they tell gets the status', async (t) => {
  const { ask } = await site(t, { unknownHosts: 404, trustedProxies: ['loopback'] })
  const asFor = async (host: string) =>
    (await ask('/', ['Host: inner', `X-Forwarded-Host: ${host}`])).status
  t.strictSame([await asFor('x.test'), await asFor('other.test')], [200, 404])
})

t.test('a redirect to https is for the hosts of the site', async (t) => {
  const tls = { certificates: [{ certFile, keyFile }], redirect: true }
  const { ask } = await site(t, { unknownHosts: 404, tls })
  t.equal((await ask('/', ['Host: x.test'])).status, 308)
  t.equal((await ask('/', ['Host: other.test'])).status, 404)
})

t.test('a name that is left out of the handshake leads past no refusal', async (t) => {
  const certificates = [
    { certFile, keyFile },
    { certFile: numbered.certFile, keyFile: numbered.keyFile },
  ]
  const allowedHosts = ['x.test', 'n.test', '127.0.0.1']
  const statuses = async (unknownNames: 'first' | 'refuse') => {
    const tls = { certificates, unknownNames }
    const { server } = await site(t, { allowedHosts, tls })
    const ask = async (host: string) =>
      (await rawTls(server.tlsPort, get('/', host))).responses[0]?.status
    return [await ask('127.0.0.1'), await ask('n.test'), await ask('x.test'), await ask('z.test')]
  }
  t.strictSame(await statuses('refuse'), [200, 200, 421, 421])
  t.strictSame(await statuses('first'), [200, 200, 200, 421])
})
