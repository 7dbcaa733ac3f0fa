import t from 'tap'
import { HttpError } from '../../../src/http/http-error.ts'
import { json } from '../../../src/http/reply.ts'
import type { Request } from '../../../src/http/request.ts'
import { path, urlconf } from '../../../src/route/urlconf.ts'
import { findUser } from '../../../src/was/accounts/find.ts'
import { setUserActive } from '../../../src/was/accounts/log-in.ts'
import { setPassword } from '../../../src/was/accounts/set-password.ts'
import { GOOD, OTHER, routes, startAccounts, visitor } from '../../support/accounts.ts'

const POST = { methods: ['POST'] } as const

async function set(req: Request) {
  const { id, next, fails } = (await req.json()) as { id: number; next: string; fails?: boolean }
  const problem = await setPassword(req, id, next)
  if (fails === true) throw new HttpError(409)
  return json(problem)
}

const urls = urlconf(
  ...routes,
  path('/set', set, POST),
  path('/a/set', set, { ...POST, atomic: true }),
  path('/id', async (req) => json((await findUser(req, 'mara'))?.id)),
  path(
    '/block',
    async (req) => {
      await setUserActive(req, ((await req.json()) as { id: number }).id, false)
      return json(null)
    },
    POST,
  ),
)

t.test('a password is set without the one before, and all sessions end', async (t) => {
  const client = await startAccounts(t, {}, { urls })
  const [mara, clerk] = [visitor(client), visitor(client)]
  await mara.join('Mara')
  const id = Number((await clerk.ask('GET', '/id')).text)
  const ask = async (next: string, more: object = {}, where = '/set') =>
    (await clerk.ask('POST', where, { id, next, ...more })).text
  t.match(await ask('short'), /"kind":/)
  t.equal(await ask('mara20262026'), '{"kind":"name"}')
  t.equal(await ask(OTHER, { id: id + 1 }), '{"kind":"unknown"}')
  t.equal((await mara.me())?.name, 'Mara', 'nothing has changed')
  await ask(OTHER, { fails: true }, '/a/set')
  t.equal((await mara.me())?.name, 'Mara', 'undone with its transaction')
  t.equal(await visitor(client).enter('mara', GOOD), 200)
  for (const [where, next] of [
    ['/set', OTHER],
    ['/a/set', GOOD],
  ] as const) {
    const before = visitor(client)
    await before.enter('mara', next === OTHER ? GOOD : OTHER)
    t.equal((await before.me())?.name, 'Mara')
    t.equal(await ask(next, {}, where), 'null', where)
    t.equal(await before.me(), null, 'its sessions have ended')
    t.equal(await visitor(client).enter('mara', next), 200)
  }
  t.equal(await visitor(client).enter('mara', OTHER), 401)
  await clerk.ask('POST', '/block', { id })
  t.equal(await ask(OTHER), '{"kind":"unknown"}', 'of a blocked user')
})
