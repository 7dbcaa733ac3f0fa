/** A site with accounts, and people who use it, each with a browser of their own. */
import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import { json, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { createTestClient } from '../../src/testing/test-client.ts'
import { user } from '../../src/was/accounts/current-user.ts'
import { changePassword, logIn, logInAs, logOut } from '../../src/was/accounts/log-in.ts'
import {
  authorize,
  requirePermission,
  requireUser,
  withUser,
} from '../../src/was/accounts/require.ts'
import { signUp } from '../../src/was/accounts/sign-up.ts'
import type { User } from '../../src/was/accounts/user.ts'
import type { UserConfig } from '../../src/was/config.ts'
import { session } from '../../src/was/session/open.ts'
import { testDatabaseUrl } from './postgres.ts'

export const GOOD = 'two lamps and a kettle'
export const OTHER = 'three lamps and a pan'

interface Body {
  readonly name: string
  readonly password: string
  readonly next: string
  readonly owner: number
}
const bodyOf = async (req: Request) => (await req.json()) as Body

export const mayEdit = (who: User | undefined, note: { owner: number }) => who?.id === note.owner

export const routes = [
  path('/public', () => text('for all')),
  path('/me', async (req) => json((await user(req)) ?? null)),
  path('/session', async (req) => json((await session(req)).userId)),
  path(
    '/sign-up',
    async (req) => {
      const made = await signUp(req, await bodyOf(req))
      if (made.user === undefined) return json(made.problems, { status: 422 })
      await logInAs(req, made.user)
      return json((await user(req))?.name)
    },
    { methods: ['POST'] },
  ),
  path(
    '/log-in',
    async (req) => {
      const { name, password } = await bodyOf(req)
      const found = await logIn(req, name, password)
      return json(found?.name ?? null, { status: found === undefined ? 401 : 200 })
    },
    { methods: ['POST'] },
  ),
  path(
    '/log-out',
    async (req) => {
      await logOut(req)
      return json((await user(req)) ?? null)
    },
    { methods: ['POST'] },
  ),
  path(
    '/password',
    async (req) => {
      const { password, next } = await bodyOf(req)
      return json(await changePassword(req, password, next))
    },
    { methods: ['POST'] },
  ),
  path(
    '/users',
    withUser((_req, who) => text(who.name)),
    {
      methods: ['GET', 'POST'],
    },
  ),
  path('/posts', () => text('posted'), {
    methods: ['GET', 'POST'],
    middleware: [requireUser({ scope: 'posts.write' })],
  }),
  path('/hide', () => text('hidden'), { middleware: [requirePermission('posts.hide')] }),
  path('/edit', async (req) => text((await authorize(req, mayEdit, await bodyOf(req))).name), {
    methods: ['POST'],
  }),
  path('/hidden', async (req) => text((await authorize(req, 'posts.hide')).name)),
] as const
export const urls = urlconf(...routes)

/** The site, on a database of its own, until the test ends. */
export async function startAccounts(
  t: Test,
  more: Partial<UserConfig['accounts']> = {},
  config: UserConfig = {},
) {
  const client = await createTestClient(
    {
      urls,
      sessions: {},
      secrets: [randomBytes(32).toString('hex')],
      accounts: {
        groups: { editors: ['posts.hide'], admins: ['*'] },
        logInPath: '/log-in',
        ...more,
      },
      ...config,
    },
    { root: import.meta.dirname, env: { DATABASE_URL: await testDatabaseUrl() } },
  )
  t.teardown(() => client.close())
  return client
}

export type Client = Awaited<ReturnType<typeof startAccounts>>

/** Somebody with a browser of their own, or a copy of somebody's cookie. */
export function visitor(client: Client, cookie = '') {
  const jar = { cookie }
  async function ask(method: string, target: string, body?: object, headers = {}) {
    const reply = await fetch(client.url + target, {
      method,
      redirect: 'manual',
      headers: {
        accept: 'application/json',
        ...(jar.cookie === '' ? {} : { cookie: jar.cookie }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    for (const set of reply.headers.getSetCookie()) {
      const [pair = ''] = set.split(';')
      jar.cookie = pair.endsWith('=') ? '' : pair
    }
    return { status: reply.status, headers: reply.headers, text: await reply.text() }
  }
  const me = async (): Promise<User | null> => JSON.parse((await ask('GET', '/me')).text)
  const enter = async (name: string, password = GOOD) =>
    (await ask('POST', '/log-in', { name, password })).status
  const join = async (name: string, password = GOOD) =>
    (await ask('POST', '/sign-up', { name, password })).status
  return { jar, ask, me, enter, join }
}
