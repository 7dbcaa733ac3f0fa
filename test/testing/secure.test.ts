import t from 'tap'
import { json, redirect } from '../../src/http/reply.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { createTestClient } from '../../src/testing/test-client.ts'
import { session } from '../../src/was/session/open.ts'
import { temporaryFolder, writeTree } from '../support/catalogue.ts'
import { authorityOf } from '../support/certificates.ts'
import { SECRET } from '../support/site.ts'

const own = authorityOf(t).issue('own', ['x.test'])

const urls = urlconf(
  path('/', async (req) => {
    const { secure, client } = req
    const visits = (await session(req)).get('visits' as never) ?? 0
    return json({ secure, scheme: client.scheme, host: client.host, visits })
  }),
  path('/visit', {
    post: async (req) => {
      const mine = await session(req)
      const form = await req.form()
      mine.set('visits' as never, Number(form.get('add')) as never)
      return redirect('/')
    },
  }),
)

t.test('a site is tested by TLS where its test says so', async (t) => {
  const root = await writeTree(temporaryFolder(t), { 'public/a.css': 'p { color: red }' })
  const config = {
    urls,
    static: 'public',
    secrets: [SECRET],
    sessions: { store: 'cookie' as const },
    tls: {
      certificates: [{ certFile: own.certFile, keyFile: own.keyFile }],
      port: 443,
      hsts: true,
    },
  }
  const client = await createTestClient(config, { root, env: {}, secure: true })
  t.teardown(() => client.close())
  t.match(client.url, /^https:\/\/127\.0\.0\.1:\d+$/)
  const reply = await client.post('/visit', { form: { add: '7' }, follow: true })
  t.match(reply.redirects[0]?.headers.getSetCookie().join(), /__Host-session=.*Secure/)
  t.match(reply.json(), { secure: true, scheme: 'https', visits: 7 })
  const style = await client.get('/a.css')
  t.equal(style.text, 'p { color: red }')
  t.match(style.headers.get('strict-transport-security'), /^max-age=\d+$/)
  const named = await client.get('/', { headers: { host: 'x.test' } })
  t.match(named.json(), { host: 'x.test' })
  t.equal((await client.post('/visit', { form: { add: '1' }, csrf: false })).status, 403)

  const clear = await createTestClient({ ...config, tls: undefined }, { root, env: {} })
  t.teardown(() => clear.close())
  t.match((await clear.get('/')).json(), { secure: false, scheme: 'http' })
  await t.rejects(
    createTestClient({ ...config, tls: undefined }, { root, env: {}, secure: true }),
    { name: 'TypeError', message: 'secure: the site has no TLS; set the key "tls"' },
  )
  const acme = { agreeToTerms: true, names: ['example.org'] } as const
  await t.rejects(createTestClient({ ...config, tls: { acme } }, { root, env: {}, secure: true }), {
    name: 'TypeError',
    message: /^secure: nobody orders certificates for a test; name some in/,
  })
})
