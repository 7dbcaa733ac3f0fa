import t from 'tap'
import { createLog } from '../../../src/core/log.ts'
import { Services } from '../../../src/core/services.ts'
import { TRUSTED_PROXIES, TrustedProxies } from '../../../src/http/forwarded.ts'
import type { Reply } from '../../../src/http/reply.ts'
import { text } from '../../../src/http/reply.ts'
import type { Request } from '../../../src/http/request.ts'
import type { Middleware } from '../../../src/http/view.ts'
import { compileUrls } from '../../../src/route/compile.ts'
import type { UrlConf } from '../../../src/route/entry.ts'
import { path, urlconf } from '../../../src/route/urlconf.ts'
import { createDispatcher } from '../../../src/was/dispatch.ts'
import { createErrorPages } from '../../../src/was/error-pages.ts'
import { limitCounts } from '../../../src/was/limits/counts.ts'
import type { LimitKey } from '../../../src/was/limits/keys.ts'
import { limit } from '../../../src/was/limits/limit.ts'
import { requestOf } from '../../support/request.ts'

function dispatchOf(conf: UrlConf): (req: Request) => Reply | Promise<Reply> {
  return createDispatcher({
    urls: compileUrls(conf),
    middleware: [],
    errorPages: createErrorPages({ log: createLog(() => {}) }),
    maxBodyBytes: 1024,
    viewTimeoutMs: 0,
    fileMethods: () => undefined,
  }).dispatch
}

const from = (address: string, target = '/') =>
  requestOf('GET', target, { remoteAddress: () => address })

// Time stands still: what is left does not depend on how fast this machine is.
t.intercept(performance, 'now', { value: () => 1_000_000.5 })

const field = (reply: Reply, name: string) =>
  reply.headers?.filter(([one]) => one === name).map(([, value]) => value)

t.test('a route answers so often, then 429 with the time to wait and what is left', async (t) => {
  const dispatch = dispatchOf(
    urlconf(
      path('/', () => text('ok'), {
        middleware: [limit({ name: 'front', requests: 2, perSeconds: 3600 })],
      }),
    ),
  )
  const first = dispatch(from('192.0.2.1'))
  if (first instanceof Promise) throw new Error('a synchronous view stays so')
  t.equal(first.status, 200)
  t.strictSame(field(first, 'RateLimit-Policy'), ['"front";q=2;w=3600'])
  t.strictSame(field(first, 'RateLimit'), ['"front";r=1;t=1800'])
  t.equal((await dispatch(from('192.0.2.1'))).status, 200)
  const refused = await dispatch(from('192.0.2.1'))
  t.equal(refused.status, 429)
  t.strictSame(field(refused, 'Retry-After'), ['1800'])
  t.strictSame(field(refused, 'RateLimit'), ['"front";r=0;t=3600'])
  t.strictSame(field(refused, 'Cache-Control'), ['no-store'])
  t.match(refused.body, /too many requests; try again in 1800 seconds/)
  t.equal((await dispatch(from('192.0.2.2'))).status, 200, 'another client has its own')
})

t.test('a reply that a view gives to everybody tells each client its own', async (t) => {
  const shared = text('the same for all')
  const dispatch = dispatchOf(
    urlconf(path('/', () => shared, { middleware: [limit({ requests: 5, perSeconds: 5 })] })),
  )
  const left = async (address: string) => field(await dispatch(from(address)), 'RateLimit')
  t.strictSame(await left('192.0.2.1'), ['"default";r=4;t=1'])
  t.strictSame(await left('192.0.2.2'), ['"default";r=4;t=1'])
  t.equal(shared.headers, null)
})

t.test('an IPv6 client cannot walk through its own network', async (t) => {
  const dispatch = dispatchOf(
    urlconf(path('/', () => text('ok'), { middleware: [limit({ requests: 1, perSeconds: 60 })] })),
  )
  t.equal((await dispatch(from('2001:db8::1'))).status, 200)
  t.equal((await dispatch(from('2001:db8::ffff:2'))).status, 429)
  t.equal((await dispatch(from('2001:db8:0:1::1'))).status, 200)
})

t.test('behind a trusted proxy the client counts, and nobody else may name another', async (t) => {
  const dispatch = dispatchOf(
    urlconf(path('/', () => text('ok'), { middleware: [limit({ requests: 1, perSeconds: 60 })] })),
  )
  const services = new Services().provide(
    TRUSTED_PROXIES,
    new TrustedProxies({ networks: ['loopback'] }),
  )
  const by = (peer: string, client: string) =>
    requestOf('GET', '/', {
      services,
      remoteAddress: () => peer,
      headers: { 'x-forwarded-for': client },
    })
  t.equal((await dispatch(by('127.0.0.1', '192.0.2.1'))).status, 200)
  t.equal((await dispatch(by('127.0.0.1', '192.0.2.2'))).status, 200)
  t.equal((await dispatch(by('127.0.0.1', '192.0.2.2'))).status, 429)
  t.equal((await dispatch(by('198.51.100.1', '192.0.2.8'))).status, 200)
  t.equal((await dispatch(by('198.51.100.1', '192.0.2.9'))).status, 429)
})

t.test('a key of the view’s own, at once or later, or none', async (t) => {
  const keyed = limit({
    requests: 1,
    perSeconds: 60,
    key: (req) => req.query.get('k') ?? undefined,
  })
  const later = limit({
    requests: 1,
    perSeconds: 60,
    key: async (req) => req.query.get('k') ?? undefined,
  })
  const dispatch = dispatchOf(
    urlconf(
      path('/now', async () => text('ok'), { middleware: [keyed] }),
      path('/later', () => text('ok'), { middleware: [later] }),
    ),
  )
  for (const place of ['/now', '/later']) {
    const ask = async (key: string) => (await dispatch(from('::1', place + key))).status
    t.strictSame([await ask('?k=a'), await ask('?k=a'), await ask('?k=b')], [200, 429, 200])
    t.strictSame([await ask(''), await ask('')], [200, 200], 'no key, no limit')
  }
})

t.test('one limit on two routes counts them together, two limits apart', async (t) => {
  const together = limit({ requests: 1, perSeconds: 60 })
  const dispatch = dispatchOf(
    urlconf(
      path('/a', () => text('ok'), { middleware: [together] }),
      path('/b', () => text('ok'), { middleware: [together] }),
      path('/c', () => text('ok'), { middleware: [limit({ requests: 1, perSeconds: 60 })] }),
    ),
  )
  const statuses = []
  for (const place of ['/a', '/b', '/c']) {
    statuses.push((await dispatch(from('::1', place))).status)
  }
  t.strictSame(statuses, [200, 429, 200])
})

t.test('a view counts for itself, and gives back what succeeded', (t) => {
  const guesses = limit({ name: 'guesses', requests: 2, perSeconds: 60 })
  guesses.spend('mara')
  guesses.spend('mara')
  t.throws(() => guesses.spend('mara'), {
    status: 429,
    message: 'too many requests; try again in 30 seconds',
    headers: [
      ['Retry-After', '30'],
      ['RateLimit-Policy', '"guesses";q=2;w=60'],
      ['RateLimit', '"guesses";r=0;t=60'],
    ],
  })
  guesses.giveBack('mara')
  guesses.spend('mara')
  guesses.spend('theo', 2)
  t.throws(() => guesses.spend('theo'), { message: 'too many requests; try again in 30 seconds' })
  t.end()
})

t.test('mistakes in the options are told at start', (t) => {
  const good = { requests: 1, perSeconds: 1 }
  for (const [options, message] of [
    [{ requests: 0, perSeconds: 1 }, /^limit\(\): requests is 0; it must be a whole number from 1/],
    [{ requests: 1 }, /perSeconds is undefined/],
    [{ ...good, burst: 0.5 }, /burst is 0.5/],
    [{ ...good, maxDelayMs: 60_001 }, /maxDelayMs is 60001/],
    [{ ...good, dryRun: 1 }, /dryRun is true or false/],
    [{ ...good, key: { header: 'no name' } }, /key is "address", "user", "everybody"/],
    [{ ...good, name: 'two words' }, /name is no word/],
    [{ ...good, key: 'ip' }, /key is "address", "user"/],
  ] as const) {
    const expected = { code: 'UWAS_ERR_CORE_INVALID_OPTION', message }
    t.throws(() => limit(options as never), expected)
  }
  t.throws(() => limit({ ...good, bursts: 1 } as never), {
    code: 'UWAS_ERR_CORE_UNKNOWN_OPTION',
    message: /did you mean "burst"/,
  })
  t.end()
})

t.test('what is too much waits for its turn, and beyond that it is 429', async (t) => {
  const one = limit({ requests: 50, perSeconds: 1, burst: 1, maxDelayMs: 25 })
  const dispatch = dispatchOf(urlconf(path('/', () => text('ok'), { middleware: [one] })))
  const replies = await Promise.all([1, 2, 3].map(() => dispatch(from('192.0.2.1'))))
  t.strictSame(
    replies.map(({ status }) => status),
    [200, 200, 429],
    'the clock stands still: 20 ms for the second, 40 for the third',
  )
  const [, waited] = replies
  t.strictSame(waited && field(waited, 'RateLimit'), ['"default";r=0;t=1'])
})

t.test('a client that goes while it waits is not answered', async (t) => {
  const one = limit({ name: 'gone', requests: 1, perSeconds: 60, burst: 1, maxDelayMs: 60_000 })
  let views = 0
  const view = () => {
    views++
    return text('ok')
  }
  const dispatch = dispatchOf(urlconf(path('/', view, { middleware: [one] })))
  await dispatch(from('192.0.2.1'))
  const leaving = from('192.0.2.1')
  const reply = dispatch(leaving)
  leaving.markAborted()
  await reply
  t.equal(views, 1)
})

t.test('a dry run counts, and refuses nobody', async (t) => {
  const dry = limit({ name: 'dry', requests: 1, perSeconds: 60, dryRun: true })
  const dispatch = dispatchOf(urlconf(path('/', () => text('ok'), { middleware: [dry] })))
  for (let i = 0; i < 3; i++) {
    const reply = await dispatch(from('192.0.2.1'))
    t.equal(reply.status, 200)
    t.strictSame(field(reply, 'RateLimit') ?? [], [])
  }
  dry.spend('of a view')
  dry.spend('of a view')
  const counts = limitCounts().find(({ name }) => name === 'dry')
  t.match(counts, { passed: 2, delayed: 0, refused: 0, wouldRefuse: 3 })
})

t.test(
  'who sends a key counts by it, who has logged in by the name, all others by address',
  async (t) => {
    const [byKey, byUser, all] = [{ header: 'X-API-Key' }, 'user', 'everybody'].map((key) =>
      limit({ requests: 1, perSeconds: 60, key: key as LimitKey }),
    )
    const route = (place: string, one: unknown) =>
      path(place, () => text('ok'), { middleware: [one as Middleware] })
    const dispatch = dispatchOf(
      urlconf(route('/key', byKey), route('/user', byUser), route('/all', all)),
    )
    const ask = async (place: string, address: string, key?: string, name?: string) => {
      const headers: Record<string, string> = key === undefined ? {} : { 'x-api-key': key }
      const req = requestOf('GET', place, { remoteAddress: () => address, headers })
      if (name !== undefined) req.remoteUser = name
      return (await dispatch(req)).status
    }
    t.equal(await ask('/key', '192.0.2.1', 'a'), 200)
    t.equal(await ask('/key', '192.0.2.2', 'a'), 429)
    t.equal(await ask('/key', '192.0.2.1', 'b'), 200)
    t.equal(await ask('/key', '192.0.2.1'), 200, 'no key: by address')
    t.equal(await ask('/key', '192.0.2.1'), 429)
    t.equal(await ask('/key', '192.0.2.9', '192.0.2.1'), 200, 'nobody counts as an address')
    t.equal(await ask('/user', '192.0.2.1', undefined, 'mara'), 200)
    t.equal(await ask('/user', '192.0.2.2', undefined, 'mara'), 429)
    t.equal(await ask('/user', '192.0.2.1'), 200)
    t.equal(await ask('/user', '192.0.2.1'), 429)
    t.equal(await ask('/all', '192.0.2.1'), 200)
    t.equal(await ask('/all', '192.0.2.2'), 429)
  },
)

t.test('a cost that is no number lifts no limit', async (t) => {
  const costs = limit({ requests: 1, perSeconds: 60 })
  costs.spend('mara')
  for (const cost of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
    const error = { code: 'UWAS_ERR_CORE_INVALID_OPTION', message: `limit: the cost is ${cost}` }
    t.throws(() => costs.spend('mara', cost), error)
    t.throws(() => costs.giveBack('mara', cost), error)
  }
  t.throws(() => costs.spend('mara'), { message: /too many requests/ })
})
