import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { createApp, openBackends } from '../src/app.ts'
import { createLog } from '../src/core/log.ts'
import { file } from '../src/files/send-file.ts'
import { HttpError } from '../src/http/http-error.ts'
import { html, json, redirect, stream, text } from '../src/http/reply.ts'
import { securityHeaders } from '../src/http/security-headers.ts'
import type { Gate } from '../src/native/gate.ts'
import { path, urlconf } from '../src/route/urlconf.ts'
import { listen } from '../src/server/server.ts'
import { parseConfig } from '../src/was/config.ts'
import type { UserConfig } from '../src/was/config-types.ts'
import { raw } from './support/raw.ts'

const PAGE = `<p>${'안녕 '.repeat(1000)}</p>`
async function* parts() {
  yield 'one '
  yield PAGE
}

const urls = urlconf(
  path('/page', () => html(PAGE, { headers: { ETag: '"p"' } })),
  path('/long', () => text(PAGE.repeat(20))),
  path('/stream', () => stream(parts(), 'text/html; charset=utf-8')),
  path('/secret', () => {
    const reply = html(PAGE)
    reply.compress = false
    return reply
  }),
  path('/own', () => html('x', { headers: { 'content-security-policy': 'sandbox' } })),
  path('/moved', () => redirect('/page')),
  path('/broken', () => {
    throw new Error('secret')
  }),
  path('/busy', () => {
    throw new HttpError(503, 'later', { headers: [['Retry-After', '3']] })
  }),
  path('/echo', async (req) => json((await req.bytes()).length), { methods: ['POST'] }),
  path('/invoice', (req) => file(req, 'invoice.txt', { download: true })),
)

async function site(t: Test, config: UserConfig = {}, gate: Gate | null | undefined = undefined) {
  const dir = t.testdir({
    static: { 'index.html': PAGE, 'a.css': 'p {}', docs: { 'index.html': 'docs' } },
    private: { 'invoice.txt': 'invoice' },
    '404.html': '<h1>our 404</h1>',
    'docs-404.html': '<h1>docs 404</h1>',
  })
  const log = createLog(() => {})
  const parsed = parseConfig(
    {
      urls,
      static: 'static',
      privateFiles: 'private',
      stateDir: join('..', 'app-state'),
      ...config,
    },
    { file: join(dir, 'uwas.config.ts'), env: {} },
  )
  const backends = await openBackends(parsed, log)
  const app = await createApp(parsed, backends, { log })
  const server = await listen(app, {
    host: '127.0.0.1',
    port: 0,
    headers: securityHeaders(parsed.securityHeaders),
    ...(gate === undefined ? {} : { gate }),
  })
  t.teardown(async () => {
    await server.close({ graceMs: 0 })
    await backends.close()
  })
  const ask = async (target: string, fields = '', method = 'GET', body = '') => {
    const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`
    const request = `${method} ${target} HTTP/1.1\r\nHost: x\r\n${length}${fields}\r\n${body}`
    return (await raw(server.port, request, { methods: [method] })).responses[0]
  }
  return { port: server.port, ask }
}

const everything: [target: string, fields: string, method: string, status: number][] = [
  ['/', '', 'GET', 200],
  ['/', '', 'HEAD', 200],
  ['/', 'Range: bytes=0-1\r\n', 'GET', 206],
  ['/', 'Range: bytes=999999-\r\n', 'GET', 416],
  ['/', 'If-None-Match: *\r\n', 'GET', 304],
  ['/', 'If-Match: "no"\r\n', 'GET', 412],
  ['/', 'Accept-Encoding: identity;q=0\r\n', 'GET', 406],
  ['/', '', 'DELETE', 405],
  ['/', '', 'OPTIONS', 204],
  ['/docs', '', 'GET', 308],
  ['/old', '', 'GET', 301],
  ['/none', '', 'GET', 404],
  ['/docs/none', '', 'GET', 404],
  ['/a/../b', '', 'GET', 404],
  ['/page', '', 'GET', 200],
  ['/page', 'Accept-Encoding: gzip\r\n', 'GET', 200],
  ['/page', '', 'POST', 405],
  ['/moved', '', 'GET', 303],
  ['/broken', '', 'GET', 500],
  ['/busy', '', 'GET', 503],
  ['/invoice', '', 'GET', 200],
  ['/invoice', 'If-None-Match: *\r\n', 'GET', 304],
  [`/${'a'.repeat(9000)}`, '', 'GET', 414],
  ['/%zz', '', 'GET', 400],
  ['/page', 'Content-Length: 5\r\nContent-Length: 5\r\n', 'GET', 400],
  ['/page', 'Transfer-Encoding: identity\r\n', 'POST', 501],
  ['/page', '', 'BREW', 501],
]

t.test('the safety fields are on every reply, whoever makes it', async (t) => {
  const { ask } = await site(t, { redirects: [{ from: '/old', to: '/page', status: 301 }] })
  for (const [target, fields, method, status] of everything) {
    const response = await ask(target, fields, method)
    const what = `${method} ${target.slice(0, 30)} ${fields.trim()}`
    t.equal(response?.status, status, what)
    for (const [name, value] of securityHeaders()) {
      t.equal(response?.headers[name.toLowerCase()], value, `${what}: ${name}`)
    }
  }
})

t.test('a change of the preset holds for files and views; a view has the last word', async (t) => {
  const { ask } = await site(t, {
    securityHeaders: { frameAncestors: 'none', referrerPolicy: false },
  })
  for (const target of ['/', '/none', '/page', '/docs']) {
    const { headers } = (await ask(target)) ?? { headers: {} as Record<string, string> }
    t.equal(headers['x-frame-options'], 'DENY')
    t.equal(headers['content-security-policy'], "frame-ancestors 'none'")
    t.equal(headers['referrer-policy'], undefined)
    t.equal(headers['x-content-type-options'], 'nosniff')
  }
  const own = await ask('/own')
  t.equal(own?.headers['content-security-policy'], 'sandbox')
  t.equal(own?.headers['x-frame-options'], 'DENY')
})

t.test(
  'views are compressed: short and long pages, streams; HEAD has the same fields',
  async (t) => {
    const { ask } = await site(t)
    for (const [target, plain] of [
      ['/page', PAGE],
      ['/long', PAGE.repeat(20)],
      ['/stream', `one ${PAGE}`],
    ] as const) {
      const br = await ask(target, 'Accept-Encoding: br, gzip\r\n')
      t.match(br?.headers, { 'content-encoding': 'br', vary: 'Accept-Encoding' }, target)
      t.equal(brotliDecompressSync(br?.body ?? '').toString(), plain)
      const gzip = await ask(target, 'Accept-Encoding: gzip\r\n')
      t.equal(gunzipSync(gzip?.body ?? '').toString(), plain)
      const identity = await ask(target)
      t.equal(identity?.headers['content-encoding'], undefined)
      t.equal(identity?.headers['vary'], 'Accept-Encoding')
      t.equal(identity?.body.toString(), plain)
      const head = await ask(target, 'Accept-Encoding: gzip\r\n', 'HEAD')
      const { 'transfer-encoding': _, ...expected } = gzip?.headers ?? {}
      t.same({ ...head?.headers, date: '' }, { ...expected, date: '' }, `HEAD ${target}`)
    }
    t.equal((await ask('/page', 'Accept-Encoding: gzip\r\n'))?.headers['etag'], 'W/"p"')
    t.equal((await ask('/page'))?.headers['etag'], '"p"')
    const secret = await ask('/secret', 'Accept-Encoding: gzip\r\n')
    t.same([secret?.headers['content-encoding'], secret?.headers['vary']], [undefined, undefined])
  },
)

t.test('compression can be left out', async (t) => {
  const { ask } = await site(t, { compression: false })
  const page = await ask('/page', 'Accept-Encoding: gzip\r\n')
  t.same([page?.headers['content-encoding'], page?.headers['vary']], [undefined, undefined])
})

t.test('errors of files and views have the pages of the site, or problem details', async (t) => {
  const { ask } = await site(t, {
    errorPages: [
      { status: 404, file: '404.html' },
      { status: 404, file: 'docs-404.html', prefix: '/docs' },
    ],
    limits: { maxBodyBytes: 10 },
  })
  t.equal((await ask('/none.css'))?.body.toString(), '<h1>our 404</h1>')
  t.equal((await ask('/docs/none'))?.body.toString(), '<h1>docs 404</h1>')
  t.equal((await ask('/a//b'))?.body.toString(), '<h1>our 404</h1>')
  const head = await ask('/none.css', '', 'HEAD')
  t.match(head, { status: 404, headers: { 'content-length': '16', 'cache-control': 'no-store' } })
  for (const [target, method, body, status] of [
    ['/none', 'GET', '', 404],
    ['/', 'DELETE', '', 405],
    ['/broken', 'GET', '', 500],
    ['/echo', 'POST', 'x'.repeat(11), 413],
  ] as const) {
    const response = await ask(target, 'Accept: application/json\r\n', method, body)
    t.match(response, {
      status,
      headers: { 'content-type': 'application/problem+json', vary: /Accept/ },
    })
    t.equal(JSON.parse(response?.body.toString() ?? '').status, status)
  }
  t.equal((await ask('/echo', '', 'POST', 'x'.repeat(10)))?.body.toString(), '10')
})

t.test('a private file is sent by its view, and by its view alone', async (t) => {
  const { ask } = await site(t)
  t.match(await ask('/invoice'), {
    status: 200,
    headers: { 'content-disposition': 'attachment; filename="invoice.txt"' },
    body: Buffer.from('invoice'),
  })
  for (const target of ['/invoice.txt', '/private/invoice.txt', '/../private/invoice.txt']) {
    t.equal((await ask(target))?.status, 404)
  }
})

t.test('a mistake in a table is told at start, with its place', async (t) => {
  await t.rejects(site(t, { redirects: [{ from: '/a', to: '//b', status: 301 }] }), {
    code: 'UWAS_ERR_WAS_RULE',
  })
  await t.rejects(site(t, { cors: [{ origins: '*', credentials: true }] }), {
    code: 'UWAS_ERR_HTTP_CORS',
  })
  await t.rejects(site(t, { errorPages: [{ status: 404, file: 'none.html' }] }), {
    code: 'UWAS_ERR_WAS_ERROR_PAGE',
  })
  await t.rejects(site(t, { securityHeaders: { referrerPolicy: 'a\nb' } }), {
    code: 'UWAS_ERR_HTTP_SECURITY_HEADER',
  })
})
