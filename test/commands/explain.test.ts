import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { folder, put, run } from '../support/binary.ts'

const SITE = {
  'uwas.config.ts': `import { defineConfig } from 'uwas'
import { urls } from './urls.ts'
const auth = (req, next) => next()
export const config = defineConfig({
  urls,
  middleware: [auth, (req, next) => next()],
  static: [
    { dir: 'public', prefix: '/static', cleanUrls: true, cacheControl: [{ match: '*.css', cacheControl: 'max-age=60' }] },
    { dir: 'app', prefix: '/app', spa: true },
    { dir: 'shared', prefix: '/shared', listing: true },
  ],
  redirects: [{ from: '/new', to: '/else', status: 307 }, { from: '/old/*', to: '/notes/*', status: 308 }],
  rewrites: [{ from: '/me', to: '/notes/7' }, { from: '/style', to: '/static/app.css' }],
  cors: [{ prefix: '/notes', origins: ['https://a.example'] }, { origins: '*', prefix: '/static' }],
  limits: { maxUrlBytes: 100, shed: { maxEventLoopDelayMs: 200, maxPoolWaitMs: 500 } },
})`,
  'urls.ts': `import { include, path, socket, text, urlconf } from 'uwas'
const one = () => text('one')
const failing = { parse() { throw new Error('a bug of the converter') }, format: String }
const notes = urlconf(
  path('/', () => text('all'), { name: 'all' }),
  path('/<int:id>', { get: one, delete: function remove() { return text('gone') } }, { name: 'one', maxBodyBytes: 99, timeoutMs: 5000 }),
)
export const urls = urlconf(
  include('/notes', notes, { namespace: 'n' }),
  socket('/chat', { message() {} }),
  path('/bad/<x:y>', one, { converters: { x: failing } }),
)`,
  'public/app.css': 'a { color: red }\n'.repeat(100),
  'public/page.html': '<p>page',
  'app/index.html': '<p>app',
  'shared/a.txt': 'a',
}

interface Told {
  readonly by: string
  readonly status: number | null
  readonly headers: [name: string, value: string][]
  readonly [key: string]: unknown
}

async function told(cwd: string, ...args: string[]): Promise<Told> {
  const { code, stdout, stderr } = await run(['explain', '--json', ...args], { cwd })
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Told
}

t.test('of a view it tells route, place, parameters, middleware and limits', async (t) => {
  const cwd = folder(t, SITE)
  t.match(await told(cwd, 'get', '/notes/7?x=1'), {
    method: 'GET',
    url: '/notes/7?x=1',
    route: {
      pattern: '/notes/<int:id>',
      name: 'n:one',
      place: 'urls.ts:6',
      methods: ['GET', 'HEAD', 'DELETE'],
      view: 'one',
      params: { id: 7 },
    },
    middleware: ['auth', '(anonymous)'],
    limits: { maxBodyBytes: 99, maxViewMs: 5000, maxUrlBytes: 100 },
    cors: { prefix: '/notes', origins: 'https://a.example' },
  })
  const { stdout } = await run(['explain', 'DELETE', '/notes/7'], { cwd })
  t.match(
    stdout,
    /^DELETE \/notes\/7\n→ the view remove of route \/notes\/<int:id> \(urls\.ts:6\)\n/,
  )
  t.match(stdout, /^ {2}id +7 \(number\)$/m)
  t.match(stdout, /^ {2}middleware +auth → \(anonymous\)$/m)
  t.match(
    stdout,
    /^ {2}overload +503 while the event loop is 200 ms late or the database is 500 ms behind, to try again after 10 s$/m,
  )
})

t.test('of a file it tells mount, tag, caching and variants', async (t) => {
  const cwd = folder(t, SITE)
  const first = await told(cwd, 'http://any.example/static/app.css')
  t.match(first, {
    by: 'file',
    middleware: [],
    steps: [{ stage: 'lane' }, {}, {}, { stage: 'files' }],
  })
  t.match(first['file'], {
    prefix: '/static',
    dir: 'public',
    path: 'public/app.css',
    bytes: 1700,
    type: 'text/css; charset=utf-8',
    etag: /^"[0-9a-f]{32}"$/,
    cacheControl: 'max-age=60',
    from: 'memory',
  })
  t.match((await told(cwd, '/static/page.html'))['file'], { path: '/static/page', etag: '' })
  t.match((await told(cwd, '/static/page'))['file'], { path: 'public/page.html' })
})

t.test('a rule of the configuration is named', async (t) => {
  const cwd = folder(t, SITE)
  t.match(await told(cwd, '/old/7'), { summary: 'the redirect /old/* → /notes/*' })
  t.match((await told(cwd, '/me'))['steps'], [
    { stage: 'lane' },
    { stage: 'redirects', finding: 'none of 2 fits' },
    { stage: 'rewrites', finding: '/me → /notes/7: answered as /notes/7' },
  ])
})

t.test('a request that cannot be one is refused, exit code 2', async (t) => {
  const cwd = folder(t, SITE)
  const { code, stderr } = await run(['explain', 'GET', 'nothing'], { cwd })
  t.equal(code, 2)
  t.match(stderr, 'cannot explain that request: "nothing" is no URL')
  t.match(stderr, '[UWAS_ERR_COMMANDS_EXPLAIN]')
  const none = await run(['explain'], { cwd })
  t.equal(none.code, 2)
  t.match(none.stderr, "missing required argument 'method'")
})

t.test('routes --json lists files and routes for programs', async (t) => {
  const cwd = folder(t, SITE)
  const { code, stdout } = await run(['routes', '--json'], { cwd })
  t.equal(code, 0)
  t.match(JSON.parse(stdout), {
    files: [{ prefix: '/static', dir: 'public' }, { prefix: '/app' }, { prefix: '/shared' }],
    routes: [
      { methods: ['GET', 'HEAD'], pattern: '/notes/', name: 'n:all', place: 'urls.ts:5' },
      { methods: ['GET', 'HEAD', 'DELETE'], pattern: '/notes/<int:id>', name: 'n:one' },
      { methods: ['WS'], pattern: '/chat', name: '', place: 'urls.ts:10' },
      { pattern: '/bad/<x:y>' },
    ],
  })
})

t.test('of a site with hosts it asks the host of the request', async (t) => {
  const cwd = folder(t, {
    'uwas.config.ts': `import { defineConfig, host, path, text, urlconf } from 'uwas'
const one = () => text('one')
const shop = urlconf(path('/cart', one), path('/only', one))
export const config = defineConfig({ urls: urlconf(host('<slug:tenant>.example.org', shop), path('/cart', one)) })`,
  })
  t.match(await told(cwd, 'http://acme.example.org/cart'), {
    by: 'view',
    route: { pattern: '<slug:tenant>.example.org/cart', params: { tenant: 'acme' } },
  })
  t.match(await told(cwd, '/cart', '-H', 'Host: example.com'), { route: { pattern: '/cart' } })
  t.match(await told(cwd, 'http://example.com/only'), {
    by: 'notFound',
    hints: ['route <slug:tenant>.example.org/only (uwas.config.ts:3) is not at host example.com'],
  })
  const { stdout } = await run(['routes'], { cwd })
  t.match(stdout, /^GET HEAD +<slug:tenant>\.example\.org\/cart /m)
})

t.test('of a cached page it tells the key, or why the request goes to the view', async (t) => {
  const cwd = folder(t, {
    'uwas.config.ts': `import { defineConfig, path, text, urlconf } from 'uwas'
export const config = defineConfig({
  urls: urlconf(
    path('/', () => text('a'), {
      cached: { seconds: 60, graceSeconds: 5, tags: ['notes'], vary: { query: ['page'], languages: ['en', 'ko'] }, bypassCookies: ['session'] },
    }),
  ),
})`,
  })
  t.match(await told(cwd, '/?page=2', '-H', 'Accept-Language: ko'), {
    by: 'view',
    cache: {
      seconds: 60,
      staleSeconds: 0,
      graceSeconds: 5,
      tags: ['notes'],
      key: ['localhost/?page=2', 'ko'],
      bypass: null,
      varies: 'Accept-Language, Cookie',
    },
  })
  t.match(await told(cwd, '/?utm=1'), {
    cache: { key: null, bypass: 'a parameter that vary.query does not name' },
  })
  const { stdout } = await run(['explain', '/'], { cwd })
  t.match(
    stdout,
    /^The page cache\n {2}kept for 60 s, 5 s more where that fails as localhost\/, en$/m,
  )
  const own = await run(['explain', '/', '-H', 'Cookie: session=1'], { cwd })
  t.match(own.stdout, /this request goes to the view, for it has a cookie of bypassCookies/)
})

t.test(
  'of the paths of health it tells what they look at, and that any host may ask',
  async (t) => {
    const cwd = folder(t, {
      'uwas.config.ts': `import { path, text, urlconf } from 'uwas'
export const config = {
  urls: urlconf(path('/', () => text('home'))),
  middleware: [(req, next) => next()],
  allowedHosts: ['example.org'],
  database: 'postgres://nobody@127.0.0.1:1/none',
  health: { checks: { mail: () => true } },
}`,
    })
    t.match(await told(cwd, 'http://10.0.0.1/readyz'), {
      by: 'health',
      status: null,
      middleware: [],
      summary:
        'whether the site is ready ("health"): 200, or 503 also while it stops; checks, each at most 2000 ms: database, mail',
    })
    const alive = await told(cwd, '/healthz')
    t.match(alive, { by: 'health', status: 200, summary: /^the site lives: 200/ })
    t.strictSame(new Map(alive.headers).get('Cache-Control'), 'no-store')
    t.match(await told(cwd, 'POST', '/readyz'), { by: 'health', status: 405 })
    t.match(await told(cwd, 'http://10.0.0.1/'), { by: 'refusal', status: 421 })
    const source = readFileSync(join(cwd, 'uwas.config.ts'), 'utf8')
    for (const [says, status] of [
      ["'close'", null],
      ['404', 404],
    ]) {
      const changed = source.replace('database:', `unknownHosts: ${says}, database:`)
      put(cwd, 'uwas.config.ts', changed)
      t.match(await told(cwd, 'http://10.0.0.1/'), {
        by: 'refusal',
        status,
        summary: 'the host "10.0.0.1" is none of allowedHosts',
      })
    }
  },
)
