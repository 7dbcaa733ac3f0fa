/** Users and transactions: who asks is known in every one, and what changes an account goes with the route's. */
import t from 'tap'
import { HttpError } from '../../../src/http/http-error.ts'
import { json, text } from '../../../src/http/reply.ts'
import type { Request } from '../../../src/http/request.ts'
import { atomic } from '../../../src/model/atomic.ts'
import { path, urlconf } from '../../../src/route/urlconf.ts'
import { user } from '../../../src/was/accounts/current-user.ts'
import { findUser } from '../../../src/was/accounts/find.ts'
import {
  changePassword,
  logIn,
  logInAs,
  logOutEverywhere,
  setUserActive,
} from '../../../src/was/accounts/log-in.ts'
import { authorize, withUser } from '../../../src/was/accounts/require.ts'
import { signUp } from '../../../src/was/accounts/sign-up.ts'
import { addToGroup, removeFromGroup } from '../../../src/was/accounts/tokens.ts'
import { GOOD, OTHER, routes, startAccounts, visitor } from '../../support/accounts.ts'

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
