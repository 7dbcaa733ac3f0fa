import { request } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createApp, openBackends } from '../../../src/app.ts'
import { readAsked } from '../../../src/commands/explain/ask.ts'
import { explain } from '../../../src/commands/explain/decide.ts'
import type { Explanation } from '../../../src/commands/explain/explanation.ts'
import { createLog } from '../../../src/core/log.ts'
import { text } from '../../../src/http/reply.ts'
import { securityHeaders } from '../../../src/http/security-headers.ts'
import type { Middleware } from '../../../src/http/view.ts'
import { loadNative } from '../../../src/native/load.ts'
import { compileUrls } from '../../../src/route/compile.ts'
import { socket } from '../../../src/route/socket.ts'
import { include, path, urlconf } from '../../../src/route/urlconf.ts'
import { listen } from '../../../src/server/server.ts'
import { parseConfig } from '../../../src/was/config.ts'
import type { UserConfig } from '../../../src/was/config-types.ts'
import { createSiteRules } from '../../../src/was/site-rules.ts'

const one = () => text('one')
const remove = () => text('gone')
const failing = {
  parse(): string {
    throw new Error('a bug of the converter')
  },
  format: String,
}
const auth: Middleware = (_req, next) => next()
const members: Middleware = (_req, next) => next()
const timer: Middleware = (_req, next) => next()
const notes = urlconf(
  path('/', () => text('all')),
  path(
    '/<int:id>',
    { get: one, delete: remove },
    { maxBodyBytes: 99, timeoutMs: 5000, middleware: [timer] },
  ),
  path('/paid', one, { shed: false }),
)
const CONFIG: UserConfig = {
  urls: urlconf(
    include('/notes', notes, { middleware: [members] }),
    socket('/chat', { message() {} }),
    path('/bad/<x:y>', one, { converters: { x: failing } }),
  ),
  middleware: [auth],
  static: [
    { dir: 'public', prefix: '/static', cleanUrls: true },
    { dir: 'app', prefix: '/app', spa: true },
    { dir: 'shared', prefix: '/shared', listing: true },
  ],
  redirects: [
    { from: '/new', to: '/else', status: 307 },
    { from: '/old/*', to: '/notes/*', status: 308 },
  ],
  rewrites: [
    { from: '/me', to: '/notes/7' },
    { from: '/style', to: '/static/app.css' },
  ],
  cors: [
    { prefix: '/notes', origins: ['https://a.example'] },
    { prefix: '/static', origins: '*' },
  ],
  limits: { maxUrlBytes: 100, shed: { maxEventLoopDelayMs: 200 } },
}

type Tell = (method: string, url: string, fields?: Readonly<Record<string, string>>) => Explanation

/** The site, served on `port` and explained. */
async function site(t: Test): Promise<{ port: number; tell: Tell }> {
  const dir = t.testdir({
    public: {
      'app.css': 'a { color: red }\n'.repeat(100),
      'page.html': '<p>page',
      '.secret': 'x',
      empty: { '.keep': '' },
    },
    app: { 'index.html': '<p>app' },
    shared: { 'a.txt': 'a' },
  })
  const log = createLog(() => {})
  const raw = { ...CONFIG, stateDir: join('..', 'explain-state') }
  const config = parseConfig(raw, { file: join(dir, 'uwas.config.ts'), env: {} })
  const backends = await openBackends(config, log)
  const app = await createApp(config, backends, { log })
  const headers = securityHeaders(config.securityHeaders)
  const server = await listen(app, { host: '127.0.0.1', port: 0, headers })
  t.teardown(async () => {
    await server.close({ graceMs: 0 })
    await backends.close()
  })
  const urls = compileUrls(config.urls ?? urlconf())
  const rules = createSiteRules(config)
  const explained = { config, files: backends.files, urls, rules, judge: loadNative().judge }
  const tell: Tell = (method, url, fields = {}) => {
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
    return explain(explained, readAsked(method, url, lines))
  }
  return { port: server.port, tell }
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** Sends nothing but what is given, and follows nothing. */
function ask(port: number, method: string, path: string, headers: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, headers: { ...headers }, agent: false }
    request(options, (res) => {
      res.resume()
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers }))
    })
      .on('error', reject)
      .end()
  })
}

const ORIGIN = { Origin: 'https://a.example' }

const ASKED: [by: string, method: string, url: string, fields?: Record<string, string>][] = [
  ['file', 'GET', '/static/app.css'],
  ['file', 'HEAD', '/static/app.css', ORIGIN],
  ['file', 'GET', '/static/app.css', { Range: 'bytes=0-9' }],
  ['file', 'GET', '/static/app.css', { 'If-Modified-Since': 'Fri, 01 Jan 2100 00:00:00 GMT' }],
  ['file', 'GET', '/static/app.css', { 'If-Match': '"other"' }],
  ['file', 'GET', '/static/page'],
  ['file', 'GET', '/static/page.html?q=1'],
  ['file', 'GET', '/style'],
  ['methodNotAllowed', 'POST', '/static/app.css'],
  ['options', 'OPTIONS', '/static/app.css'],
  ['redirect', 'GET', '/old/7?a=b'],
  ['redirect', 'POST', '/new'],
  ['view', 'GET', '/notes/7', ORIGIN],
  ['view', 'DELETE', '/notes/7'],
  ['view', 'GET', '/me'],
  ['view', 'GET', '/chat'],
  ['methodNotAllowed', 'POST', '/notes/7', ORIGIN],
  ['options', 'OPTIONS', '/notes/7'],
  ['preflight', 'OPTIONS', '/notes/7', { ...ORIGIN, 'Access-Control-Request-Method': 'GET' }],
  [
    'preflight',
    'OPTIONS',
    '/notes/',
    { Origin: 'https://b', 'Access-Control-Request-Method': 'X' },
  ],
  ['slash', 'GET', '/notes'],
  ['notFound', 'POST', '/notes'],
  ['notFound', 'GET', '/notes/abc'],
  ['notFound', 'GET', '/a%2fb'],
  ['notFound', 'GET', '/static/.secret'],
  ['fallback', 'GET', '/app/any/where', { Accept: 'text/html' }],
  ['notFound', 'GET', '/app/any/where.js', { Accept: 'text/html' }],
  ['fallback', 'GET', '/shared/'],
  ['fallback', 'GET', '/shared'],
  ['methodNotAllowed', 'POST', '/app/any/where'],
  ['options', 'OPTIONS', '/app/any/where'],
  ['notFound', 'POST', '/app/any/where', { Accept: 'application/json' }],
  ['methodNotAllowed', 'DELETE', '/shared/'],
  ['options', 'OPTIONS', '/shared/'],
  ['refusal', 'GET', '/%ff'],
  ['refusal', 'GET', `/notes/${'1'.repeat(200)}`],
  ['refusal', 'GET', `/static/app.css?${'x'.repeat(200)}`],
  ['refusal', 'PROPFIND', '/notes/7'],
  ['error', 'GET', '/bad/1'],
]

t.test('explain says what the server answers, for every way that a request can go', async (t) => {
  const { port, tell } = await site(t)
  for (const [by, method, url, fields = {}] of ASKED) {
    const explained = tell(method, url, fields)
    const answered = await ask(port, method, url, fields)
    const what = `${method} ${url} ${JSON.stringify(fields)}`
    t.equal(explained.by, by, what)
    t.equal(explained.status ?? 200, answered.status, `status of ${what}`)
    for (const [name, value] of explained.headers) {
      t.equal(answered.headers[name.toLowerCase()], value, `${name} of ${what}`)
    }
  }
})

t.test('middleware is told where it runs, limits where they hold', async (t) => {
  const { tell } = await site(t)
  t.match(tell('GET', '/notes/7'), {
    middleware: ['auth', 'members', 'timer'],
    limits: { maxBodyBytes: 99, maxViewMs: 5000, maxUrlBytes: 100 },
  })
  t.match(tell('GET', '/notes/'), { limits: { maxBodyBytes: 1_048_576, maxViewMs: 60_000 } })
  const shed = { maxEventLoopDelayMs: 200, maxPoolWaitMs: 0, retryAfterSeconds: 10 }
  for (const url of ['/notes/', '/chat']) t.strictSame(tell('GET', url).limits.shed, shed, url)
  for (const url of ['/notes/paid', '/nothing', '/static/app.css', '/healthz']) {
    t.equal(tell('GET', url).limits.shed, null, url)
  }
  t.strictSame(tell('GET', '/nothing').middleware, ['auth'])
  for (const url of ['/static/app.css', '/old/7', '/%ff']) {
    t.strictSame(tell('GET', url).middleware, [], url)
  }
})

t.test('what is not found is told with what was probably meant', async (t) => {
  const { tell } = await site(t)
  const cases: [method: string, url: string, hint: RegExp][] = [
    [
      'GET',
      '/notes/abc',
      /^route \/notes\/<int:id> \(\S+decide\.test\.ts:\d+\): "abc" does not fit <int:id>$/,
    ],
    [
      'GET',
      '/note/7',
      /^route \/notes\/<int:id> \(\S+decide\.test\.ts:\d+\): did you mean \/notes\/7\?$/,
    ],
    ['POST', '/notes', /^GET and HEAD are redirected to \/notes\/; POST is not$/],
    ['GET', '/static/ap.css', /^file: did you mean \/static\/app\.css\?$/],
    [
      'GET',
      '/static/.secret',
      /\.secret is there, but names that start with a dot are not served$/,
    ],
    ['GET', '/static/empty', /it is a folder without index\.html; "listing: true"/],
  ]
  for (const [method, url, hint] of cases) {
    const { hints, status } = tell(method, url)
    t.equal(status, 404, url)
    t.match(hints[0], hint)
  }
  const refused = tell('POST', '/notes/7')
  t.equal(refused.status, 405)
  t.match(
    refused.summary,
    /^route \/notes\/<int:id> \(.*:\d+\) is at this path, which does not answer POST; Allow: GET, HEAD, DELETE, OPTIONS$/,
  )
  t.match(tell('GET', '/bad/1').summary, 'a converter of the URL conf fails: Error: a bug of the')
})

t.test('a request that cannot be one is refused', async (t) => {
  const cases: [args: Parameters<typeof readAsked>, message: string][] = [
    [
      ['nothing', undefined, []],
      '"nothing" is no URL; write "uwas explain GET /path" or a whole http:// URL',
    ],
    [['GET', 'https:///a', []], '"https:///a" is no URL'],
    [['GET', '/a#b', []], 'what follows "#" in "/a#b" is never sent; leave it out, or write %23'],
    [['GET', '/', ['Accept']], '"Accept" is no field; write -H "Name: value"'],
    [['GET', '/', ['a b: c']], '"a b: c" is no field'],
    [['GET', '/', ['a: b\nc']], '"a: b\\nc" is no field'],
  ]
  for (const [args, message] of cases) {
    t.throws(() => readAsked(...args), {
      code: 'UWAS_ERR_COMMANDS_EXPLAIN',
      message,
    })
  }
})

t.test('a request is taken as browsers write it', async (t) => {
  const target = (url: string) => {
    const { method, rawPath, search } = readAsked(url, undefined, [])
    return `${method} ${rawPath} ${search}`
  }
  t.equal(target('/노트/ä b?q=é'), 'GET /%EB%85%B8%ED%8A%B8/%C3%A4%20b q=%C3%A9')
  t.equal(target('http://h.example'), 'GET / ')
  t.equal(target('HTTPS://h.example:8443?a'), 'GET / a')
  const asked = readAsked('delete', 'http://h.example/x', ['X-A: 1', 'x-a: 2'])
  t.equal(asked.method, 'DELETE')
  t.equal(asked.fields.get('host'), 'h.example')
  t.equal(asked.fields.get('x-a'), '1, 2')
  t.equal(readAsked('Brew', '/', []).method, 'Brew', 'methods are case-sensitive')
})
