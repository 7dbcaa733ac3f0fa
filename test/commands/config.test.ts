import t from 'tap'
import { folder, run } from '../support/binary.ts'

const SECRETS = ['s'.repeat(32), 't'.repeat(40)]
const HASH =
  '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$c29tZWhhc2hzb21laGFzaHNvbWVoYXNo'

const SITE = {
  'uwas.config.ts': `import { defineConfig, path, text, urlconf } from 'uwas'
function auth(req, next) { return next() }
export const config = defineConfig({
  urls: urlconf(path('/', () => text('x')), path('/y', () => text('y'))),
  database: { url: 'postgres://ann:pa%40ss@db.example/site?sslmode=require', poolSize: 7 },
  middleware: [auth],
  secrets: ${JSON.stringify(SECRETS)},
  sessions: { store: 'cookie' },
  access: [{ path: '/y', basicAuth: { realm: 'y', users: { bea: ${JSON.stringify(HASH)} } } }],
  status: { listen: '127.0.0.1:9180', token: 'a-token-of-the-status-page-0123456789' },
  tracing: { endpoint: 'http://127.0.0.1:4318', headers: { authorization: 'Bearer otlptoken' } },
})`,
}

const NEVER = [...SECRETS, HASH, 'pa%40ss', 'pa@ss', 'otlptoken', 'a-token-of']

t.test('tells the configuration as it counts, with what nobody has written', async (t) => {
  const cwd = folder(t, SITE)
  const { code, stdout, stderr } = await run(['config'], { cwd, env: { PORT: '4321' } })
  t.equal(code, 0, stderr)
  const lines = stdout.split('\n')
  t.ok(lines.includes('port = 4321'), 'from the environment')
  t.ok(lines.includes('database.poolSize = 7'), 'from the file')
  t.ok(lines.includes('trailingSlash = "redirect"'), 'by default')
  t.ok(lines.includes('urls = "(2 routes: uwas routes)"'))
  t.ok(lines.includes('middleware = ["(function auth)"]'))
  t.ok(lines.includes('secrets = ["(hidden)","(hidden)"]'))
  t.ok(lines.includes('database.url = "postgres://ann:(hidden)@db.example:5432/site"'))
  t.ok(lines.includes('access[0].basicAuth.users.bea = "(hidden)"'), 'who may come in is told')
  t.ok(lines.includes('tracing.headers.authorization = "(hidden)"'))
  for (const secret of NEVER) t.notMatch(stdout, secret)
})

t.test('and as JSON, for programs', async (t) => {
  const cwd = folder(t, SITE)
  const { code, stdout } = await run(['config', '--json'], { cwd })
  t.equal(code, 0)
  const told = JSON.parse(stdout) as Record<string, unknown>
  t.match(told, {
    file: /uwas\.config\.ts$/,
    secrets: ['(hidden)', '(hidden)'],
    status: { host: '127.0.0.1', port: 9180, token: '(hidden)' },
    sessions: { store: 'cookie', cookieName: String },
  })
  for (const secret of NEVER) t.notMatch(stdout, secret)
})

t.test('shows no password of what is no URL, and no secret of a query', async (t) => {
  const cwd = folder(t, {
    'uwas.config.ts': `import { path, text, urlconf } from 'uwas'
export const config = {
  urls: urlconf(path('/', () => text('x'))),
  redirects: [{ from: '/a', to: 'https://x.test/?sig=hush1&%61pi_key=hush2&page=3', status: 302 }],
  cors: [{ origins: ['https://a.test'], headers: ['X-Shown'] }],
}`,
  })
  for (const url of [
    'postgres://ann:hush/3@db/x',
    'host=db user=ann password=hush4',
    ' postgres://ann:hush5@db/x',
    'postgres:/ann:hush6@db/x',
    'postgres://ann@db/x?pass%77ord=hush7',
  ]) {
    const { code, stdout, stderr } = await run(['config'], { cwd, env: { DATABASE_URL: url } })
    t.equal(code, 0, stderr)
    t.notMatch(stdout, 'hush', url)
    t.match(stdout, 'page=3')
    t.match(stdout, 'X-Shown')
  }
})

t.test('a configuration that is wrong is told as everywhere', async (t) => {
  const cwd = folder(t, { 'uwas.config.ts': 'export const config = { prot: 80 }' })
  const { code, stderr } = await run(['config'], { cwd })
  t.equal(code, 2)
  t.match(stderr, /unknown key "prot"/)
})
