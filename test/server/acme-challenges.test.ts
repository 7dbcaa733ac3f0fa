/** A certificate authority asks: it is answered whatever else the site says, and nobody gets anything but answers. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { text } from '../../src/http/reply.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import type { UserConfig } from '../../src/was/config.ts'
import { authorityOf } from '../support/certificates.ts'
import { ask2, openHttp2 } from '../support/http2.ts'
import { raw } from '../support/raw.ts'
import { siteOf } from '../support/serving.ts'
import { rawTls } from '../support/tls.ts'

const { certFile, keyFile } = authorityOf(t).issue('own', ['x.test', 'localhost'])
const acme = { agreeToTerms: true, names: ['example.org'] } as const
const TOKEN = 'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA'
const PROOF = `${TOKEN}.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI`
const AT = `/.well-known/acme-challenge/${TOKEN}`

async function site(t: Parameters<typeof siteOf>[0], config: UserConfig = {}) {
  const made = await siteOf(t, {
    urls: urlconf(
      path('/', () => text('home')),
      path('/.well-known/acme-challenge/<str:token>', () => text('of the site')),
    ),
    database: false,
    ...config,
    tls: { port: 0, certificates: [{ certFile, keyFile }], acme, ...config.tls },
  })
  const { stateDir } = made.app.config
  const dir = join(stateDir, 'acme/challenges')
  writeFileSync(join(dir, TOKEN), PROOF)
  return { ...made, dir, stateDir }
}

t.test('any host, before redirects, hosts, access, limits and HEAD as GET', async (t) => {
  const { ask } = await site(t, {
    allowedHosts: ['x.test'],
    unknownHosts: 'close',
    access: [{ path: '/*', deny: ['127.0.0.0/8'] }],
    redirects: [{ from: '/.well-known/*', to: '/elsewhere', status: 308 }],
    limits: { requests: [{ path: '/*', requests: 1, perSeconds: 3600 }] },
  })
  for (const host of ['x.test', 'example.org', 'whoever.test:80', '192.0.2.1']) {
    for (const method of ['GET', 'HEAD', 'GET']) {
      const { status, headers, body } = await ask(AT, [`Host: ${host}`], method)
      t.equal(status, 200, `${method} for ${host}`)
      t.equal(String(body), method === 'GET' ? PROOF : '')
      t.equal(headers['content-length'], String(PROOF.length))
      t.equal(headers['cache-control'], 'no-store')
      t.equal(headers['location'], undefined)
    }
  }
})

t.test('on the strict lane, by TLS and by HTTP/2, too', async (t) => {
  const { server } = await site(t)
  const old = await raw(server.port, `GET ${AT} HTTP/1.0\r\nHost: x.test\r\n\r\n`)
  t.match(old.responses, [{ status: 200 }])
  t.equal(String(old.responses[0]?.body), PROOF)
  const secure = await rawTls(server.tlsPort, `GET ${AT} HTTP/1.1\r\nHost: x.test\r\n\r\n`)
  t.equal(String(secure.responses[0]?.body), PROOF)
  const { body } = await ask2(openHttp2(t, server.tlsPort), { ':path': AT })
  t.equal(String(body), PROOF)
})

t.test('what is no open challenge is the site’s own, and no way to other files', async (t) => {
  const { ask, dir, stateDir } = await site(t, { tls: { redirect: false } })
  writeFileSync(join(stateDir, 'acme/secret'), 'a secret')
  writeFileSync(join(dir, 'to.pem'), 'a secret')
  mkdirSync(join(dir, 'folder'))
  const at = '/.well-known/acme-challenge/'
  t.equal(String((await ask(`${at}another`)).body), 'of the site')
  t.equal((await ask(AT, ['Content-Length: 0'], 'POST')).status, 405)
  const paths = ['../secret', '..%2fsecret', '%2e%2e/secret', 'to.pem', 'folder', '', '.', '..']
  for (const one of [...paths, `${TOKEN}%00`, `${TOKEN}/`, 'a'.repeat(129)]) {
    const { body } = await ask(`${at}${one}`)
    t.notMatch(String(body), /secret|9jg46WB3/, one)
  }
  rmSync(join(dir, TOKEN))
  t.equal(String((await ask(AT)).body), 'of the site')
})

t.test('a site that orders none answers none', async (t) => {
  const urls = urlconf(path('/.well-known/acme-challenge/<str:token>', () => text('of the site')))
  const { ask, app } = await siteOf(t, { urls, database: false })
  const dir = join(app.config.stateDir, 'acme/challenges')
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, TOKEN), PROOF)
  t.equal(String((await ask(AT)).body), 'of the site')
})
