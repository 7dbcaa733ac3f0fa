import t from 'tap'
import { empty, type Middleware, Request } from 'uwas'
import { Services } from '../../src/core/services.ts'
import { contentSecurityPolicy, sameOrigin } from '../../src/demo/middleware.ts'

/** Runs a middleware around a view that answers 204; gives the reply or the error. */
async function run(middleware: Middleware, method: string, fields: Record<string, string>) {
  const req = new Request({
    method,
    path: '/write',
    search: '',
    fields: { get: (name) => fields[name], entries: () => Object.entries(fields) },
    body: null,
    services: new Services(),
    remoteAddress: () => '127.0.0.1',
    secure: false,
    trace: null,
  })
  try {
    return { status: (await middleware(req, () => empty())).status }
  } catch (error) {
    const { status, message } = error as { status: number; message: string }
    return { status, message }
  }
}

const REFUSED = {
  status: 403,
  message: 'This form came from another site, so nothing was changed.',
}

t.test('a form of this site passes', async (t) => {
  const host = 'board.example:8080'
  for (const fields of [
    { host, 'sec-fetch-site': 'same-origin', origin: 'http://board.example:8080' },
    { host, 'sec-fetch-site': 'none' },
    { host, origin: 'http://board.example:8080' },
    { host: 'Board.Example', origin: 'https://board.example' },
    { host },
  ]) {
    t.strictSame(await run(sameOrigin, 'POST', fields), { status: 204 }, JSON.stringify(fields))
  }
})

t.test('a form of another site is refused', async (t) => {
  const host = 'board.example'
  for (const fields of [
    { host, 'sec-fetch-site': 'cross-site' },
    { host, 'sec-fetch-site': 'same-site', origin: 'http://board.example' },
    { host, 'sec-fetch-site': 'something-new' },
    { host, origin: 'http://other.example' },
    { host, origin: 'http://board.example:81' },
    { host, origin: 'http://board.example.other.example' },
    { host, origin: 'null' },
    { host, origin: '' },
    { origin: 'http://board.example' },
  ]) {
    t.strictSame(await run(sameOrigin, 'POST', fields), REFUSED, JSON.stringify(fields))
    t.strictSame(await run(sameOrigin, 'DELETE', fields), REFUSED)
  }
})

t.test('the refusal is in the visitor’s language', async (t) => {
  const fields = { 'sec-fetch-site': 'cross-site', 'accept-language': 'ko' }
  t.strictSame(await run(sameOrigin, 'POST', fields), {
    status: 403,
    message: '다른 사이트에서 온 양식이라 아무것도 바꾸지 않았습니다.',
  })
})

t.test('reading is free for everybody', async (t) => {
  const fields = { 'sec-fetch-site': 'cross-site', origin: 'http://other.example' }
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    t.strictSame(await run(sameOrigin, method, fields), { status: 204 }, method)
  }
})

t.test(
  'every reply of a view has a policy that allows nothing inline and nobody else',
  async (t) => {
    const reply = await contentSecurityPolicy({} as Request, () => empty())
    const policy = new Map(reply.headers ?? []).get('Content-Security-Policy') ?? ''
    t.match(policy, "default-src 'none'")
    t.notMatch(policy, /unsafe|http|\*/)
  },
)
