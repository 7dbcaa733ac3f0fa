import t from 'tap'
import { text } from '../../src/http/reply.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { cspNonce } from '../../src/was/csp.ts'
import { render } from '../../src/was/render.ts'
import { temporaryFolder, writeTree } from '../support/catalogue.ts'
import { site } from '../support/site.ts'

const urls = urlconf(
  path('/', () => text('the same for all')),
  path('/page', (req) => render(req, 'page', {})),
  path('/twice', (req) => text(`${cspNonce(req)} ${cspNonce(req)}`)),
  path('/own', (req) =>
    text(cspNonce(req), { headers: { 'Content-Security-Policy': "default-src 'none'" } }),
  ),
  path('/public', (req) =>
    text(cspNonce(req), { headers: { 'Cache-Control': 'public, max-age=60' } }),
  ),
)
const POLICY = { 'script-src': ["'self'", "'nonce'"] }
const PLAIN = "frame-ancestors 'self'; script-src 'self'"

async function start(t: Parameters<typeof temporaryFolder>[0], policy: object) {
  const root = await writeTree(temporaryFolder(t), {
    'templates/page.mustache':
      '<script nonce="{{cspNonce}}"></script><style nonce="{{cspNonce}}"></style>',
    'public/a.txt': 'a',
  })
  const config = { urls, templates: 'templates', static: [{ dir: 'public', prefix: '/s' }] }
  const { ask } = await site(t, { ...config, ...policy }, { hasDatabase: false, root })
  const policyOf = async (where: string, name = 'content-security-policy') => {
    const { text, headers } = await ask('GET', where)
    return { text, policy: headers.get(name), cache: headers.get('cache-control') }
  }
  return policyOf
}

t.test('a page and its policy share a nonce, which no other reply has', async (t) => {
  const policyOf = await start(t, { securityHeaders: { contentSecurityPolicy: POLICY } })
  const page = await policyOf('/page')
  const [, nonce = ''] = /nonce="([\w-]{22})"/.exec(page.text) ?? []
  t.equal(page.text, `<script nonce="${nonce}"></script><style nonce="${nonce}"></style>`)
  t.equal(page.policy, `${PLAIN} 'nonce-${nonce}'`)
  t.equal(page.cache, 'private, no-cache')
  t.not((await policyOf('/page')).policy, page.policy)
  const [first, second] = (await policyOf('/twice')).text.split(' ')
  t.equal(first, second)
  for (const where of ['/', '/s/a.txt', '/missing', '/s/missing']) {
    t.equal((await policyOf(where)).policy, PLAIN, where)
  }
  t.equal((await policyOf('/')).cache, null, 'and pages without one stay as they are')
})

t.test("a view's own policy stands, and no cache may share a nonce", async (t) => {
  const policyOf = await start(t, { securityHeaders: { contentSecurityPolicy: POLICY } })
  t.equal((await policyOf('/own')).policy, "default-src 'none'")
  t.equal((await policyOf('/public')).cache, 'private, no-cache')
})

t.test('a trial has its nonce too; without a place for it there is none', async (t) => {
  const trial = await start(t, { securityHeaders: { contentSecurityPolicyReportOnly: POLICY } })
  const page = await trial('/page', 'content-security-policy-report-only')
  t.match(page.policy, /^script-src 'self' 'nonce-[\w-]{22}'$/)
  t.equal((await trial('/page')).policy, "frame-ancestors 'self'")
  const none = await start(t, {})
  t.equal((await none('/page')).text, '<script nonce=""></script><style nonce=""></style>')
  t.equal((await none('/twice')).text, ' ')
})
