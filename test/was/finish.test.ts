import t from 'tap'
import { createLog } from '../../src/core/log.ts'
import { html, Reply, text } from '../../src/http/reply.ts'
import { createCompress } from '../../src/was/compress.ts'
import { createErrorPages } from '../../src/was/error-pages.ts'
import { finishing } from '../../src/was/finish.ts'
import { createSiteRules } from '../../src/was/site-rules.ts'
import { requestOf } from '../support/request.ts'

const APP = 'https://app.example.org'
const PAGE = 'page '.repeat(1000)
const rules = createSiteRules({
  redirects: [],
  rewrites: [],
  cors: [{ prefix: '/api', origins: [APP] }],
})
const compress = createCompress({ minBytes: 1024, types: [] }, createLog())
const field = (reply: Reply, name: string) =>
  reply.headers?.filter(([other]) => other === name).map(([, value]) => value)

t.test('a site that wants nothing of it gets its replies as they are', (t) => {
  const made = text('x')
  t.equal(finishing(null, null)(() => made)(requestOf('GET', '/')), made)
  t.equal(made.headers, null)
  t.end()
})

t.test('synchronous views stay synchronous, through both steps', (t) => {
  const reply = finishing(rules, compress)(() => html(PAGE))(
    requestOf('GET', '/api/x', { headers: { origin: APP, 'accept-encoding': 'gzip' } }),
  )
  t.ok(reply instanceof Reply)
  t.match(reply, { coding: 'gzip' })
  t.same(field(reply as Reply, 'Access-Control-Allow-Origin'), [APP])
  t.end()
})

t.test('an asynchronous view gets the same fields', async (t) => {
  const reply = await finishing(rules, compress)(async () => html(PAGE))(
    requestOf('GET', '/api/x', { headers: { 'accept-encoding': 'br' } }),
  )
  t.match(reply, { coding: 'br' })
  t.same(field(reply, 'Vary'), ['Origin'])
})

t.test('a view that answers CORS itself has the last word; Vary names both', (t) => {
  const reply = finishing(
    rules,
    null,
  )(() => html('x', { headers: { 'Access-Control-Allow-Origin': '*', Vary: 'Cookie' } }))(
    requestOf('GET', '/api', { headers: { origin: APP } }),
  ) as Reply
  t.same(field(reply, 'Access-Control-Allow-Origin'), ['*'])
  t.same(field(reply, 'Vary'), ['Cookie, Origin'])
  t.end()
})

t.test('what no policy covers is untouched', (t) => {
  const made = html('x')
  const reply = finishing(rules, null)(() => made)(
    requestOf('GET', '/apis', { headers: { origin: APP } }),
  )
  t.equal(reply, made)
  t.equal(made.headers, null)
  t.end()
})

t.test('a preflight never reaches the view; an ordinary OPTIONS does', (t) => {
  let views = 0
  const handler = finishing(
    rules,
    null,
  )(() => {
    views++
    return text('view')
  })
  const headers = { origin: APP, 'access-control-request-method': 'GET' }
  t.match(handler(requestOf('OPTIONS', '/api', { headers })), { status: 204, body: null })
  t.equal(views, 0)
  void handler(requestOf('OPTIONS', '/api', { headers: { origin: APP } }))
  void handler(requestOf('OPTIONS', '/other', { headers }))
  void handler(requestOf('GET', '/api', { headers }))
  t.equal(views, 3)
  t.end()
})

t.test('a reply that a view gives to everybody tells each origin its own', (t) => {
  const shared = html('the same for all')
  const other = 'https://other.example.org'
  const both = createSiteRules({
    redirects: [],
    rewrites: [],
    cors: [{ prefix: '/', origins: [APP, other] }],
  })
  const handler = finishing(both, null)(() => shared)
  const allowed = (headers: Record<string, string>) =>
    field(handler(requestOf('GET', '/', { headers })) as Reply, 'Access-Control-Allow-Origin')
  t.same(allowed({ origin: APP }), [APP])
  t.same(allowed({ origin: other }), [other])
  t.same(allowed({}) ?? [], [])
  t.equal(shared.headers, null)
  t.end()
})

t.test('a step that fails leaves an error page, for synchronous and other views', async (t) => {
  const log: string[] = []
  const errorPages = createErrorPages({ log: createLog((line) => log.push(line)) })
  const odd = () => Object.assign(html(PAGE), { type: 5 })
  for (const view of [odd, async () => odd()]) {
    const reply = await finishing(rules, compress, null, errorPages)(view)(
      requestOf('GET', '/api', { headers: { origin: APP } }),
    )
    t.equal(reply.status, 500)
    t.same(field(reply, 'Access-Control-Allow-Origin'), [APP], 'whose script may read it')
    t.match(log.splice(0).join('\n'), /GET \/api → 500 .*type\.toLowerCase is not a function/s)
  }
})
