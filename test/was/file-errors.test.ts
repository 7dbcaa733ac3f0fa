import { join } from 'node:path'
import t, { type Test } from 'tap'
import { file } from '../../src/files/send-file.ts'
import { html } from '../../src/http/reply.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import type { UserConfig } from '../../src/was/config-types.ts'
import { temporaryFolder, writeTree } from '../support/catalogue.ts'
import { siteOf } from '../support/serving.ts'

const CSS = 'p { color: red }\n'

async function site(t: Test, config: UserConfig = {}) {
  const dir = await writeTree(temporaryFolder(t), {
    'static/a 가.css': CSS,
    'private/a 가.css': CSS,
    'failed.html': '<h1>somebody was quicker</h1>',
  })
  return siteOf(t, {
    static: [{ dir: join(dir, 'static'), prefix: '/static' }],
    privateFiles: join(dir, 'private'),
    errorPages: [{ status: 412, file: join(dir, 'failed.html'), prefix: '/static/a 가.css' }],
    urls: urlconf(
      path('/cached', () => html('<p>a page</p>'.repeat(100)), { cached: { seconds: 60 } }),
      path('/private/<path:name>', (req) => file(req, req.params.name)),
    ),
    ...config,
  })
}

const STATIC = '/static/a%20%EA%B0%80.css'
const PRIVATE = '/private/a%20%EA%B0%80.css'
const PROBLEM = 'Accept: application/json'

for (const [kind, config] of [
  ['files alone', {}],
  [
    'rules and guards',
    { redirects: [{ from: '/x', to: '/y', status: 301 }], access: [{ deny: ['10.0.0.0/8'] }] },
  ],
] as [string, UserConfig][]) {
  t.test(`what a file answers with an error status is the site's page (${kind})`, async (t) => {
    const { ask } = await site(t, config)
    const failed = await ask(STATIC, ['If-Match: "x"', 'Accept: text/html'])
    t.equal(failed.status, 412)
    t.equal(failed.body.toString(), '<h1>somebody was quicker</h1>')
    t.match(failed.headers, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      vary: 'Accept, Accept-Encoding',
      'x-content-type-options': 'nosniff',
    })
    const head = await ask(STATIC, ['If-Match: "x"', 'Accept: text/html'], 'HEAD')
    t.equal(head.headers['content-length'], failed.headers['content-length'])
    const long = await ask(STATIC, ['Range: bytes=9999-'])
    t.equal(long.status, 416)
    t.equal(long.headers['content-range'], `bytes */${CSS.length}`)
    t.match(long.body.toString(), /<h1>416 Range Not Satisfiable<\/h1>/)
  })

  t.test(`a program gets problem details of it (${kind})`, async (t) => {
    const { ask } = await site(t, config)
    await ask('/cached')
    for (const [target, fields, status] of [
      [STATIC, ['If-Match: "x"'], 412],
      [STATIC, ['Range: bytes=9999-'], 416],
      [STATIC, ['Accept-Encoding: identity;q=0'], 406],
      ['/cached', ['If-Match: "x"'], 412],
      ['/cached', ['Range: bytes=9999-'], 416],
      [PRIVATE, ['If-Match: "x"'], 412],
      [PRIVATE, ['Range: bytes=9999-'], 416],
      [PRIVATE, ['Accept-Encoding: identity;q=0'], 406],
    ] as const) {
      const { headers, body, ...reply } = await ask(target, [...fields, PROBLEM])
      const what = `${target} ${status}`
      t.equal(reply.status, status, what)
      t.equal(headers['content-type'], 'application/problem+json', what)
      const instance = `urn:uuid:${headers['x-request-id']}`
      t.match(JSON.parse(body.toString()), { type: 'about:blank', status, instance }, what)
      t.match(headers['vary'], /Accept-Encoding/, what)
      t.match(headers['vary'], /Accept(,|$)/, what)
      t.equal(headers['content-range'] !== undefined, status === 416, what)
    }
  })
}
