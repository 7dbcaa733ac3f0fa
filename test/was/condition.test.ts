import t from 'tap'
import { Reply, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { cacheControl, condition, vary } from '../../src/was/condition.ts'
import { finishing } from '../../src/was/finish.ts'
import { requestOf } from '../support/request.ts'

const field = (reply: Reply, name: string) =>
  reply.headers?.find(([other]) => other.toLowerCase() === name)?.[1]

const WHEN = new Date('2026-01-02T03:04:05.678Z')
const STATE = { version: 'v 7 "한"', lastModified: WHEN }
const TAG = 'W/"v~20~7~20~~22~~d55c~~22~"'

function ask(headers: Record<string, string>, method = 'GET', state: object = STATE) {
  let isMade = false
  const req = requestOf(method, '/', { headers })
  try {
    const reply = condition(req, state, () => {
      isMade = true
      return text('page')
    }) as Reply
    return { status: reply.status, isMade, reply }
  } catch (error) {
    return {
      status: (error as { status: number }).status,
      isMade,
      reply: new Reply(200, null, null),
    }
  }
}

t.test('a client that has the page gets 304, and the page is not made', (t) => {
  const { status, isMade, reply } = ask({})
  t.strictSame([status, isMade], [200, true])
  t.equal(field(reply, 'etag'), TAG)
  t.equal(field(reply, 'last-modified'), 'Fri, 02 Jan 2026 03:04:05 GMT')
  t.equal(field(reply, 'cache-control'), 'private, no-cache')
  for (const headers of [
    { 'if-none-match': TAG },
    { 'if-none-match': `"x", ${TAG.slice(2)}` },
    { 'if-none-match': '*' },
    { 'if-modified-since': 'Fri, 02 Jan 2026 03:04:05 GMT' },
  ] as Record<string, string>[]) {
    const got = ask(headers)
    t.strictSame([got.status, got.isMade], [304, false], JSON.stringify(headers))
    t.equal(got.reply.body, null)
    t.equal(field(got.reply, 'etag'), TAG)
  }
  t.equal(ask({ 'if-none-match': '"other"' }).status, 200)
  t.equal(ask({ 'if-none-match': '"other"', 'if-modified-since': WHEN.toUTCString() }).status, 200)
  t.equal(ask({ 'if-modified-since': WHEN.toUTCString() }, 'GET', { version: 1 }).status, 200)
  t.end()
})

t.test('a change that was meant for another state is 412, and not made', (t) => {
  t.strictSame(ask({ 'if-match': '"other"' }, 'PUT').isMade, false)
  t.equal(ask({ 'if-match': '"other"' }, 'PUT').status, 412)
  t.equal(ask({ 'if-match': TAG }, 'PUT').status, 412, 'a weak tag never matches strongly')
  t.equal(ask({ 'if-match': '*' }, 'PUT').status, 200)
  t.equal(ask({ 'if-none-match': '*' }, 'PUT').status, 412)
  t.equal(ask({ 'if-unmodified-since': 'Thu, 01 Jan 2026 00:00:00 GMT' }, 'PUT').status, 412)
  t.end()
})

t.test('what the page itself says of caches and validators stays', async (t) => {
  const req = requestOf('GET', '/')
  const reply = await condition(req, { version: 1 }, async () =>
    cacheControl(text('x', { headers: { ETag: '"own"' } }), { scope: 'public', maxAgeSeconds: 60 }),
  )
  t.equal(field(reply, 'etag'), '"own"')
  t.equal(field(reply, 'cache-control'), 'public, max-age=60')
  const failed = await condition(req, { version: 1 }, () => text('no', { status: 404 }))
  t.equal(field(failed, 'etag'), undefined, 'an error is not the page')
})

t.test('policies are written as caches read them', (t) => {
  const written = (policy: Parameters<typeof cacheControl>[1]) =>
    field(cacheControl(text('', { headers: { 'Cache-Control': 'x' } }), policy), 'cache-control')
  t.equal(written({ scope: 'no-store' }), 'no-store')
  t.equal(written({ scope: 'private' }), 'private, no-cache')
  t.equal(
    written({
      scope: 'public',
      maxAgeSeconds: 10,
      sharedMaxAgeSeconds: 0,
      staleWhileRevalidateSeconds: 30,
      immutable: true,
    }),
    'public, max-age=10, s-maxage=0, stale-while-revalidate=30, immutable',
  )
  t.throws(() => written({ scope: 'public', maxAgeSeconds: 1.5 }), RangeError)
  t.equal(field(vary(vary(text(''), 'Accept', 'Cookie'), 'accept'), 'vary'), 'Accept, Cookie')
  t.end()
})

t.test('a reply that was made from cookies is for one client', async (t) => {
  const finished = (view: (req: Request) => Reply | Promise<Reply>) =>
    finishing(null, null)(view)(requestOf('GET', '/', { headers: { cookie: 'a=1' } }))
  const read = await finished((req) => text(req.cookie('a') ?? ''))
  t.strictSame(read.headers, [
    ['Cache-Control', 'private'],
    ['Vary', 'Cookie'],
  ])
  const later = await finished(async (req) => {
    await null
    return cacheControl(text(req.cookie('b') ?? ''), { scope: 'public', maxAgeSeconds: 5 })
  })
  t.equal(field(later, 'cache-control'), 'public, max-age=5')
  t.equal(field(later, 'vary'), 'Cookie')
  t.equal((await finished(() => text('same for all'))).headers, null)
})
