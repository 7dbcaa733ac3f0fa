import { randomBytes } from 'node:crypto'
import t from 'tap'
import { HttpError } from '../../src/http/http-error.ts'
import { json, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { createTestClient } from '../../src/testing/test-client.ts'
import { user } from '../../src/was/accounts/current-user.ts'
import { logOut } from '../../src/was/accounts/log-in.ts'
import { flash, messages } from '../../src/was/flash.ts'
import { defineSession } from '../../src/was/session/open.ts'
import { multipart } from '../../src/was/upload/multipart.ts'
import { routes, startAccounts, visitor } from '../support/accounts.ts'
import { testDatabaseUrl } from '../support/postgres.ts'

const session = defineSession<{ count: number; steps: string[] }>()
const POST = { methods: ['POST'], atomic: { retries: 5 } } as const
let attempts = 0

/** What a conflict looks like that a statement meets. */
function failUntil(attempt: number): void {
  if (++attempts >= attempt) return
  throw Object.assign(new Error('on purpose'), { name: 'PostgresError', code: '40001' })
}

async function step(req: Request, name: string): Promise<void> {
  const own = await session(req)
  own.update('steps', (steps = []) => [...steps, name])
  flash(req, 'success', name)
  req.locals[name] = ((req.locals[name] as number) ?? 0) + 1
}

async function view(req: Request) {
  await step(req, 'view')
  const own = await session(req)
  own.set('count', (own.get('count') ?? 0) + 1)
  failUntil(3)
  return json({ ...req.locals, count: own.get('count') })
}

const urls = urlconf(
  path('/plain', view, POST),
  path('/around', view, {
    ...POST,
    middleware: [
      async (req, next) => {
        await step(req, 'before')
        const reply = await next()
        await step(req, 'after')
        return reply
      },
    ],
  }),
  path(
    '/renewed',
    async (req) => {
      const own = await session(req)
      const had = own.get('steps') !== undefined
      own.destroy()
      own.rotate({ userId: 'u1' })
      messages(req)
      failUntil(2)
      return json(had)
    },
    POST,
  ),
  path(
    '/refused',
    async (req) => {
      await step(req, 'view')
      if (attempts++ === 0) {
        throw Object.assign(new Error('on purpose'), { name: 'PostgresError', code: '40001' })
      }
      throw new HttpError(409)
    },
    POST,
  ),
  path(
    '/upload',
    async (req) => {
      const { fields } = await multipart(req)
      failUntil(2)
      return text(fields.get('a') ?? '')
    },
    POST,
  ),
  path(
    '/json',
    async (req) => {
      const body = await req.json()
      failUntil(2)
      return json(body)
    },
    POST,
  ),
  path('/now', async (req) => {
    const own = await session(req)
    return json([own.get('count'), own.get('steps'), messages(req).map((one) => one.text)])
  }),
)

t.test('a view that runs again finds its request as it was', async (t) => {
  const client = await createTestClient(
    { urls, sessions: {}, csrf: false, secrets: [randomBytes(32).toString('hex')] },
    { root: import.meta.dirname, env: { DATABASE_URL: await testDatabaseUrl() } },
  )
  t.teardown(() => client.close())
  const now = async () => (await client.get('/now')).json()
  const post = async (target: string) => {
    attempts = 0
    return client.post(target, { json: { a: 1 } })
  }
  t.same((await post('/plain')).json(), { view: 1, count: 1 })
  t.equal(attempts, 3)
  t.same(await now(), [1, ['view'], ['view']], 'one change of the session, one message')
  t.same((await post('/around')).json(), { before: 1, view: 1, count: 2 })
  const steps = ['view', 'before', 'view', 'after']
  t.same(await now(), [2, steps, steps.slice(1)], 'what stands around the view has run once')
  t.equal((await post('/refused')).status, 409)
  t.same(await now(), [2, steps, []], 'of a view that fails nothing is kept')
  t.equal((await post('/renewed')).text, 'true', 'it had not been ended for the second attempt')
  t.same(await now(), [null, null, []])
  t.same((await post('/json')).json(), { a: 1 })
  t.equal(attempts, 2, 'a body in one piece can be read again')
})

t.test('a view that has taken its body as a stream is not run again', async (t) => {
  const client = await createTestClient(
    { urls, sessions: {}, csrf: false, secrets: [randomBytes(32).toString('hex')] },
    { root: import.meta.dirname, env: { DATABASE_URL: await testDatabaseUrl() } },
  )
  t.teardown(() => client.close())
  const upload = () => {
    const body = new FormData()
    body.set('a', 'one')
    return fetch(`${client.url}/upload`, { method: 'POST', body, headers: { origin: client.url } })
  }
  attempts = 0
  const refused = await upload()
  t.equal(refused.status, 503)
  t.equal(refused.headers.get('retry-after'), '1')
  t.equal(attempts, 1)
  const taken = await upload()
  t.equal(await taken.text(), 'one')
})

t.test('who has logged out in an attempt that is undone is still there for the next', async (t) => {
  const out = path(
    '/a/out',
    async (req) => {
      const who = await user(req)
      await logOut(req)
      failUntil(2)
      return json(who?.name ?? null)
    },
    POST,
  )
  const client = await startAccounts(t, {}, { urls: urlconf(...routes, out) })
  const mara = visitor(client)
  await mara.join('Mara')
  attempts = 0
  t.equal((await mara.ask('POST', '/a/out', {})).text, '"Mara"')
  t.equal(attempts, 2)
  t.equal(await mara.me(), null)
})
