import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createLog } from '../../src/core/log.ts'
import { createCatalogue } from '../../src/files/catalogue.ts'
import { json } from '../../src/http/reply.ts'
import { SECURITY_HEADERS } from '../../src/http/security-headers.ts'
import { loadNative } from '../../src/native/load.ts'
import { finishing } from '../../src/was/finish.ts'
import { createSiteRules, type SiteRulesOptions } from '../../src/was/site-rules.ts'
import { serve } from '../support/application.ts'
import { raw } from '../support/raw.ts'

const LANES = ['native', 'strict'] as const
const APP = 'https://app.example.org'

async function site(t: Test, lane: (typeof LANES)[number], options: Partial<SiteRulesOptions>) {
  const dir = t.testdir({
    'a.css': 'p {}',
    'new.txt': 'new',
    'font.woff2': 'font',
    '글.txt': '글',
    big: { 'index.html': 'index' },
  })
  const files = await createCatalogue({
    mounts: [{ dir, prefix: '/' }],
    storeDir: join(t.testdirName, '..', 'rules-objects'),
    native: loadNative(),
    log: createLog(() => {}),
    baseHeaders: SECURITY_HEADERS,
  })
  t.teardown(() => files.close())
  const rules = createSiteRules({ redirects: [], rewrites: [], cors: [], ...options })
  const view = finishing(rules, null)((req) => json([req.method, req.path, req.search]))
  const { port } = await serve(t, view, { catalogue: files, rules, lane })
  const ask = async (target: string, fields = '', method = 'GET') => {
    const request = `${method} ${target} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`
    return (await raw(port, request, { methods: [method] })).responses[0]
  }
  return { port, ask }
}

for (const lane of LANES) {
  t.test(`no client chooses the host that a redirect leads to (${lane})`, async (t) => {
    const { ask } = await site(t, lane, {
      redirects: [{ from: '/<a>/*', to: '/*/<a>', status: 308 }],
    })
    for (const target of ['/evil.test/', '/evil.test/?q', '/%65vil.test/', '/./evil.test/']) {
      t.match((await ask(target))?.headers['location'], /^\/evil\.test(?:\?q)?$/, target)
    }
    for (const target of ['//evil.test/', '/%2fevil.test/', '/\\evil.test/', '/.//evil.test/']) {
      t.match(await ask(target), { status: 404, headers: { location: undefined } }, target)
    }
  })

  t.test(
    `redirects come before files and views, with query and safety fields (${lane})`,
    async (t) => {
      const { ask } = await site(t, lane, {
        redirects: [
          { from: '/a.css', to: '/b.css', status: 301 },
          { from: '/old/<id>', to: '/new?id=<id>#top', status: 307 },
          { from: '/글/*', to: '/letters/*', status: 308 },
          { from: '/away/*', to: 'https://other.example/*', status: 302 },
        ],
      })
      t.match(await ask('/a.css'), {
        status: 301,
        headers: { location: '/b.css', 'content-length': '0', 'x-content-type-options': 'nosniff' },
      })
      t.equal((await ask('/a.css?v=1'))?.headers['location'], '/b.css?v=1')
      t.equal((await ask('/%61.css'))?.headers['location'], '/b.css')
      t.match(await ask('/old/7?x=y', '', 'POST'), {
        status: 307,
        headers: { location: '/new?id=7&x=y#top' },
      })
      t.equal((await ask('/%EA%B8%80/a'))?.headers['location'], '/letters/a')
      t.equal((await ask('/away/x/y?z'))?.headers['location'], 'https://other.example/x/y?z')
      t.match(await ask('/a.css', '', 'HEAD'), { status: 301, headers: { location: '/b.css' } })
      t.equal((await ask('/new.txt'))?.body.toString(), 'new', 'other files are as they were')
      t.match(await ask('/other'), { status: 200, body: Buffer.from('["GET","/other",""]') })
    },
  )

  t.test(`no query leads off the site or splits the reply (${lane})`, async (t) => {
    const { ask } = await site(t, lane, { redirects: [{ from: '/go/*', to: '/*', status: 302 }] })
    for (const target of ['/go//evil.test/', '/go/%2fevil.test', '/go/%5cevil.test', '/go/..//x']) {
      const response = await ask(target)
      t.equal(response?.headers['location'], undefined, `${target}: ${response?.status}`)
    }
    t.equal((await ask('/go/a?b=%0d%0ac'))?.headers['location'], '/a?b=%0d%0ac')
  })

  t.test(`rewrites answer with a file or a view of another path (${lane})`, async (t) => {
    const { ask } = await site(t, lane, {
      rewrites: [
        { from: '/shown.txt', to: '/new.txt' },
        { from: '/a.css', to: '/new.txt' },
        { from: '/v1/*', to: '/v2/*' },
        { from: '/app/*', to: '/big/' },
        { from: '/letter', to: '/글.txt' },
      ],
    })
    t.equal((await ask('/shown.txt'))?.body.toString(), 'new')
    t.equal((await ask('/a.css'))?.body.toString(), 'new', 'a rule goes before a file')
    t.equal((await ask('/app/x/y'))?.body.toString(), 'index')
    t.equal((await ask('/letter'))?.body.toString(), '글')
    const view = await ask('/v1/a%20b?q=1', '', 'POST')
    t.equal(view?.body.toString(), '["POST","/v2/a b","q=1"]')
    t.equal((await ask('/new.txt'))?.body.toString(), 'new')
  })

  t.test(
    `"*" lets everybody read files and views: 200, 304, 404 and redirects (${lane})`,
    async (t) => {
      const { ask } = await site(t, lane, {
        cors: [{ origins: '*', prefix: '/' }],
        redirects: [{ from: '/old', to: '/new.txt', status: 301 }],
      })
      const file = await ask('/font.woff2')
      t.equal(file?.headers['access-control-allow-origin'], '*', 'without an Origin too')
      t.equal(file?.body.toString(), 'font')
      t.equal(file?.headers['vary'], undefined)
      const etag = file?.headers['etag']
      for (const [target, fields, status] of [
        ['/font.woff2', `Origin: ${APP}\r\n`, 200],
        ['/font.woff2', `If-None-Match: ${etag}\r\n`, 304],
        ['/font.woff2', 'Range: bytes=0-1\r\n', 206],
        ['/font.woff2', 'Range: bytes=9-\r\n', 416],
        ['/%EA%B8%80.txt', '', 200],
        ['/big', '', 308],
        ['/big?x', '', 308],
        ['/old', '', 301],
        ['/view', '', 200],
      ] as const) {
        const response = await ask(target, fields)
        t.equal(response?.status, status, `${target} ${fields}`)
        t.equal(response?.headers['access-control-allow-origin'], '*', `${target} ${fields}`)
        t.equal(response?.headers['x-content-type-options'], 'nosniff', `${target} ${fields}`)
      }
      const head = await ask('/font.woff2', '', 'HEAD')
      t.equal(head?.headers['access-control-allow-origin'], '*')
    },
  )

  t.test(`a list lets its members read; every answer varies by Origin (${lane})`, async (t) => {
    const { ask } = await site(t, lane, {
      cors: [{ prefix: '/font.woff2', origins: [APP], credentials: true }],
    })
    const allowed = await ask('/font.woff2', `Origin: ${APP}\r\n`)
    t.match(allowed?.headers, {
      'access-control-allow-origin': APP,
      'access-control-allow-credentials': 'true',
    })
    t.match(allowed?.headers['vary'], /\bOrigin\b/)
    for (const fields of [
      '',
      'Origin: https://evil.test\r\n',
      `Origin: ${APP}\r\nOrigin: ${APP}\r\n`,
    ]) {
      const other = await ask('/font.woff2', fields)
      t.equal(other?.headers['access-control-allow-origin'], undefined, fields)
      t.match(other?.headers['vary'], /\bOrigin\b/, fields)
      t.equal(other?.body.toString(), 'font')
    }
    t.equal((await ask('/a.css', `Origin: ${APP}\r\n`))?.headers['vary']?.includes('Origin'), false)
  })

  t.test(`a preflight is answered before files, views and redirects (${lane})`, async (t) => {
    const { ask } = await site(t, lane, {
      cors: [{ origins: [APP], methods: ['PUT'], headers: ['X-Token'] }],
      redirects: [{ from: '/old', to: '/new.txt', status: 301 }],
    })
    const preflight = `Origin: ${APP}\r\nAccess-Control-Request-Method: PUT\r\n`
    for (const target of ['/font.woff2', '/view', '/old']) {
      const response = await ask(target, preflight, 'OPTIONS')
      t.match(response, {
        status: 204,
        headers: {
          'access-control-allow-origin': APP,
          'access-control-allow-methods': 'PUT',
          'access-control-allow-headers': 'X-Token',
          'access-control-max-age': '600',
          vary: 'Origin',
        },
      })
      t.equal(response?.headers['content-length'], undefined)
    }
    const evil = await ask('/view', preflight.replace(APP, 'https://evil.test'), 'OPTIONS')
    t.equal(evil?.status, 204)
    t.equal(evil?.headers['access-control-allow-origin'], undefined)
    const plain = await ask('/view', `Origin: ${APP}\r\n`, 'OPTIONS')
    t.equal(plain?.body.toString(), '["OPTIONS","/view",""]', 'no preflight: the view is asked')
  })
}

t.test('a site without rules has none: files are found as before', (t) => {
  t.equal(createSiteRules({ redirects: [], rewrites: [], cors: [] }), null)
  t.end()
})
