import t from 'tap'
import { Signer } from '../../../src/http/signing.ts'
import { createCookieStore } from '../../../src/was/session/cookie-store.ts'
import { revokeSessions } from '../../../src/was/session/revoke.ts'
import { newToken, type Stored } from '../../../src/was/session/stored.ts'
import { https, signedIn, start, withCookie } from '../../support/session-site.ts'
import { SECRET } from '../../support/site.ts'

const LIMITS = { idleSeconds: 1000, lifetimeSeconds: 5000, maxBytes: 0 }
const OLD = 'another secret of more than thirty-two bytes'

function stored(token: string, age: { created?: number; seen?: number } = {}): string {
  const now = Math.floor(Date.now() / 1000)
  const { created = 0, seen = 0 } = age
  const content = { t: token, u: '7', d: { a: [1] }, c: now - created, s: now - seen }
  return new Signer([SECRET]).encrypt('session', JSON.stringify(content))
}

t.test(
  'a session in a cookie is kept by the client alone, unreadable and unchangeable',
  async (t) => {
    const own = await start(t, { store: 'cookie' })
    const set = await own.ask('GET', '/set?to=dark', https)
    const cookie = set.set['__Host-session'] ?? ''
    t.notMatch(Buffer.from(cookie, 'base64url').toString('latin1'), 'dark')
    const theme = async (value: string) =>
      (await own.ask('GET', '/theme', { ...https, cookie: `__Host-session=${value}` })).text
    t.equal(await theme(cookie), 'dark')
    for (const at of [0, 11, 20, cookie.length - 3]) {
      const flipped = cookie.slice(0, at) + (cookie[at] === 'A' ? 'B' : 'A') + cookie.slice(at + 1)
      t.equal(await theme(flipped), 'none', `bit ${at}`)
    }
    t.equal(await theme(cookie.slice(0, -4)), 'none')
    t.equal(await theme(cookie + cookie), 'none')
    const read = await own.ask('GET', '/theme', { ...https, cookie: `__Host-session=${cookie}` })
    t.strictSame(read.setCookies, [], 'a reader gets no new cookie')
  },
)

t.test('signing in and out changes and removes the cookie', async (t) => {
  const own = await start(t, { store: 'cookie' })
  const cookie = await signedIn(own, '7')
  t.equal((await own.ask('GET', '/who', withCookie(cookie))).text, '7')
  const out = await own.ask('GET', '/sign-out', withCookie(cookie))
  t.match(out.setCookies[0], /^session=; Max-Age=0/)
  await t.rejects(revokeSessions(own.client, '7'), {
    code: 'UWAS_ERR_WAS_SESSION_STORE',
    message:
      'sessions in cookies can be neither listed nor revoked; set sessions.store to "postgres"',
  })
})

t.test(
  'what does not fit into a cookie is an error, never a cookie that browsers drop',
  async (t) => {
    const own = await start(t, { store: 'cookie' })
    const large = await own.ask('GET', '/wrong?what=large')
    t.equal(large.status, 500)
    t.strictSame(large.setCookies, [])
    t.match(
      own.client.log.join('\n'),
      /it would be \d{5} bytes long, and 4096 are the most; a cookie/,
    )
  },
)

t.test('the longest that fits is sent, one more is refused', async (t) => {
  const store = createCookieStore(new Signer([SECRET]), LIMITS)
  const next = (length: number) => ({
    token: newToken(),
    userId: null,
    dataFrom: () => ({ a: 'x'.repeat(length) }),
    hasSignedIn: true,
  })
  let most = 0
  while ((await store.create(next(most), null)).length + 128 < 4090) most++
  t.ok(most > 2500)
  await t.rejects(store.create(next(most + 20), null), {
    code: 'UWAS_ERR_WAS_SESSION_SIZE',
    message:
      /^session: it would be 41\d\d bytes long, and 4096 are the most; a cookie holds no more; keep less, or keep sessions in PostgreSQL/,
  })
})

t.test('it ends by disuse, by age, and when its times lie ahead', async (t) => {
  const store = createCookieStore(new Signer([SECRET]), LIMITS)
  const token = newToken()
  const loaded = (age: Parameters<typeof stored>[1]) => store.load(stored(token, age), null)
  t.match(await loaded({}), { token, userId: '7', data: { a: [1] }, isStale: false })
  t.match(await loaded({ created: 990, seen: 990 }), { isStale: true })
  t.equal(await loaded({ created: 1001, seen: 1001 }), undefined)
  t.equal(await loaded({ created: 5001 }), undefined)
  t.match(await loaded({ created: -100, seen: -100 }), { token }, 'two servers may differ')
  t.equal(await loaded({ created: -400, seen: -400 }), undefined, 'a clock that was set back')
  t.equal(await store.load(stored('short'), null), undefined)
})

t.test('touching and changing keep when it began; a new user begins anew', async (t) => {
  const store = createCookieStore(new Signer([SECRET]), LIMITS)
  const before = (await store.load(stored(newToken(), { created: 900, seen: 900 }), null)) as Stored
  const next = { token: before.token, userId: '7', dataFrom: () => ({ b: 2 }), hasSignedIn: false }
  const age = async (cookie: string | null) => {
    const found = await store.load(cookie ?? '', null)
    return Math.round((Date.now() - (found?.createdAt.getTime() ?? 0)) / 100_000)
  }
  t.equal(await age(await store.touch(before, null)), 9)
  t.equal(await age(await store.change(before, next, null)), 9)
  t.equal(await age(await store.change(before, { ...next, hasSignedIn: true }, null)), 0)
})

t.test(
  'while secrets change, sessions of the old one go on, and are written with the new one',
  async (t) => {
    const before = createCookieStore(new Signer([OLD]), LIMITS)
    const between = createCookieStore(new Signer([SECRET, OLD]), LIMITS)
    const after = createCookieStore(new Signer([SECRET]), LIMITS)
    const next = { token: newToken(), userId: '7', dataFrom: () => ({}), hasSignedIn: true }
    const cookie = await before.create(next, null)
    t.equal(await after.load(cookie, null), undefined)
    const found = (await between.load(cookie, null)) as Stored
    t.equal(found.userId, '7')
    const renewed = await between.touch(found, null)
    t.match(await after.load(renewed ?? '', null), { userId: '7', token: found.token })
  },
)
