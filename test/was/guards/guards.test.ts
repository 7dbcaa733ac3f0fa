/** What stands before files, cached pages, views and WebSockets alike: over real sockets, in both lanes. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { text } from '../../../src/http/reply.ts'
import { socket } from '../../../src/route/socket.ts'
import { path, urlconf } from '../../../src/route/urlconf.ts'
import { createPasswords } from '../../../src/was/accounts/passwords.ts'
import type { UserConfig } from '../../../src/was/config-types.ts'
import type { RawResponse } from '../../support/raw.ts'
import { siteOf, type TestSite } from '../../support/serving.ts'

const urls = urlconf(
  path('/', () => text('front')),
  path('/admin', () => text('admin')),
  path('/admin/users', (req) => text(`users, for ${req.remoteUser}`)),
  path('/page', () => text('page'), { cached: { seconds: 60 } }),
  socket('/admin/chat', { message: () => {} }),
)

/** A site with the files /open.txt, /admin/secret.txt and /a b/c.txt. */
async function guarded(t: Test, config: UserConfig): Promise<TestSite> {
  const dir = mkdtempSync(join(tmpdir(), 'uwas-guards-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const put = (name: string, content: string) => {
    mkdirSync(join(dir, name, '..'), { recursive: true })
    writeFileSync(join(dir, name), content)
  }
  put('open.txt', 'open')
  put('admin/secret.txt', 'secret')
  put('a b/c.txt', 'blank')
  const cacheControl = [{ match: '**', cacheControl: 'public, max-age=60, s-maxage=600' }]
  return siteOf(t, { urls, static: [{ dir, prefix: '/', cacheControl }], ...config })
}

const HANDSHAKE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]
const basic = (pair: string) => `Authorization: Basic ${Buffer.from(pair).toString('base64')}`
const field = ({ headers }: RawResponse, name: string) => headers[name]
const textOf = ({ body }: RawResponse) => body.toString()

t.test(
  'a folder is closed to networks: its files, views, sockets, however they are named',
  async (t) => {
    const { ask } = await guarded(t, {
      access: [{ path: '/admin/*', deny: ['loopback'] }],
      rewrites: [{ from: '/back/*', to: '/admin/*' }],
      redirects: [{ from: '/admin/old', to: '/open.txt', status: 308 }],
    })
    const closed = ['/admin', '/admin/users', '/admin/secret.txt', '/admin/none', '/admin/old']
    const named = [
      '/%61dmin/secret.txt',
      '/./admin/./secret.txt',
      '/back/secret.txt',
      '/back/users',
      '/admin/secret.txt?a',
    ]
    for (const target of [...closed, ...named]) {
      const reply = await ask(target)
      t.equal(reply.status, 403, target)
      t.notMatch(textOf(reply), /secret|users, /)
      t.equal(field(reply, 'x-content-type-options'), 'nosniff')
      t.equal((await ask(target, [], 'HEAD')).status, 403)
      t.equal((await ask(target, ['Transfer-Encoding: chunked'], 'GET')).status !== 200, true)
    }
    t.equal((await ask('/admin/chat', HANDSHAKE)).status, 403)
    for (const target of ['/', '/open.txt', '/a%20b/c.txt', '/page']) {
      t.equal((await ask(target)).status, 200, target)
    }
    t.equal((await ask('/administration')).status, 404, 'another folder')
  },
)

t.test('behind a proxy the client counts, and only the proxy may name it', async (t) => {
  const { ask } = await guarded(t, {
    access: [{ allow: ['192.0.2.0/24', '2001:db8::/32'], deny: ['192.0.2.66'] }],
    trustedProxies: ['loopback'],
  })
  const from = async (client: string) =>
    (await ask('/open.txt', [`X-Forwarded-For: ${client}`])).status
  t.equal(await from('192.0.2.1'), 200)
  t.equal(await from('192.0.2.66'), 403)
  t.equal(await from('2001:db8::1'), 200)
  t.equal(await from('198.51.100.1'), 403)
  t.equal(await from('nonsense'), 403)
  t.equal((await ask('/open.txt')).status, 403)
  t.equal((await ask('/healthz')).status, 200, 'a load balancer is let through')
})

t.test('requests are limited by path, whatever answers them', async (t) => {
  const { ask } = await guarded(t, {
    limits: {
      requests: [
        { requests: 6, perSeconds: 100_000, name: 'site' },
        { path: '/admin/*', methods: ['GET'], requests: 2, perSeconds: 100_000 },
      ],
    },
  })
  const file = await ask('/admin/secret.txt')
  t.equal(file.status, 200)
  t.equal(textOf(file), 'secret')
  t.match(field(file, 'ratelimit'), /"requests-1";r=1;t=50000/)
  t.match(field(file, 'ratelimit'), /"site";r=5;t=16667/)
  t.equal((await ask('/admin/users')).status, 200)
  const refused = await ask('/admin/secret.txt')
  t.equal(refused.status, 429)
  t.match(field(refused, 'retry-after'), /^\d+$/)
  t.equal((await ask('/admin/secret.txt', [], 'HEAD')).status, 200, 'not counted there')
  t.equal((await ask('//nowhere')).status, 404, 'no canonical path, and counted')
  const etag = field(file, 'etag')
  t.equal((await ask('/admin/secret.txt', [`If-None-Match: ${etag}`], 'HEAD')).status, 304)
  for (const target of ['/page', '/open.txt', '/', '/none', '//nowhere']) {
    t.equal((await ask(target)).status, 429, target)
  }
  t.equal((await ask('/healthz')).status, 200)
})

t.test('a password opens a folder; who does not know it is asked for it', async (t) => {
  const hash = await createPasswords().hash('open sesame: ü')
  const { ask } = await guarded(t, {
    access: [{ path: '/admin/*', basicAuth: { realm: 'Staff', users: { mara: hash } } }],
    cors: [{ origins: ['https://other.example'] }],
  })
  const asked = await ask('/admin/secret.txt')
  t.equal(asked.status, 401)
  t.equal(field(asked, 'www-authenticate'), 'Basic realm="Staff", charset="UTF-8"')
  t.equal(field(asked, 'cache-control'), 'no-store')
  const wrong = [
    basic('mara:wrong'),
    basic('theo:open sesame: ü'),
    basic('mara'),
    basic(''),
    basic('mara:open sesame: ü\n'),
    'Authorization: Basic !!!',
    'Authorization: Basic',
    `Authorization: Basic ${Buffer.from([0x6d, 0x3a, 0xff]).toString('base64')}`,
    'Authorization: Bearer abc',
  ]
  for (const line of wrong) t.equal((await ask('/admin/users', [line])).status, 401, line)
  const right = basic('mara:open sesame: ü')
  t.equal(textOf(await ask('/admin/users', [right])), 'users, for mara')
  t.equal((await ask('/admin/users', [right.replace('Basic', 'bAsIc')])).status, 200)
  const file = await ask('/admin/secret.txt', [right])
  t.equal(textOf(file), 'secret')
  t.equal(field(file, 'cache-control'), 'private, max-age=60', 'for no shared cache')
  t.equal(field(await ask('/open.txt'), 'cache-control'), 'public, max-age=60, s-maxage=600')
  const preflight = ['Origin: https://other.example', 'Access-Control-Request-Method: PUT']
  t.equal((await ask('/admin/users', preflight, 'OPTIONS')).status, 204, 'browsers send none')
  t.equal((await ask('/admin/users', [], 'OPTIONS')).status, 401)
})

t.test('who guesses passwords is stopped, and who is known goes on', async (t) => {
  const passwords = createPasswords()
  const users = { mara: await passwords.hash('right'), theo: await passwords.hash('also right') }
  const { ask } = await guarded(t, {
    access: [{ path: '/admin/*', basicAuth: { users } }],
    trustedProxies: ['loopback'],
  })
  const as = async (pair: string, address = '192.0.2.1') =>
    (await ask('/admin/users', [basic(pair), `X-Forwarded-For: ${address}`])).status
  t.equal(await as('mara:right'), 200)
  const guesses = []
  for (let i = 0; i < 52; i++) guesses.push(await as(`theo:guess ${i}`))
  t.strictSame(new Set(guesses.slice(0, 50)), new Set([401]))
  t.equal(guesses[51], 429)
  t.equal(await as('theo:also right'), 429)
  t.equal(await as('mara:right'), 200, 'her password has been checked before')
  t.equal(await as('theo:also right', '192.0.2.2'), 200)
})

t.test('limits by name count those who have a password', async (t) => {
  const passwords = createPasswords()
  const users = { mara: await passwords.hash('right'), theo: await passwords.hash('also right') }
  const { ask } = await guarded(t, {
    access: [{ basicAuth: { users } }],
    limits: { requests: [{ requests: 1, perSeconds: 100_000, key: 'user' }] },
  })
  const as = async (pair: string) => (await ask('/open.txt', [basic(pair)])).status
  t.strictSame([await as('mara:right'), await as('mara:right')], [200, 429])
  t.strictSame([await as('theo:also right'), await as('theo:also right')], [200, 429])
  t.equal((await ask('/open.txt')).status, 401, 'and nobody else uses up anything')
})

t.test('nonsense is told at start', async (t) => {
  const refused = (config: UserConfig, message: RegExp, code = 'UWAS_ERR_WAS_GUARD') =>
    t.rejects(guarded(t, config), { code, message })
  await refused({ access: [{ path: '/a' }] }, /^access\[0\]: it lets everybody in/)
  await refused({ access: [{ deny: ['10.0.0.0/33'] }] }, /deny has "10.0.0.0\/33", which is not/)
  await refused({ access: [{ allow: ['local'] }] }, /allow has "local", which is not a network/)
  await refused(
    { access: [{ allow: ['::1'], deny: ['::1'] }] },
    /"::1" is in "allow" and in "deny"/,
  )
  await refused({ access: [{ basicAuth: { users: {} } }] }, /has no users/)
  await refused(
    { access: [{ path: 'a', deny: ['::1'] }] },
    /the path "a" cannot be: it has to start/,
  )
  const limit = { requests: 1, perSeconds: 1 }
  await refused(
    { limits: { requests: [{ ...limit, path: '/a/../b' }] } },
    /^limits.requests\[0\]: the path/,
  )
  const config = 'UWAS_ERR_WAS_CONFIG'
  await refused(
    { limits: { requests: [{ ...limit, perSecond: 1 } as never] } },
    /unknown key "limits.requests\[0\].perSecond"; did you mean "perSeconds"/,
    config,
  )
  await refused({ limits: { requests: [{ ...limit, requests: 0 }] } }, /at least 1/, config)
  await refused({ limits: { requests: [{ ...limit, key: 'ip' as never }] } }, /is no key/, config)
  await refused(
    { access: [{ basicAuth: { users: { mara: 'plain text' } } }] },
    /access\[0\].basicAuth.users.mara is no hash of a password; "uwas hashpassword" makes one/,
    config,
  )
})

t.test('the access log has the name of who has signed in, and of nobody else', async (t) => {
  const hash = await createPasswords().hash('good password')
  const dir = mkdtempSync(join(tmpdir(), 'uwas-guards-log-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'access.log')
  const site = await guarded(t, {
    access: [{ path: '/admin/*', basicAuth: { users: { 'mara m': hash } } }],
    accessLog: { file, format: '$status $remote_user "$request"' },
  })
  for (const target of ['/admin/users', '/admin/secret.txt', '/open.txt']) {
    t.equal((await site.ask(target, [basic('mara m:good password')])).status, 200)
  }
  t.equal((await site.ask('/admin/users', [basic('mara m:bad')])).status, 401)
  await site.backends.logs.close()
  t.strictSame(readFileSync(file, 'utf8').trimEnd().split('\n'), [
    '200 mara\\x20m "GET /admin/users HTTP/1.1"',
    '200 mara\\x20m "GET /admin/secret.txt HTTP/1.1"',
    '200 - "GET /open.txt HTTP/1.1"',
    '401 - "GET /admin/users HTTP/1.1"',
  ])
})

t.test('slashes at the end of a rule and of a path are the same to it', async (t) => {
  const site = await siteOf(t, {
    urls: urlconf(
      path('/w/', () => text('secret')),
      path('/v', () => text('secret')),
    ),
    access: ['/w', '/v/'].map((each) => ({ path: each, deny: ['loopback'] })),
  })
  for (const target of ['/w/', '/w', '/v']) t.equal((await site.ask(target)).status, 403, target)
})

t.test('an encoded rule, which would fit nothing, is an error', async (t) => {
  await t.rejects(siteOf(t, { access: [{ path: '/my%20files/*', deny: ['loopback'] }] }), {
    code: 'UWAS_ERR_WAS_GUARD',
    message: /the path "\/my%20files\/\*" is encoded/,
  })
})
