/** Users and transactions: who asks is known in every one, and what changes an account goes with the route's. */
import t from 'tap'
import { z } from 'zod'
import { HttpError, invalid } from '../../../src/http/http-error.ts'
import { json, text } from '../../../src/http/reply.ts'
import type { Request } from '../../../src/http/request.ts'
import { atomic } from '../../../src/model/atomic.ts'
import { DATABASE } from '../../../src/model/database.ts'
import { statement } from '../../../src/model/statement.ts'
import * as pg from '../../../src/model/types.ts'
import { path, urlconf } from '../../../src/route/urlconf.ts'
import { user } from '../../../src/was/accounts/current-user.ts'
import { findUser } from '../../../src/was/accounts/find.ts'
import {
  changePassword,
  logIn,
  logInAs,
  logOut,
  logOutEverywhere,
  setUserActive,
} from '../../../src/was/accounts/log-in.ts'
import { Passwords } from '../../../src/was/accounts/passwords.ts'
import { authorize, withUser } from '../../../src/was/accounts/require.ts'
import { setPassword } from '../../../src/was/accounts/set-password.ts'
import { signUp } from '../../../src/was/accounts/sign-up.ts'
import { addToGroup, removeFromGroup } from '../../../src/was/accounts/tokens.ts'
import { flash, messages } from '../../../src/was/flash.ts'
import { form } from '../../../src/was/forms/form.ts'
import { session } from '../../../src/was/session/open.ts'
import { formView } from '../../../src/was/views/generic.ts'
import { GOOD, OTHER, routes, startAccounts, visitor } from '../../support/accounts.ts'

const hashes = statement('accounts atomic test hashes', {
  row: { password: pg.text },
  sql: 'select password from uwas.users',
})
const setHash = statement('accounts atomic test set hash', {
  params: { password: pg.text },
  sql: 'update uwas.users set password = $1',
})
const POST = { methods: ['POST'] } as const
const bodyOf = async (req: Request) => (await req.json()) as Record<string, string>
const found = async (req: Request) => (await findUser(req, 'mara'))?.id as number

async function enter(req: Request) {
  const known = await logIn(req, 'mara', GOOD)
  return json(known?.name ?? null)
}

/** Does one thing to Mara's account, and fails where it is asked to. */
async function change(req: Request) {
  const { what, fails } = await bodyOf(req)
  const id = await found(req)
  if (what === 'join') await addToGroup(req, id, 'editors')
  if (what === 'leave') await removeFromGroup(req, id, 'editors')
  if (what === 'block') await setUserActive(req, id, false)
  if (what === 'out') await logOutEverywhere(req, id)
  if (what === 'password') await changePassword(req, GOOD, OTHER)
  if (fails !== undefined) throw new HttpError(409)
  return text('done')
}

/** Whose the request is by now, as everything that depends on it says. */
async function whose(req: Request) {
  const own = await session(req)
  return { user: (await user(req))?.name ?? null, userId: own.userId, messages: messages(req) }
}
const NOBODYS = { user: null, userId: null, messages: [] }

/** A form whose `save` logs somebody in and refuses afterwards. */
const refusing = formView({
  form: form(z.object({ name: z.string() })),
  show: async (req, _form, status) => json(await whose(req as Request), { status }),
  async save(req, { name }) {
    const made = await signUp(req as Request, { name, password: GOOD })
    await logInAs(req as Request, made.user ?? { id: 0 })
    flash(req as Request, 'success', 'Welcome')
    throw invalid({ name: 'no' })
  },
})

const urls = urlconf(
  ...routes,
  path('/a/me', async (req) => json((await user(req)) ?? null), { atomic: true }),
  path(
    '/a/users',
    withUser((_req, who) => text(who.name)),
    { atomic: true },
  ),
  path('/a/authorize', async (req) => text((await authorize(req)).name), { atomic: true }),
  path('/a/log-in', enter, { ...POST, atomic: true }),
  path('/own/me', (req) => atomic(req, async () => json((await user(req)) ?? null))),
  path('/own/authorize', (req) => atomic(req, async () => text((await authorize(req)).name))),
  path('/own/log-in', (req) => atomic(req, () => enter(req)), POST),
  path('/own/find', (req) => atomic(req, async () => json(await findUser(req, 'mara')))),
  path('/own/change', (req) => atomic(req, () => change(req)), POST),
  path('/a/change', change, { ...POST, atomic: true }),
  path(
    '/a/reset',
    async (req) => {
      const id = await found(req)
      await setPassword(req, id, OTHER)
      await logInAs(req, { id })
      const { how } = await bodyOf(req)
      if (how === 'throw') throw new HttpError(409)
      return text('failed', { status: 503 })
    },
    {
      ...POST,
      atomic: true,
      // A site's own page for what failed, of which the session would be kept.
      middleware: [
        async (req, next) => {
          const status = await (async () => (await next()).status)().catch(() => 409)
          return json({ status, ...(await whose(req)) })
        },
      ],
    },
  ),
  path(
    '/a/reset/plain',
    async (req) => {
      const id = await found(req)
      await setPassword(req, id, OTHER)
      await logInAs(req, { id })
      throw new HttpError(409)
    },
    { ...POST, atomic: true },
  ),
  path('/a/join', refusing, { atomic: true }),
  path(
    '/a/order',
    async (req) => {
      await setPassword(req, await found(req), OTHER)
      const old = await logIn(req, 'mara', GOOD)
      return json([old?.name ?? null, (await logIn(req, 'mara', OTHER))?.name ?? null])
    },
    { ...POST, atomic: true },
  ),
  path(
    '/a/out',
    async (req) => {
      const problem = await changePassword(req, GOOD, OTHER)
      await logOut(req)
      return json(problem)
    },
    { ...POST, atomic: true },
  ),
  path(
    '/a/touched',
    async (req) => {
      await logOutEverywhere(req, await found(req))
      return enter(req)
    },
    { ...POST, atomic: true },
  ),
  path(
    '/a/sign-up',
    async (req) => {
      const { name = '', fails } = await bodyOf(req)
      const made = await signUp(req, { name, password: GOOD })
      if (made.user === undefined) return json(made.problems, { status: 422 })
      await addToGroup(req, made.user.id, 'editors')
      await logInAs(req, made.user)
      if (fails !== undefined) throw new HttpError(409)
      return json((await findUser(req, name))?.id === made.user.id)
    },
    { ...POST, atomic: true },
  ),
)

t.test('who asks is known inside of every transaction', async (t) => {
  const client = await startAccounts(t, {}, { urls })
  const mara = visitor(client)
  await mara.join('Mara')
  for (const at of ['/a/me', '/own/me']) {
    t.equal(JSON.parse((await mara.ask('GET', at)).text).name, 'Mara', at)
  }
  for (const at of ['/a/users', '/a/authorize', '/own/authorize']) {
    t.equal((await mara.ask('GET', at)).text, 'Mara', at)
  }
  t.equal((await visitor(client).ask('GET', '/a/authorize')).status, 401)
  t.equal((await mara.ask('GET', '/own/find')).status, 200)
  for (const at of ['/a/log-in', '/own/log-in']) {
    const other = visitor(client)
    t.equal((await other.ask('POST', at, {})).text, '"Mara"', at)
    t.equal((await other.me())?.name, 'Mara', at)
  }
})

t.test('a change of an account is undone with the transaction of its route', async (t) => {
  const client = await startAccounts(t, {}, { urls })
  const mara = visitor(client)
  await mara.join('Mara')
  const at = async (what: string, more = {}) =>
    (await mara.ask('POST', '/a/change', { what, ...more })).status
  const groups = async () => (await mara.me())?.groups
  for (const what of ['join', 'leave', 'block', 'out', 'password']) {
    t.equal(await at(what, { fails: true }), 409, what)
    t.same(await groups(), [], `${what} is undone, and the session is still hers`)
  }
  t.equal(await visitor(client).enter('mara', OTHER), 401)
  t.equal(await visitor(client).enter('mara', GOOD), 200)
  t.equal(await at('join'), 200)
  t.same(await groups(), ['editors'])
  t.equal(await at('leave'), 200)
  t.same(await groups(), [])
  const before = mara.jar.cookie
  t.equal(await at('password'), 200)
  t.not(mara.jar.cookie, before, 'a new id')
  t.equal((await mara.me())?.name, 'Mara', 'the session that changed it is of the new epoch')
  t.equal(await visitor(client, before).me(), null)
  t.equal(await visitor(client).enter('mara', OTHER), 200)
  t.equal(await at('out'), 200)
  t.equal(await mara.me(), null)
})

t.test('an account made in the transaction of a route is there for the rest of it', async (t) => {
  const client = await startAccounts(t, {}, { urls })
  const theo = visitor(client)
  t.equal((await theo.ask('POST', '/a/sign-up', { name: 'Theo', fails: 'yes' })).status, 409)
  t.equal(await theo.me(), null, 'there is no such user')
  t.equal((await theo.ask('POST', '/a/sign-up', { name: 'Theo' })).text, 'true')
  t.same((await theo.me())?.groups, ['editors'])
})

t.test('a change in an atomic of the view itself is refused as any statement there', async (t) => {
  const client = await startAccounts(t, {}, { urls })
  const mara = visitor(client)
  await mara.join('Mara')
  for (const what of ['join', 'leave', 'block', 'out', 'password']) {
    t.equal((await mara.ask('POST', '/own/change', { what })).status, 500, what)
  }
  t.same((await mara.me())?.groups, [], 'nothing has changed')
  t.equal(await visitor(client).enter('mara', GOOD), 200)
})

t.test('who is logged in by a view that is undone is not', async (t) => {
  const client = await startAccounts(t, {}, { urls })
  const mara = visitor(client)
  await mara.join('Mara')
  const other = visitor(client)
  const refused = await other.ask('POST', '/a/reset/plain', {})
  t.equal(refused.status, 409)
  t.same(refused.headers.getSetCookie(), [], 'there is no session')
  for (const [how, status] of Object.entries({ throw: 409, fail: 503 })) {
    const reply = await other.ask('POST', '/a/reset', { how })
    t.same(JSON.parse(reply.text), { status, ...NOBODYS }, how)
    t.same(reply.headers.getSetCookie(), [], how)
  }
  const before = mara.jar.cookie
  t.equal((await mara.ask('POST', '/a/reset', { how: 'throw' })).status, 200)
  t.equal(mara.jar.cookie, before, 'her session keeps its id')
  t.equal((await mara.me())?.name, 'Mara')
  t.equal((await mara.ask('POST', '/password', { password: GOOD, next: OTHER })).text, 'null')
  t.equal(await other.me(), null, 'nor by the next epoch of that account')
})

t.test('who is logged in by what a form refuses while it is saved is not', async (t) => {
  const client = await startAccounts(t, {}, { urls })
  const refused = await client.post('/a/join', { form: { name: 'Theo' } })
  t.equal(refused.status, 422)
  t.same(refused.json(), NOBODYS)
  t.same((await client.get('/session')).json(), null)
  t.equal(await visitor(client).join('Theo'), 200, 'the name is free')
})

t.test('a log-in goes by the password that its transaction has set', async (t) => {
  const client = await startAccounts(t, {}, { urls })
  const mara = visitor(client)
  await mara.join('Mara')
  t.equal((await mara.ask('POST', '/a/order', {})).text, '[null,"Mara"]')
  t.equal((await mara.me())?.name, 'Mara')
})

t.test('who changes a password and logs out has no session', async (t) => {
  const client = await startAccounts(t, {}, { urls })
  const mara = visitor(client)
  await mara.join('Mara')
  t.equal((await mara.ask('POST', '/a/out', {})).text, 'null')
  t.equal(mara.jar.cookie, '')
  t.equal(await visitor(client).enter('mara', OTHER), 200)
})

t.test('a better hash is not waited for in the transaction that holds its row', async (t) => {
  const client = await startAccounts(t, {}, { urls, database: { statementTimeoutMs: 5000 } })
  const mara = visitor(client)
  await mara.join('Mara')
  const db = client.services.get(DATABASE)
  const outdated = await new Passwords({ passes: 3 }).hash(GOOD)
  await setHash.run(db, { password: outdated })
  t.equal((await mara.ask('POST', '/a/touched', {})).text, '"Mara"')
  t.equal((await mara.me())?.name, 'Mara')
  t.match((await hashes.one(db)).password, /,t=2,/, 'it is kept after the commit')
  t.equal(await visitor(client).enter('mara', GOOD), 200)
})
