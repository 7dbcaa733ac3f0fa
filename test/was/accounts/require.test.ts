import t from 'tap'
import { DATABASE } from '../../../src/model/database.ts'
import {
  addToGroup,
  createToken,
  removeFromGroup,
  revokeToken,
  tokensOf,
} from '../../../src/was/accounts/tokens.ts'
import { can } from '../../../src/was/accounts/user.ts'
import { mayEdit, startAccounts as start, visitor } from '../../support/accounts.ts'
import { runSql } from '../../support/postgres.ts'

t.test('a person is sent to the log-in page and back, a program is told', async (t) => {
  const client = await start(t)
  const person = { accept: 'text/html,*/*;q=0.8' }
  const stranger = visitor(client)
  for (const target of ['/users?a=1&b=2', '/posts', '/hide']) {
    const sent = await stranger.ask('GET', target, undefined, person)
    t.equal(sent.status, 303)
    t.equal(sent.headers.get('location'), `/log-in?${new URLSearchParams({ next: target })}`)
    t.equal(sent.headers.get('cache-control'), 'no-store')
  }
  const referer = `${client.url}/public?x=1`
  const posted = await stranger.ask('POST', '/users', {}, { ...person, referer })
  t.equal(posted.headers.get('location'), '/log-in?next=%2Fpublic%3Fx%3D1')
  const foreign = { ...person, referer: 'http://evil.example/' }
  t.equal((await stranger.ask('POST', '/users', {}, foreign)).headers.get('location'), '/log-in')
  for (const headers of [{}, { ...person, 'sec-fetch-dest': 'empty' }]) {
    const told = await stranger.ask('GET', '/users', undefined, headers)
    t.equal(told.status, 401)
    t.equal(told.headers.get('www-authenticate'), 'Bearer')
  }
  await stranger.join('mara')
  t.equal((await stranger.ask('GET', '/users', undefined, person)).text, 'mara')
  t.equal((await stranger.ask('GET', '/hide', undefined, person)).status, 403)
})

t.test('groups give permissions, policies look at the thing itself', async (t) => {
  const client = await start(t)
  const mara = visitor(client)
  await mara.join('mara')
  const id = (await mara.me())?.id ?? 0
  const edit = async (owner: number) => (await mara.ask('POST', '/edit', { owner })).status
  t.strictSame([await edit(id), await edit(id + 1)], [200, 403])
  t.equal((await visitor(client).ask('POST', '/edit', { owner: id })).status, 401)
  const hidden = async () => [
    (await mara.ask('GET', '/hide')).status,
    (await mara.ask('GET', '/hidden')).status,
  ]
  t.strictSame(await hidden(), [403, 403])
  await addToGroup(client, id, 'editors')
  await addToGroup(client, id, 'editors')
  t.strictSame(await hidden(), [200, 200], 'at once, in the session that is there')
  await removeFromGroup(client, id, 'editors')
  t.strictSame(await hidden(), [403, 403])
  await addToGroup(client, id, 'admins')
  t.strictSame(await hidden(), [200, 200], '* is everything')
  await t.rejects(addToGroup(client, id, 'editor'), {
    code: 'UWAS_ERR_WAS_GROUP',
    message:
      'there is no group "editor" in accounts.groups of the configuration; did you mean "editors"?',
  })
  await runSql(client.services.get(DATABASE), "update uwas.memberships set group_name = 'gone'")
  t.strictSame(await hidden(), [403, 403], 'a group without a place in the configuration')
  t.equal(can(undefined, 'posts.hide'), false)
  t.equal(can(undefined, mayEdit, { owner: 1 }), false)
})

t.test('a token is good for its scopes, its time and its user, and is kept nowhere', async (t) => {
  const client = await start(t)
  const db = client.services.get(DATABASE)
  const mara = visitor(client)
  await mara.join('mara')
  const id = (await mara.me())?.id ?? 0
  await addToGroup(client, id, 'editors')
  const { token, id: tokenId } = await createToken(db, id, { name: 'ci', scopes: ['posts.write'] })
  t.match(token, /^uwas_[\w-]{43}$/)
  const by = async (method: string, target: string, text = `Bearer ${token}`, cookie = '') =>
    visitor(client, cookie).ask(method, target, undefined, { authorization: text })
  t.equal((await by('GET', '/posts')).text, 'posted')
  t.equal((await by('GET', '/posts', `bEARER   ${token}`)).status, 200)
  const refused = await by('GET', '/hide')
  t.equal(refused.status, 403, 'the user may, the token may not')
  const challenge = 'Bearer error="insufficient_scope", scope="posts.hide"'
  t.equal(refused.headers.get('www-authenticate'), challenge)
  for (const text of [
    `Bearer ${token}x`,
    'Bearer',
    'Bearer ',
    'Bearer \u00ff',
    `Bearer ${token},${token}`,
  ]) {
    const wrong = await by('GET', '/users', text, mara.jar.cookie)
    t.equal(wrong.status, 401, 'a wrong token is not saved by a session')
    t.equal(wrong.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
  }
  t.equal((await by('GET', '/users', 'Basic eDp5', mara.jar.cookie)).status, 200)
  const rows = await runSql(db, 'select hash::text, name from uwas.tokens')
  t.notMatch(JSON.stringify(rows), token.slice(5, 20))
  t.notMatch(client.log.join('\n'), token.slice(5, 20))
  t.match(await tokensOf(db, id), [
    { id: tokenId, name: 'ci', scopes: ['posts.write'], expiresAt: null },
  ])
  t.equal(await revokeToken(db, id + 1, tokenId), false, 'only its owner’s')
  t.equal(await revokeToken(db, id, 'no id'), false)
  t.equal(await revokeToken(db, id, tokenId), true)
  t.equal((await by('GET', '/posts')).status, 401)
  const short = await createToken(db, id, { name: 'b', scopes: [], expiresInSeconds: 3600 })
  const shortly = async () => (await by('GET', '/users', `Bearer ${short.token}`)).status
  t.equal(await shortly(), 200)
  await runSql(db, "update uwas.tokens set expires_at = now() - interval '1 second'")
  t.equal(await shortly(), 401)
  for (const [options, message] of [
    [{ name: ' ', scopes: [] }, /^the token cannot be made: name has/],
    [{ name: 'a', scopes: ['two words'] }, /a scope is a word/],
    [{ name: 'a', scopes: [], expiresInSeconds: -1 }, /expiresInSeconds is no time to come/],
  ] as const) {
    await t.rejects(createToken(db, id, options), { code: 'UWAS_ERR_WAS_TOKEN', message })
  }
})
