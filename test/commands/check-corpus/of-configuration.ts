/** Mistakes in the configuration: keys, kinds, ranges, paths, and what is said of all replies. */
import { config, type Mistake } from './site.ts'

const SECRET = `'${'s'.repeat(32)}'`

/** One key of the configuration; what is found names the file. */
const key = (name: string, keys: string, ...found: (string | RegExp)[]): Mistake => ({
  name,
  patch: config(keys),
  found,
})

export const OF_CONFIGURATION: readonly Mistake[] = [
  key('an unknown key', "template: 'x'", /uwas\.config\.ts: .*\n.*template.*"templates"/),
  key('an unknown key further in', 'limits: { maxBodyByte: 1 }', /limits.*maxBodyByte/),
  key('a text for a number', "port: '80'", /uwas\.config\.ts: .*\n.*port/),
  key('a port out of range', 'port: 70000', /port.*70000/),
  key('a negative limit', 'limits: { maxBodyBytes: -1 }', /limits\.maxBodyBytes.*-1/),
  key('a pool of one', 'database: { poolSize: 1 }', /database\.poolSize.*1/),
  key('a database of another kind', "database: 'mysql://x/y'", /database.*postgres:\/\//),
  key('a URL conf that is none', 'urls: []', /urls.*urlconf\(\)/),
  key('a middleware that is no function', "middleware: ['x']", /middleware.*function/),
  key('a static folder that is not there', "static: 'gone'", /gone.*UWAS_ERR_FILES_FOLDER/),
  key('a prefix without its slash', "static: [{ dir: 'public', prefix: 'x' }]", /prefix.*"\/"/),
  key(
    'a template folder that is not there',
    "templates: 'gone'",
    /gone.*UWAS_ERR_TEMPLATE_DIRECTORY/,
  ),
  key('a migration folder that is not there', "migrations: 'gone'", /gone.*UWAS_ERR_MODEL/),
  key(
    'a folder of private files that is not there',
    "privateFiles: 'gone'",
    /gone.*UWAS_ERR_FILES_ROOT/,
  ),
  key(
    'a field value with CR and LF',
    "static: [{ dir: 'public', cacheControl: [{ match: '*', cacheControl: 'a\\r\\nb: c' }] }]",
    /cacheControl.*cannot stand in a field/,
  ),
  key(
    'a policy value with CR and LF',
    "securityHeaders: { referrerPolicy: 'a\\r\\nb: c' }",
    /securityHeaders: Referrer-Policy: .*cannot stand in a field/,
  ),
  key(
    'a policy source with CR and LF',
    "securityHeaders: { contentSecurityPolicy: { 'default-src': ['a\\r\\nb'] } }",
    /securityHeaders.*contentSecurityPolicy/,
  ),
  key(
    'a policy source with a semicolon',
    "securityHeaders: { contentSecurityPolicy: { 'default-src': ['a; script-src *'] } }",
    /securityHeaders.*contentSecurityPolicy/,
  ),
  key(
    'an unknown policy',
    "securityHeaders: { frameOptions: 'deny' }",
    /securityHeaders.*frameOptions/,
  ),
  key(
    'CORS with credentials for everybody',
    "cors: [{ origins: '*', credentials: true }]",
    /CORS policy of "\/": credentials need a list/,
  ),
  key(
    'CORS for an origin with a path',
    "cors: [{ origins: ['https://a.example/x'] }]",
    /CORS policy of "\/": "https:\/\/a\.example\/x" is not an origin/,
  ),
  key(
    'an allowed host with scheme',
    "allowedHosts: ['https://a.example']",
    /allowedHosts\[0\] is no host/,
  ),
  key(
    'an allowed host with port',
    "allowedHosts: ['a.example:80']",
    /allowedHosts\[0\] is no host/,
  ),
  key(
    'an allowed host with a star inside',
    "allowedHosts: ['a.*.example']",
    /allowedHosts\[0\] is no host/,
  ),
  key(
    'a proxy that is no network',
    "trustedProxies: ['10.0.0.0/33']",
    /trustedProxies.*10\.0\.0\.0\/33/,
  ),
  key('a proxy by its name', "trustedProxies: ['proxy.local']", /trustedProxies.*proxy\.local/),
  key(
    'an error page that is not there',
    "errorPages: [{ status: 404, file: 'gone.html' }]",
    /errorPages: \S+gone\.html cannot be read/,
  ),
  key(
    'an error page of a success',
    "errorPages: [{ status: 200, file: 'a.html' }]",
    /errorPages.*status.*200/,
  ),
  key(
    'redirects in a circle',
    "redirects: [{ from: '/a', to: '/b', status: 301 }, { from: '/b', to: '/a', status: 301 }]",
    /circle: \/a → \/b/,
  ),
  key(
    'a redirect with a status of its own',
    "redirects: [{ from: '/a', to: '/b', status: 300 }]",
    /redirects.*status/,
  ),
  key(
    'a rewrite to another site',
    "rewrites: [{ from: '/a', to: 'https://b.example/' }]",
    /rewrites: \/a → https:\/\/b\.example/,
  ),
  key('a secret that is too short', "secrets: ['short']", /secret.*32/),
  key('a secret that is not in the environment', 'secrets: [process.env.NOT_THERE]', /secret/),
  key('sessions without secrets', 'sessions: {}', 'sessions need secrets'),
  key('users without sessions', `secrets: [${SECRET}], accounts: {}`, 'accounts need sessions'),
  key(
    'sessions that end before they may rest',
    `secrets: [${SECRET}], sessions: { idleSeconds: 9, lifetimeSeconds: 5 }`,
    /sessions.*idleSeconds|idleSeconds.*lifetimeSeconds/,
  ),
  key(
    'tokens of forms without sessions and secrets',
    'csrf: {}',
    'csrf.mode "token" needs secrets',
  ),
  key(
    'a trusted origin without scheme',
    "csrf: { trustedOrigins: ['a.example'] }",
    /csrf\.trustedOrigins.*no origin/,
  ),
  key(
    'sessions whose tables are not made',
    `secrets: [${SECRET}], sessions: {}`,
    /own tables .* are missing/,
  ),
]
