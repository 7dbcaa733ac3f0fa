import t from 'tap'
import { DATABASE } from '../../../src/model/database.ts'
import { SESSIONS } from '../../../src/was/session/open.ts'
import type { PostgresStore } from '../../../src/was/session/postgres-store.ts'
import { revokeSession, revokeSessions, sessionsOf } from '../../../src/was/session/revoke.ts'
import { runSql } from '../../support/postgres.ts'
import {
  https,
  late,
  release,
  SHARED,
  signedIn,
  start,
  waiting,
  withCookie,
} from '../../support/session-site.ts'
import type { Site } from '../../support/site.ts'

const rows = ({ client }: Site) =>
  runSql(
    client.services.get(DATABASE),
    'select user_id, data, version from uwas.sessions order by 1',
  )

t.test(
  'a client that nothing is kept for has no session, and its pages stay as they are',
  async (t) => {
    const own = await start(t)
    const page = await own.ask('GET', '/')
    t.strictSame([page.headers.get('cache-control'), page.headers.get('vary')], [null, null])
    const read = await own.client.get('/theme')
    t.equal(read.text, 'none')
    t.strictSame(read.queries, [], 'no statement for a client without a cookie')
    t.equal(read.headers.get('cache-control'), 'private')
    t.match(read.headers.get('vary'), /\bCookie\b/)
    t.strictSame(read.headers.getSetCookie(), [])
    const out = await own.ask('GET', '/sign-out')
    t.strictSame(out.setCookies, [])
    t.strictSame(await rows(own), [])
  },
)

t.test('what is set is there in the next request, and a mere reader writes nothing', async (t) => {
  const own = await start(t)
  await own.client.get('/set?to=dark')
  const read = await own.client.get('/theme')
  t.equal(read.text, 'dark')
  t.strictSame(read.queries, ['uwas session load'])
  t.strictSame(read.headers.getSetCookie(), [])
  const again = await own.client.get('/set?to=light')
  t.strictSame(again.queries, ['uwas session load', 'uwas session change'])
  t.strictSame(again.headers.getSetCookie(), [], 'the id stays, and so does its cookie')
  t.equal((await own.client.get('/theme')).text, 'light')
  await own.client.get('/sync')
  t.equal((await own.client.get('/theme')).text, 'sync', 'also by a view that did not wait')
})

t.test('its cookie is out of reach of scripts, other sites and sub-domains', async (t) => {
  const { ask } = await start(t)
  const plain = await ask('GET', '/set?to=a')
  t.match(
    plain.setCookies[0],
    /^session=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/,
  )
  const secure = await ask('GET', '/set?to=b', https)
  t.match(
    secure.setCookies[0],
    /^__Host-session=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  )
  const value = secure.set['__Host-session'] ?? ''
  const read = (cookie: string) => ask('GET', '/theme', { ...https, cookie })
  t.equal((await read(`__Host-session=${value}`)).text, 'b')
  t.equal((await read(`session=${value}`)).text, 'none', 'a name that a sub-domain could set')
  t.equal((await read(`__host-session=${value}`)).text, 'none', 'another case')
  const tossed = Buffer.from(`a=1; \u2000__Host-session=${value}`).toString('latin1')
  t.equal((await read(tossed)).text, 'none', 'a name that browsers do not protect')
  t.equal((await read(`__Host-session=${value}; __Host-session=x`)).text, 'none', 'two of a name')
})

t.test(
  'a reply that sets the cookie is private, and a reply object of all is left alone',
  async (t) => {
    const { ask } = await start(t)
    const open = await ask('GET', '/public')
    t.equal(open.headers.get('cache-control'), 'private, no-cache')
    const first = await ask('GET', '/set?to=a')
    const second = await ask('GET', '/set?to=b')
    t.equal(second.setCookies.length, 1)
    t.not(first.set['session'], second.set['session'])
    t.strictSame(SHARED.headers, [['Location', '/']])
  },
)

t.test('an id is never one that a client has chosen', async (t) => {
  const own = await start(t)
  const chosen = 'A'.repeat(43)
  const made = await own.ask('GET', '/sign-in?user=7', withCookie(chosen))
  t.match(made.set['session'], /^[\w-]{43}$/)
  t.not(made.set['session'], chosen)
  t.equal((await own.ask('GET', '/who', withCookie(chosen))).text, 'nobody')
})

t.test('signing in changes the id, keeps what was there, and kills the old id', async (t) => {
  const own = await start(t)
  const before = (await own.ask('GET', '/set?to=dark')).set['session'] ?? ''
  const after = (await own.ask('GET', '/sign-in?user=7', withCookie(before))).set['session'] ?? ''
  t.not(after, before)
  t.equal((await own.ask('GET', '/who', withCookie(after))).text, '7')
  t.equal((await own.ask('GET', '/theme', withCookie(after))).text, 'dark')
  const fixed = await own.ask('GET', '/who', withCookie(before))
  t.equal(fixed.text, 'nobody', 'who had planted the old id has nothing')
  t.strictSame(fixed.setCookies, [], 'and the client of a dead id keeps its cookie')
  const other = (await own.ask('GET', '/sign-in?user=8', withCookie(after))).set['session'] ?? ''
  t.equal(
    (await own.ask('GET', '/theme', withCookie(other))).text,
    'none',
    "another user's data go",
  )
  t.equal((await own.ask('GET', '/who', withCookie(after))).text, 'nobody')
  const rotated = await own.ask('GET', '/rotate', withCookie(other))
  t.equal((await own.ask('GET', '/who', withCookie(rotated.set['session'] ?? ''))).text, '8')
  t.equal((await own.ask('GET', '/who', withCookie(other))).text, 'nobody')
  t.equal((await rows(own)).length, 1)
})

t.test('after signing out a copied cookie is worth nothing', async (t) => {
  const own = await start(t)
  const cookie = await signedIn(own, '7')
  const out = await own.ask('GET', '/sign-out', withCookie(cookie))
  t.match(out.setCookies[0], /^session=; Max-Age=0; Path=\/; /)
  t.equal((await own.ask('GET', '/who', withCookie(cookie))).text, 'nobody')
  t.strictSame(await rows(own), [])
})

t.test('a dump of the table holds no session', async (t) => {
  const own = await start(t)
  const cookie = await signedIn(own, '7')
  const db = own.client.services.get(DATABASE)
  const [[hash = '', dump = ''] = []] = await runSql(
    db,
    "select encode(token, 'hex'), row_to_json(s)::text from uwas.sessions s",
  )
  t.notMatch(String(dump), cookie)
  for (const value of [hash, Buffer.from(String(hash), 'hex').toString('base64url')]) {
    t.equal((await own.ask('GET', '/who', withCookie(String(value)))).text, 'nobody')
  }
})

t.test('what is no token of ours is no session, and is not even asked for', async (t) => {
  const own = await start(t)
  const cookie = await signedIn(own, '7')
  const flipped = `${cookie.slice(0, 20)}${cookie[20] === 'A' ? 'B' : 'A'}${cookie.slice(21)}`
  const same = `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`
  for (const wrong of [
    flipped,
    same,
    cookie.slice(0, -1),
    `${cookie}A`,
    `${cookie}=`,
    '',
    "'; --",
  ]) {
    const asked = await own.client.get('/who', { headers: withCookie(wrong) })
    t.equal(asked.text, 'nobody', wrong)
    if (!/^[\w-]{43}$/.test(wrong)) t.strictSame(asked.queries, [], wrong)
  }
  t.equal((await own.ask('GET', '/who', withCookie('x'.repeat(3000)))).text, 'nobody')
})

t.test(
  'sessions end by disuse and by age, and using one is written down only now and then',
  async (t) => {
    const own = await start(t)
    const db = own.client.services.get(DATABASE)
    const cookie = await signedIn(own, '7')
    const age = (column: string, seconds: number) =>
      runSql(db, `update uwas.sessions set ${column} = now() - interval '${seconds} seconds'`)
    const who = () => own.client.get('/who', { headers: withCookie(cookie) })
    await age('seen_at', 60_400)
    t.strictSame((await who()).queries, ['uwas session load'])
    await age('seen_at', 60_500)
    t.strictSame((await who()).queries, ['uwas session load', 'uwas session touch'])
    t.strictSame((await who()).queries, ['uwas session load'])
    await age('seen_at', 604_700)
    t.equal((await who()).text, '7')
    await age('seen_at', 604_900)
    const over = await who()
    t.equal(over.text, 'nobody')
    t.strictSame(over.headers.getSetCookie(), [])
    await age('seen_at', 0)
    await age('created_at', 2_592_100)
    t.equal((await who()).text, 'nobody')
  },
)

t.test('two requests at once change different keys, and both stay', async (t) => {
  const own = await start(t)
  const cookie = withCookie(await signedIn(own, '7'))
  const slow = own.ask('GET', '/held/last?to=slow', cookie)
  await waiting(1)
  await own.ask('GET', '/set?to=dark', cookie)
  release()
  t.equal((await slow).status, 200)
  t.equal((await own.ask('GET', '/last', cookie)).text, 'slow')
  t.equal((await own.ask('GET', '/theme', cookie)).text, 'dark')
})

t.test('twenty additions at once are twenty', async (t) => {
  const own = await start(t)
  const cookie = withCookie(await signedIn(own, '7'))
  const ids = Array.from({ length: 20 }, (_, id) => id)
  const all = ids.map((id) => own.ask('GET', `/add?held&id=${id}`, cookie))
  await waiting(20)
  release()
  t.strictSame(
    (await Promise.all(all)).map(({ status }) => status),
    ids.map(() => 200),
  )
  const cart = JSON.parse((await own.ask('GET', '/cart', cookie)).text) as number[]
  t.strictSame(
    cart.sort((a, b) => a - b),
    ids,
  )
})

t.test('a change by what is no longer so is 409, and changes nothing', async (t) => {
  const own = await start(t)
  const cookie = withCookie(await signedIn(own, '7'))
  const slow = own.ask('GET', '/held/bump', { ...cookie, accept: 'application/json' })
  await waiting(1)
  await own.ask('GET', '/set?to=dark', cookie)
  release()
  const refused = await slow
  t.equal(refused.status, 409)
  t.match(refused.text, /the session was changed \(\\"theme\\"\) by another request meanwhile/)
  t.equal((await own.ask('GET', '/theme', cookie)).text, 'dark')
})

t.test('what a request does to a session that is over by then is 409', async (t) => {
  const own = await start(t)
  for (const ending of ['/sign-out', '/rotate']) {
    const cookie = withCookie(await signedIn(own, '7'))
    const slow = own.ask('GET', '/held/last?to=ghost', { ...cookie, accept: 'application/json' })
    await waiting(1)
    await own.ask('GET', ending, cookie)
    release()
    const refused = await slow
    t.equal(refused.status, 409, ending)
    t.match(refused.text, /the session was ended or renewed by another request meanwhile/)
    t.strictSame(refused.setCookies, [])
  }
  t.notMatch(JSON.stringify(await rows(own)), 'ghost')
})

t.test('a view that fails leaves its session as it was', async (t) => {
  const own = await start(t)
  const failed = await own.ask('GET', '/fail')
  t.equal(failed.status, 500)
  t.strictSame(failed.setCookies, [])
  t.strictSame(await rows(own), [])
})

t.test('what JSON would change in silence is refused, and so is what is too large', async (t) => {
  const own = await start(t)
  const logged = async (what: string) => {
    const before = own.client.log.length
    t.equal((await own.ask('GET', `/wrong?what=${what}`)).status, 500, what)
    return own.client.log.slice(before).join('\n')
  }
  t.match(
    await logged('date'),
    'session: the value of "theme" cannot be kept: it holds a Date; keep plain data',
  )
  t.match(await logged('nan'), 'the value of "cart" cannot be kept: it holds the number NaN')
  t.match(await logged('undefined'), 'it holds undefined')
  t.match(await logged('deep'), 'it is deeper than 32 levels, or a circle')
  t.match(await logged('proto'), 'the value of "__proto__" cannot be kept: this is no key')
  t.match(await logged('inner'), 'it has a key __proto__')
  t.match(await logged('push'), 'not extensible')
  const large = await logged('large')
  t.match(large, 'session: it would be 70012 bytes long, and 65536 are the most; keep less in it')
  t.match(large, 'RangeError')
  t.strictSame(await rows(own), [])
})

t.test('a change after the reply is an error, not lost in silence', async (t) => {
  const own = await start(t)
  await own.ask('GET', '/late')
  t.strictSame(late, [
    'UWAS_ERR_WAS_SESSION_LATE',
    'the session was changed after the reply of its request had been returned; change it before, and await what changes it',
  ])
})

t.test('sessions of a user are listed and revoked: one, others, all', async (t) => {
  const own = await start(t)
  const { client } = own
  const cookies = [await signedIn(own, '7'), await signedIn(own, '7'), await signedIn(own, '7')]
  const other = await signedIn(own, '8')
  const who = async (cookie = '') => (await own.ask('GET', '/who', withCookie(cookie))).text
  const list = await sessionsOf(client, '7')
  t.equal(list.length, 3)
  t.ok(list.every(({ createdAt, seenAt }) => createdAt <= seenAt))
  const [last] = list
  t.equal(await revokeSession(client, '8', last?.id ?? ''), false, "of another user's it has none")
  t.equal(await revokeSession(client, '7', 'x'), false)
  t.equal(await revokeSession(client, '7', last?.id ?? ''), true)
  t.equal(await who(cookies[2]), 'nobody')
  t.equal(await who(cookies[0]), '7')
  const kept = list[1]?.id ?? ''
  t.equal(await revokeSessions(client, '7', { except: kept }), 1)
  t.strictSame([await who(cookies[0]), await who(cookies[1])], ['nobody', '7'])
  t.equal(await revokeSessions(client, '7'), 1)
  t.strictSame([await who(cookies[1]), await who(other)], ['nobody', '8'])
})

t.test('expired sessions are removed in batches, live ones stay', async (t) => {
  const own = await start(t)
  const live = await signedIn(own, 'live')
  await runSql(
    own.client.services.get(DATABASE),
    `insert into uwas.sessions (id, token, data, seen_at)
     select gen_random_uuid(), sha256(n::text::bytea), '{}', now() - interval '8 days'
     from generate_series(1, 2500) n`,
  )
  const store = own.client.services.get(SESSIONS).store as PostgresStore
  t.equal(await store.removeExpired(), 2500)
  t.equal((await rows(own)).length, 1)
  t.equal((await own.ask('GET', '/who', withCookie(live))).text, 'live')
})
