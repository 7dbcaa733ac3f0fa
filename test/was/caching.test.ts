import t from 'tap'
import { type Reply, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { cacheControl, vary } from '../../src/was/caching.ts'
import { finishing } from '../../src/was/finish.ts'
import { requestOf } from '../support/request.ts'

const field = (reply: Reply, name: string) =>
  reply.headers?.find(([other]) => other.toLowerCase() === name)?.[1]

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
  t.throws(() => written({ scope: 'public', maxAgeSeconds: 1.5 }), {
    code: 'UWAS_ERR_CORE_INVALID_OPTION',
    message: 'cacheControl(): 1.5 is no whole number of seconds',
  })
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

t.test(
  'whatever belongs to the client makes a reply personal, and the request says what it was',
  (t) => {
    const made = (view: (req: Request) => void) => {
      const req = requestOf('GET', '/', { headers: { cookie: 'a=1', authorization: 'Bearer x' } })
      const reply = finishing(
        null,
        null,
      )(() => {
        view(req)
        return text('x')
      })(req) as Reply
      return [req.personal, field(reply, 'cache-control'), field(reply, 'vary')]
    }
    t.strictSame(
      made((req) => req.header('accept')),
      [null, undefined, undefined],
    )
    t.strictSame(
      made((req) => req.header('Cookie')),
      ['cookie', 'private', 'Cookie'],
    )
    t.strictSame(
      made((req) => req.header('Authorization')),
      ['authorization', 'private', 'Authorization'],
    )
    t.strictSame(
      made((req) => req.headers),
      ['cookie', 'private', 'Authorization, Cookie'],
    )
    t.strictSame(
      made((req) => req.markPersonal('session')),
      ['session', 'private', 'Cookie'],
    )
    t.strictSame(
      made((req) => {
        req.markPersonal('user')
        req.markPersonal('session')
      }),
      ['user', 'private', 'Cookie'],
    )
    t.strictSame(
      made((req) => req.markPersonal('nonce')),
      ['nonce', 'private', undefined],
    )
    t.end()
  },
)

t.test(
  "a reply chosen by what the client accepts varies with that, and is nobody's own",
  async (t) => {
    const view = (req: Request): Reply => {
      const type = req.accepts('json', 'html', 'text/csv')
      return text(`${type} ${req.accepts('image/png')} ${req.acceptsLanguages('en', 'ko')}`)
    }
    const ask = async (headers: Record<string, string>) =>
      finishing(null, null)(view)(requestOf('GET', '/', { headers }))
    const all = { accept: 'text/html, application/json;q=0.9, */*;q=0.1', 'accept-language': 'ko' }
    const reply = await ask(all)
    t.equal(reply.body, 'html image/png ko')
    t.equal(field(reply, 'vary'), 'Accept, Accept-Language')
    t.equal(field(reply, 'cache-control'), undefined)
    t.equal((await ask({})).body, 'json image/png en')
    t.equal((await ask({ accept: 'text/csv' })).body, 'text/csv undefined en')
    t.equal(field(await ask({ accept: 'a/b' }), 'vary'), 'Accept, Accept-Language', 'none as well')
  },
)
