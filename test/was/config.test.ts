import t from 'tap'
import { html } from '../../src/http/reply.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { defineConfig, parseConfig } from '../../src/was/config.ts'

const FILE = '/site/uwas.config.ts'
const urls = urlconf(path('/', () => html('')))

function parse(raw: unknown, env: Record<string, string> = {}) {
  return parseConfig(raw, { file: FILE, env })
}

/** The lines of what is wrong with `raw`. */
function problems(raw: unknown, env: Record<string, string> = {}): string[] {
  try {
    parse(raw, env)
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    t.equal(code, 'UWAS_ERR_WAS_CONFIG')
    const [head, ...lines] = message.split('\n')
    t.equal(head, `${FILE}: the configuration is wrong:`)
    return lines.map((line) => line.replace('  - ', ''))
  }
  return []
}

t.test('an empty configuration is complete', async (t) => {
  t.strictSame(parse({}), {
    file: FILE,
    root: '/site',
    urls: null,
    static: [],
    workers: {
      count: 1,
      timeoutMs: 30_000,
      startTimeoutMs: 60_000,
      maxMemoryBytes: 0,
      maxRequests: 0,
      maxAgeSeconds: 0,
      pinToCore: false,
      stopDelayMs: 0,
      graceMs: 10_000,
    },
    cache: { maxBytes: 67_108_864, shared: null },
    files: {
      maxBytes: 536_870_912,
      maxFileBytes: 16_777_216,
      watch: 'auto',
      deployments: 3,
    },
    templates: null,
    migrations: null,
    database: null,
    host: null,
    port: 8080,
    listen: null,
    tls: null,
    stateDir: '/site/.uwas',
    limits: {
      maxBodyBytes: 1_048_576,
      maxHeaderBytes: 16_384,
      maxUrlBytes: 8000,
      maxViewSeconds: 60,
      minSendBytesPerSecond: 1024,
      minReceiveBytesPerSecond: 1024,
      maxResponseSeconds: 21_600,
      requests: [],
      connections: null,
      shed: null,
    },
    access: [],
    proxyProtocol: null,
    trustedProxies: null,
    allowedHosts: null,
    unknownHosts: 421,
    health: null,
    status: null,
    serverTiming: null,
    tracing: null,
    notTraced: [],
    redirects: [],
    rewrites: [],
    cors: [],
    securityHeaders: {},
    compression: { minBytes: 1024, types: [] },
    errorPages: [],
    privateFiles: null,
    middleware: [],
    secrets: [],
    sessions: null,
    accounts: null,
    csrf: null,
    requestContext: false,
    trailingSlash: 'redirect',
    etags: false,
    timings: false,
    accessLog: null,
  })
})

t.test('the status listener is on this machine alone unless it says otherwise', async (t) => {
  t.strictSame(parse({ status: {} }).status, { host: '127.0.0.1', port: 9180, token: null })
  const addresses = {
    '[::1]:9000': { host: '::1', port: 9000 },
    '0.0.0.0:0': { host: '0.0.0.0', port: 0 },
    'status.internal:65535': { host: 'status.internal', port: 65_535 },
  }
  for (const [listen, address] of Object.entries(addresses)) {
    t.match(parse({ status: { listen } }).status, address, listen)
  }
  for (const listen of ['', '9180', ':9180', 'x:', 'x:65536', '::1:9180', 'a b:1', 'x:1 ']) {
    t.throws(
      () => parse({ status: { listen } }),
      {
        code: 'UWAS_ERR_WAS_CONFIG',
        message: /status\.listen is no address like "127\.0\.0\.1:9180"/,
      },
      listen,
    )
  }
  t.throws(() => parse({ status: { token: 'short' } }), {
    message: /status\.token is no token: 16 to 512 characters of ASCII, without blanks$/m,
  })
  t.throws(() => parse({ status: { lisen: 'x:1' } as object }), {
    message: /unknown key "status\.lisen"; did you mean "listen"\?/,
  })
})

t.test('paths start from the folder of the file', async (t) => {
  const config = parse({
    static: ['public', { dir: '../assets', prefix: '/assets' }],
    templates: 'pages',
    migrations: '/elsewhere/sql',
    stateDir: '../state',
  })
  t.strictSame(
    config.static.map(({ dir, prefix }) => ({ dir, prefix })),
    [
      { dir: '/site/public', prefix: '/' },
      { dir: '/assets', prefix: '/assets' },
    ],
  )
  t.strictSame(parse({ static: 'public' }).static, [
    {
      dir: '/site/public',
      prefix: '/',
      index: ['index.html'],
      cleanUrls: false,
      spa: null,
      listing: false,
      lastModified: true,
      cacheControl: [],
      types: {},
    },
  ])
  t.equal(config.templates, '/site/pages')
  t.equal(config.migrations, '/elsewhere/sql')
  t.equal(config.stateDir, '/state')
})

t.test(
  'the database follows the configuration, then DATABASE_URL, then what the site has',
  async (t) => {
    const env = { DATABASE_URL: 'postgres://env/db' }
    const defaults = {
      directUrl: null,
      profile: 'direct',
      poolSize: 10,
      acquireTimeoutMs: 5000,
      maxWaiting: 1000,
      connectTimeoutMs: 5000,
      statementTimeoutMs: 30_000,
      slowStatementMs: null,
      maxConnectionSeconds: 1800,
    }
    const embedded = { ...defaults, url: null }
    const of = (url: string | null, own: object = {}) => ({ ...defaults, url, ...own })
    const pooled = { profile: 'pgbouncer', directUrl: 'postgres://direct/db', maxWaiting: 0 }
    const cases: [raw: object, env: Record<string, string>, database: unknown][] = [
      [{ urls }, {}, null],
      [{ migrations: 'm' }, {}, embedded],
      [{ migrations: 'm' }, { DATABASE_URL: '' }, embedded],
      [{ migrations: 'm' }, env, of('postgres://env/db')],
      [{ urls }, env, of('postgres://env/db')],
      [{ static: 'public' }, env, null],
      [{ database: false, urls }, env, null],
      [{ database: 'embedded' }, env, embedded],
      [{ database: 'postgresql://own/db' }, env, of('postgresql://own/db')],
      [{ database: { poolSize: 3 } }, env, of('postgres://env/db', { poolSize: 3 })],
      [{ database: { poolSize: 3 } }, {}, of(null, { poolSize: 3 })],
      [{ database: { slowStatementMs: 5 } }, {}, of(null, { slowStatementMs: 5 })],
      [{ database: { url: 'postgres://own/db' } }, env, of('postgres://own/db')],
      [{ database: pooled }, env, of('postgres://env/db', pooled)],
    ]
    for (const [raw, given, expected] of cases) {
      t.strictSame(parse(raw, given).database, expected, JSON.stringify([raw, given]))
    }
  },
)

t.test('PORT wins over the configuration; an empty one is none', async (t) => {
  t.equal(parse({ port: 3000 }).port, 3000)
  t.equal(parse({ port: 3000 }, { PORT: '4000' }).port, 4000)
  t.equal(parse({ port: 3000 }, { PORT: '' }).port, 3000)
  t.equal(parse({}, { PORT: '0' }).port, 0)
})

t.test('every problem is told, each with its place and what would be right', async (t) => {
  t.strictSame(
    new Set(
      problems(
        {
          prot: 1,
          static: [{ dirr: 'x' }, 5],
          limits: { maxBodyByte: 1, maxHeaderBytes: 10 },
          urls: 3,
          middleware: [1],
          database: 'mysql://a:b@c',
          timings: 'yes',
          templates: '',
          port: 99_999,
        },
        { PORT: 'x' },
      ),
    ),
    new Set([
      'unknown key "prot"; did you mean "port"?',
      'static[0].dir is undefined; it has to be a string',
      'unknown key "static[0].dirr"; did you mean "dir"?',
      'static[1] is 5; it has to be a folder, or a list of folders and { dir, prefix }',
      'unknown key "limits.maxBodyByte"; did you mean "maxBodyBytes"?',
      'limits.maxHeaderBytes is 10; it has to be at least 1024',
      'urls is not a URL conf; give it what urlconf() returns',
      'middleware[0] is not a function (req, next) => reply',
      'database is neither "embedded" nor a URL that starts with postgres://',
      'timings is "yes"; it has to be a boolean',
      'templates is empty; name a folder',
      'port is 99999; it has to be at most 65535',
      'the environment\'s PORT is "x"; it has to be a number from 0 to 65535',
    ]),
  )
})

t.test('what is no object, and keys deep inside, are told too', async (t) => {
  t.strictSame(problems(null), ['the configuration is null; it has to be an object'])
  t.strictSame(problems([]), ['the configuration is a list; it has to be an object'])
  t.strictSame(problems({ database: { url: 'x', pool: 3 } }), [
    'database.url is neither "embedded" nor a URL that starts with postgres://',
    'unknown key "database.pool"; known are: acquireTimeoutMs, connectTimeoutMs, directUrl, maxConnectionSeconds, maxWaiting, poolSize, profile, slowStatementMs, statementTimeoutMs, url',
  ])
  t.strictSame(problems({ database: 7 }), [
    'database is 7; it has to be "embedded", a postgres:// URL, { url, poolSize, … } or false',
  ])
  t.strictSame(problems({ static: [{ dir: 'a', prefix: 'b' }] }), [
    'static[0].prefix has to start with "/"',
  ])
})

t.test('migrations without a database are refused, not ignored', async (t) => {
  t.strictSame(problems({ database: false, migrations: 'm' }), [
    'migrations are given, but database is false; drop one of the two',
  ])
})

t.test('caches that are shared have a database, which tells of them', async (t) => {
  t.strictSame(problems({ database: false, cache: { shared: true } }), [
    'cache.shared is told by PostgreSQL, but database is false; drop one of the two',
  ])
  const parsed = (raw: object) => parseConfig(raw, { file: '/site/uwas.config.ts', env: {} })
  t.equal(parsed({ cache: { shared: true } }).database?.url, null)
  t.equal(parsed({ cache: { shared: false } }).database, null)
})

t.test('a password never stands in a message', async (t) => {
  const told = problems({ database: 'mysql://me:secret@host/db', host: 5, templates: 'a@b' })
  t.notMatch(told.join('\n'), 'secret')
})

t.test('the result is frozen, and the caller’s own lists stay theirs', async (t) => {
  const middleware = [() => html('')]
  const config = parse({ middleware, static: 'x', migrations: 'm' })
  for (const part of [config, config.static, config.limits, config.database, config.middleware]) {
    t.ok(Object.isFrozen(part))
  }
  t.notOk(Object.isFrozen(middleware))
})

t.test('defineConfig gives back what it gets', async (t) => {
  const config = { port: 1 }
  t.equal(defineConfig(config), config)
})

t.test('sessions need secrets and, but for cookies, a database', (t) => {
  const secrets = ['x'.repeat(32)]
  t.strictSame(problems({ sessions: {} }), [
    'sessions need secrets; set "secrets" from the environment: [process.env.SECRET]',
  ])
  t.strictSame(problems({ secrets, sessions: {}, database: false }), [
    "sessions are kept in PostgreSQL, but database is false; say store: 'cookie'",
  ])
  t.strictSame(problems({ secrets, sessions: { idleSeconds: 90, lifetimeSeconds: 60 } }), [
    'sessions.idleSeconds is 90, longer than sessions.lifetimeSeconds: 60',
  ])
  t.strictSame(problems({ secrets, sessions: { storage: 'cookie' } }), [
    'unknown key "sessions.storage"; did you mean "store"?',
  ])
  t.match(problems({ secrets, sessions: { cookieName: '__Host-a' } }), [/sessions\.cookieName/])
  t.match(parse({ secrets, sessions: {} }).database, { url: null }, 'an embedded one')
  t.equal(parse({ secrets, sessions: { store: 'cookie' } }).database, null)
  t.match(parse({ secrets, sessions: {} }).sessions, { store: 'postgres', cookieName: 'session' })
  t.end()
})

t.test(
  'forms are checked by token where there are sessions, unless the site says otherwise',
  (t) => {
    const secrets = ['x'.repeat(32)]
    const token = { mode: 'token', trustedOrigins: [] }
    t.strictSame(parse({ secrets, sessions: {} }).csrf, token)
    t.strictSame(parse({ secrets, csrf: {} }).csrf, token)
    t.equal(parse({ secrets, sessions: {}, csrf: false }).csrf, null)
    t.match(parse({ csrf: { mode: 'fetchMetadata' } }).csrf, { mode: 'fetchMetadata' })
    t.strictSame(problems({ csrf: {} }), [
      'csrf.mode "token" needs secrets; set "secrets", or say csrf: { mode: "fetchMetadata" }',
    ])
    t.strictSame(problems({ secrets, csrf: true }), [
      'csrf is true; it has to be { mode, trustedOrigins } or false',
    ])
    t.strictSame(problems({ secrets, csrf: { trustedOrigins: ['https://a.example/'] } }), [
      'csrf.trustedOrigins[0] is no origin like https://example.org, in lower case',
    ])
    t.end()
  },
)

t.test('allowed hosts are names without scheme and port', (t) => {
  const wrong =
    'is no host like example.org or *.example.org: small ASCII letters, without scheme and port'
  for (const host of [
    'https://a.example',
    'a.example:80',
    'A.example',
    '*',
    '*.',
    'a..b',
    '.a',
    '한',
  ]) {
    t.strictSame(problems({ allowedHosts: [host] }), [`allowedHosts[0] ${wrong}`], host)
  }
  const hosts = ['localhost', '*.a.example', '127.0.0.1', '[::1]']
  t.strictSame(parse({ allowedHosts: hosts }).allowedHosts, hosts)
  t.equal(problems({ allowedHosts: [] }).length, 1)
  t.end()
})

t.test('what other hosts get is for a site that names its own', (t) => {
  const allowedHosts = ['a.example']
  t.equal(parse({ allowedHosts, unknownHosts: 'close' }).unknownHosts, 'close')
  t.strictSame(problems({ unknownHosts: 404 }), [
    'unknownHosts is for hosts that are none of allowedHosts; list those',
  ])
  t.strictSame(problems({ allowedHosts, unknownHosts: 'close', trustedProxies: ['loopback'] }), [
    "unknownHosts is 'close', but behind trustedProxies connections are those of the proxies; take 421 or 404",
  ])
  t.equal(problems({ allowedHosts, unknownHosts: 403 as 404 }).length, 1)
  t.end()
})

t.test('accounts need sessions and a database, and their keys are known', async (t) => {
  const secrets = ['s'.repeat(32)]
  const of = (config: object) => () => parse({ secrets, ...config })
  const code = 'UWAS_ERR_WAS_CONFIG'
  t.throws(of({ accounts: {} }), { code, message: /accounts need sessions; say sessions: \{\}/ })
  t.throws(of({ accounts: {}, sessions: { store: 'cookie' }, database: false }), {
    code,
    message: /accounts are kept in PostgreSQL, but database is false/,
  })
  t.throws(of({ accounts: { group: {} }, sessions: {} }), {
    code,
    message: /unknown key "accounts.group"; did you mean "groups"/,
  })
  t.throws(of({ accounts: { logInPath: '//evil.example' }, sessions: {} }), {
    code,
    message: /accounts.logInPath is no path like \/log-in/,
  })
  const { accounts, database } = parse({
    secrets,
    sessions: { store: 'cookie' },
    accounts: { groups: { editors: ['posts.hide'] } },
  })
  t.match(accounts, { maxLogInsPerAccount: 10, groups: { editors: ['posts.hide'] } })
  t.not(database, null, 'accounts alone want a database')
})
