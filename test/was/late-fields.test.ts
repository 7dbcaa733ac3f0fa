import t from 'tap'
import { redirect, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { cspNonce } from '../../src/was/csp.ts'
import { csrfToken } from '../../src/was/csrf/csrf.ts'
import { flash, messages } from '../../src/was/flash.ts'
import { session } from '../../src/was/session/open.ts'
import { site } from '../support/site.ts'

const cached = { cached: { seconds: 60 } }
const SHARED = redirect('/')
let made = 0

const urls = urlconf(
  path('/plain', () => text(`${++made}`), cached),
  path('/token', (req) => text(csrfToken(req)), cached),
  path('/nonce', (req) => text(cspNonce(req)), cached),
  path(
    '/messages',
    (req) =>
      text(
        messages(req)
          .map((one) => one.text)
          .join(),
      ),
    cached,
  ),
  path('/who', async (req) => text((await session(req)).userId ?? 'nobody'), cached),
  path('/sign-in', async (req) => {
    ;(await session(req)).rotate({ userId: req.query.get('user') ?? '' })
    return SHARED
  }),
  path('/flash', (req: Request) => {
    flash(req, 'info', 'said')
    return SHARED
  }),
  path('/post', () => text('taken'), { methods: ['POST'] }),
)

t.test('what one client gets in a page that is cached for others stays its own', async (t) => {
  const { ask } = await site(
    t,
    {
      urls,
      sessions: { store: 'cookie' },
      securityHeaders: { contentSecurityPolicy: { 'script-src': ["'nonce'"] } },
    },
    { hasDatabase: false },
  )
  t.equal((await ask('GET', '/plain')).text, (await ask('GET', '/plain')).text)

  const [one, two] = [await ask('GET', '/token'), await ask('GET', '/token')]
  for (const page of [one, two]) {
    const csrf = page.set['csrf'] ?? ''
    t.match(csrf, /^[\w-]{43}$/, 'the cookie comes with its token')
    const headers = { cookie: `csrf=${csrf}`, 'x-csrf-token': page.text }
    t.equal((await ask('POST', '/post', headers)).text, 'taken')
    t.match(page.headers.get('cache-control'), /private/)
  }
  t.not(one.set['csrf'], two.set['csrf'])

  const [first, second] = [await ask('GET', '/nonce'), await ask('GET', '/nonce')]
  t.not(first.text, second.text)
  for (const { text, headers } of [first, second]) {
    t.match(headers.get('content-security-policy'), `script-src 'nonce-${text}'`)
  }

  const said = await ask('GET', '/flash')
  const cookie = said.setCookies[0]?.split(';')[0] ?? ''
  t.equal((await ask('GET', '/messages')).text, '')
  t.equal((await ask('GET', '/messages', { cookie })).text, 'said')
  t.equal((await ask('GET', '/messages')).text, '')

  const signedIn = async (user: string) => {
    const { set } = await ask('GET', `/sign-in?user=${user}`)
    return { cookie: `session=${set['session']}` }
  }
  const [anna, eve] = [await signedIn('anna'), await signedIn('eve')]
  for (const [who, headers] of [
    ['nobody', {}],
    ['anna', anna],
    ['eve', eve],
    ['nobody', {}],
    ['anna', anna],
  ] as const) {
    t.equal((await ask('GET', '/who', headers)).text, who)
  }
  t.strictSame(SHARED.headers, [['Location', '/']], 'a reply object of all has nothing of anybody')
})
