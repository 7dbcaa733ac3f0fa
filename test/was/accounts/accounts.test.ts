import t from 'tap'
import { DATABASE } from '../../../src/model/database.ts'
import { createTestClient } from '../../../src/testing/test-client.ts'
import { logOutEverywhere, setUserActive } from '../../../src/was/accounts/log-in.ts'
import { createToken } from '../../../src/was/accounts/tokens.ts'
import type { UserConfig } from '../../../src/was/config.ts'
import {
  type Client,
  GOOD,
  OTHER,
  startAccounts as start,
  urls,
  visitor,
} from '../../support/accounts.ts'
import { runSql, testDatabaseUrl } from '../../support/postgres.ts'

t.test('somebody signs up, is known, logs out, and logs in again', async (t) => {
  const client = await start(t)
  const mara = visitor(client)
  t.equal(await mara.me(), null)
  t.equal(mara.jar.cookie, '', 'who only reads has no session')
  t.equal(await mara.join('Mara'), 200)
  const id = (await mara.me())?.id ?? 0
  t.match(await mara.me(), { id, name: 'Mara', groups: [], scopes: null })
  const seen = await mara.ask('GET', '/me')
  t.match(seen.headers.get('cache-control'), /private/)
  t.match(seen.headers.get('vary'), /Cookie/i)
  const copy = visitor(client, mara.jar.cookie)
  t.equal((await mara.ask('POST', '/log-out', {})).text, 'null')
  t.equal(await mara.me(), null)
  t.equal(await copy.me(), null, 'a copy of the cookie is worth nothing either')
  t.equal(await mara.enter(' MARA '), 200, 'a name is the same in capitals')
  t.equal((await mara.me())?.id, id)
})

t.test(
  'reading the user is one statement beside the session’s, and none without a cookie',
  async (t) => {
    const client = await start(t)
    const queries = async () => (await client.get('/me')).queries
    t.strictSame(await queries(), [])
    await client.post('/sign-up', { json: { name: 'mara', password: GOOD } })
    t.strictSame(await queries(), ['uwas session load', 'uwas user load'])
    t.strictSame((await client.get('/public')).queries, [])
  },
)

t.test('the session’s id that was there before logging in is worth nothing after it', async (t) => {
  const client = await start(t)
  await visitor(client).join('mara')
  const mara = visitor(client)
  await mara.enter('mara')
  const first = mara.jar.cookie
  await mara.enter('mara')
  t.not(mara.jar.cookie, first)
  t.equal(await visitor(client, first).me(), null)
  t.equal((await mara.me())?.name, 'mara')
})

t.test('a wrong name and a wrong password cannot be told apart', async (t) => {
  const client = await start(t)
  await visitor(client).join('mara')
  const stranger = visitor(client)
  const wrong = await stranger.ask('POST', '/log-in', { name: 'mara', password: 'wrong one here' })
  const nobody = await stranger.ask('POST', '/log-in', {
    name: 'nobody',
    password: 'wrong one here',
  })
  t.strictSame([wrong.status, wrong.text], [nobody.status, nobody.text])
  for (const name of ['', 'mara\0', '\ud800', 'x'.repeat(5000)])
    t.equal(await stranger.enter(name), 401)
  t.equal(await stranger.enter('mara', 'x'.repeat(5000)), 401)
  t.equal(stranger.jar.cookie, '')
})

t.test('of many who want one name at once one gets it, and look-alikes are the same', async (t) => {
  const client = await start(t, { passwords: { concurrency: 4 } })
  const names = ['Hanna', 'hanna', 'HANNA', 'ｈanna', 'Ｈanna', 'hannA', 'hAnna', 'haNna']
  const statuses = await Promise.all(names.map((name) => visitor(client).join(name)))
  t.strictSame(statuses.sort(), [200, ...Array(names.length - 1).fill(422)])
  const again = await visitor(client).ask('POST', '/sign-up', { name: 'HANNA', password: GOOD })
  t.strictSame(JSON.parse(again.text), { name: { kind: 'taken' } })
  const bad = await visitor(client).ask('POST', '/sign-up', { name: 'p\u0430ul', password: 'paul' })
  t.match(JSON.parse(bad.text), { name: { kind: 'scripts' }, password: { kind: 'short' } })
})

t.test('guesses at one name are counted wherever they come from, a right one is not', async (t) => {
  const client = await start(t, { maxLogInsPerAccount: 3 }, { trustedProxies: ['loopback'] })
  const from = (address: string, name: string, password: string) =>
    visitor(client).ask('POST', '/log-in', { name, password }, { 'x-forwarded-for': address })
  await visitor(client).join('mara')
  for (let i = 0; i < 6; i++) t.equal((await from('192.0.2.1', 'mara', GOOD)).status, 200)
  const statuses = []
  for (let i = 0; i < 4; i++) statuses.push((await from(`192.0.2.${i}`, 'mara', 'a guess')).status)
  t.strictSame(statuses, [401, 401, 401, 429])
  const refused = await from('198.51.100.1', 'Mara', GOOD)
  t.equal(refused.status, 429, 'even the right one, while it is being guessed')
  t.match(refused.headers.get('retry-after'), /^\d+$/)
  const nobody = []
  for (let i = 0; i < 4; i++) nobody.push((await from(`192.0.2.${i}`, 'nobody', 'a guess')).status)
  t.strictSame(nobody, [401, 401, 401, 429], 'the same for a name that nobody has')
})

t.test('one client cannot try many names, nor sign up without end', async (t) => {
  const client = await start(
    t,
    { maxLogInsPerAddress: 3, maxSignUpsPerAddress: 2 },
    { trustedProxies: ['loopback'] },
  )
  const statuses = []
  for (let i = 0; i < 4; i++) {
    const headers = { 'x-forwarded-for': `2001:db8::${i}` }
    const body = { name: `user${i}`, password: 'a guess' }
    statuses.push((await visitor(client).ask('POST', '/log-in', body, headers)).status)
  }
  t.strictSame(statuses, [401, 401, 401, 429], 'a /64 is one client')
  const joined = []
  for (let i = 0; i < 3; i++) joined.push(await visitor(client).join(`user${i}`))
  t.strictSame(joined, [200, 200, 429])
})

t.test('another password ends all other sessions, and gives this one a new id', async (t) => {
  const client = await start(t)
  const here = visitor(client)
  await here.join('mara')
  const there = visitor(client)
  await there.enter('mara')
  const before = here.jar.cookie
  const change = async (password: string, next: string) =>
    JSON.parse((await here.ask('POST', '/password', { password, next })).text)
  t.strictSame(await change('wrong', OTHER), { kind: 'wrong' })
  t.strictSame(await change(GOOD, 'Mara1987'), { kind: 'name' })
  t.equal((await there.me())?.name, 'mara', 'nothing has happened yet')
  t.equal(await change(GOOD, OTHER), null)
  t.equal((await here.me())?.name, 'mara')
  t.not(here.jar.cookie, before)
  t.equal(await visitor(client, before).me(), null)
  t.equal(await there.me(), null)
  t.equal(await visitor(client).enter('mara'), 401)
  t.equal(await visitor(client).enter('mara', OTHER), 200)
})

t.test('sessions in cookies end with their epoch too', async (t) => {
  const client = await start(t, {}, { sessions: { store: 'cookie' } })
  const [here, there] = [visitor(client), visitor(client)]
  await here.join('mara')
  await there.enter('mara')
  const id = (await here.me())?.id ?? 0
  await here.ask('POST', '/password', { password: GOOD, next: OTHER })
  t.equal((await here.me())?.id, id)
  t.equal(await there.me(), null)
  await logOutEverywhere(client, id)
  t.equal(await here.me(), null)
})

t.test('a blocked user is nobody: by session, password and token', async (t) => {
  const client = await start(t)
  const mara = visitor(client)
  await mara.join('mara')
  const id = (await mara.me())?.id ?? 0
  const { token } = await createToken(client.services.get(DATABASE), id, { name: 'a', scopes: [] })
  const byToken = async () =>
    (await visitor(client).ask('GET', '/me', undefined, { authorization: `Bearer ${token}` })).text
  t.match(await byToken(), /mara/)
  await setUserActive(client, id, false)
  t.strictSame([await mara.me(), await mara.enter('mara'), await byToken()], [null, 401, 'null'])
  await setUserActive(client, id, true)
  t.equal(await mara.me(), null, 'an old session does not come back')
  t.equal(await mara.enter('mara'), 200)
})

t.test('a password is hashed anew at log-in when the costs have changed', async (t) => {
  const url = await testDatabaseUrl()
  const config = (passes: number): UserConfig => ({
    urls,
    sessions: {},
    secrets: ['s'.repeat(32)],
    accounts: { passwords: { passes } },
  })
  const stored = async (client: Client) =>
    (await runSql(client.services.get(DATABASE), 'select password from uwas.users'))[0]?.[0]
  const options = { root: import.meta.dirname, env: { DATABASE_URL: url } }
  const before = await createTestClient(config(2), options)
  await visitor(before).join('mara')
  t.match(await stored(before), /t=2,/)
  await before.close()
  const after = await createTestClient(config(3), options)
  t.teardown(() => after.close())
  t.equal(await visitor(after).enter('mara', 'wrong'), 401)
  t.match(await stored(after), /t=2,/)
  t.equal(await visitor(after).enter('mara'), 200)
  t.match(await stored(after), /t=3,/)
  t.equal(await visitor(after).enter('mara'), 200)
})
