/** A site whose views do with sessions whatever a test asks of them. */
import type { Test } from 'tap'
import { redirect, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import type { SessionOptions } from '../../src/was/config-types.ts'
import { defineSession } from '../../src/was/session/open.ts'
import { type Site, site } from './site.ts'

interface Data {
  cart: number[]
  theme: string
  last: string
  secret: string
}

export const session = defineSession<Data>()
export const SHARED = redirect('/')

/** Requests to `/held/…` wait here until the test lets them go. */
const held: (() => void)[] = []
const hold = () => new Promise<void>((go) => held.push(go))
export async function waiting(count: number): Promise<void> {
  while (held.length < count) await new Promise((done) => setTimeout(done, 5))
}
export const release = () => held.splice(0).forEach((go) => void go())

const query = (req: Request, name: string) => req.query.get(name) ?? ''

const urls = urlconf(
  path('/', () => text('the same for all')),
  path('/theme', async (req) => text((await session(req)).get('theme') ?? 'none')),
  path('/set', async (req) => {
    ;(await session(req)).set('theme', query(req, 'to'))
    return SHARED
  }),
  path('/sync', (req) => {
    void session(req).then((own) => own.set('theme', 'sync'))
    return text('not awaited')
  }),
  path('/public', async (req) => {
    ;(await session(req)).set('theme', 'public')
    return text('x', { headers: { 'Cache-Control': 'public, max-age=60' } })
  }),
  path('/add', async (req) => {
    const own = await session(req)
    await (req.query.has('held') ? hold() : null)
    own.update('cart', (cart = []) => [...cart, Number(query(req, 'id'))])
    return text('added')
  }),
  path('/cart', async (req) => text(JSON.stringify((await session(req)).get('cart') ?? null))),
  path('/held/last', async (req) => {
    const own = await session(req)
    await hold()
    own.set('last', query(req, 'to'))
    return text('set')
  }),
  path('/held/bump', async (req) => {
    const own = await session(req)
    const seen = own.get('theme') ?? ''
    await hold()
    own.set('theme', `${seen}!`)
    return text('set')
  }),
  path('/last', async (req) => text((await session(req)).get('last') ?? 'none')),
  path('/sign-in', async (req) => {
    ;(await session(req)).rotate({ userId: query(req, 'user') })
    return text('hello')
  }),
  path('/rotate', async (req) => {
    ;(await session(req)).rotate()
    return text('rotated')
  }),
  path('/sign-out', async (req) => {
    ;(await session(req)).destroy()
    return text('bye')
  }),
  path('/who', async (req) => text((await session(req)).userId ?? 'nobody')),
  path('/fail', async (req) => {
    ;(await session(req)).set('theme', 'failed')
    throw new Error('the view fails')
  }),
  path('/wrong', async (req) => {
    const own = await session(req)
    const wrong: Record<string, () => unknown> = {
      date: () => own.set('theme', new Date(0) as never),
      nan: () => own.set('cart', [Number.NaN]),
      undefined: () => own.set('cart', [undefined as never]),
      deep: () => {
        const circle: unknown[] = []
        circle.push(circle)
        own.set('cart', circle as never)
      },
      proto: () => own.set('__proto__' as never, 1 as never),
      inner: () => own.set('cart', JSON.parse('{"__proto__":1}') as never),
      push: () => (own.set('cart', [1]).get('cart') as number[]).push(2),
      large: () => own.set('theme', 'x'.repeat(70_000)),
    }
    wrong[query(req, 'what')]?.()
    return text('set')
  }),
  path('/late', async (req) => {
    const own = await session(req)
    req.onDone(() => {
      try {
        own.set('theme', 'late')
      } catch (error) {
        late.push((error as { code: string }).code, (error as Error).message)
      }
    })
    return text('done')
  }),
)
export const late: string[] = []

export const https = { 'x-forwarded-proto': 'https' }
export const withCookie = (value: string) => ({ cookie: `session=${value}` })

export function start(t: Test, sessions: SessionOptions = {}): Promise<Site> {
  const hasDatabase = sessions.store !== 'cookie'
  return site(t, { urls, sessions, trustedProxies: ['loopback'] }, { hasDatabase })
}

/** Signs a new client in; its cookie. */
export async function signedIn({ ask }: Site, user: string): Promise<string> {
  const { set } = await ask('GET', `/sign-in?user=${user}`)
  return set['session'] ?? ''
}
