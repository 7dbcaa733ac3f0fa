import fc from 'fast-check'
import t from 'tap'
import { text } from '../../src/http/reply.ts'
import { checkUrls } from '../../src/route/check.ts'
import { compileUrls } from '../../src/route/compile.ts'
import { host } from '../../src/route/host.ts'
import { normalizeHost } from '../../src/route/host-pattern.ts'
import { listRoutes } from '../../src/route/list.ts'
import { include, path, urlconf } from '../../src/route/urlconf.ts'
import { templateUrls } from '../../src/was/template-urls.ts'

const view = () => text('')
const FILE = 'test/route/host.test.ts'

const site = <const Name extends string>(name: Name) =>
  urlconf(path('/', view, { name }), path(`/${name}` as '/', view), path('/it/<int:id>', view))

const urls = urlconf(
  path('/', view, { name: 'home' }),
  path('/shared/', view),
  path('/it/<slug:word>', view, { methods: ['POST'] }),
  host('*.example.org', site('wild'), { namespace: 'w' }),
  host('<slug:tenant>.example.org', site('shop'), { namespace: 's' }),
  host('admin.example.org', site('admin'), { namespace: 'a' }),
  host('<int:n>-<slug:zone>.api.example.org', site('api'), { namespace: 'api' }),
  host('[::1]:8080', site('v6'), { namespace: 'v6' }),
  host('Bücher.example', site('idn'), { namespace: 'idn' }),
)
const { match, hasHosts } = compileUrls(urls)
const found = (at: string, asked: string, method = 'GET') => {
  const it = match(method, asked, at)
  return it?.route === undefined
    ? (it?.allow?.join(' ') ?? it?.redirect ?? 'none')
    : `${it.route.name ?? it.route.pattern} ${JSON.stringify(it.params)}`
}

t.test('an exact host goes before a pattern, that before "*", that before no host', async (t) => {
  t.equal(hasHosts, true)
  t.equal(found('admin.example.org', '/'), 'a:admin {}')
  t.equal(found('acme.example.org', '/'), 's:shop {"tenant":"acme"}')
  t.equal(found('a.b.example.org', '/'), 'w:wild {}')
  t.equal(found('7-eu-west.api.example.org', '/'), 'api:api {"n":7,"zone":"eu-west"}')
  t.equal(found('seven-eu.api.example.org', '/'), 'w:wild {}', 'a failed converter is no match')
  t.equal(found('example.org', '/'), 'home {}', '"*" is one label at least')
  t.equal(found('example.com', '/'), 'home {}')
  t.equal(found('evilexample.org', '/'), 'home {}')
  t.equal(found('acme.example.org.evil.com', '/'), 'home {}')
  t.equal(found('', '/'), 'home {}')
  t.equal(match('GET', '/')?.route?.name, 'home', 'without a host')
})

t.test('a path that a host does not know is looked for in the next wider one', async (t) => {
  t.equal(found('admin.example.org', '/shop'), '<slug:tenant>.example.org/shop {"tenant":"admin"}')
  t.equal(found('admin.example.org', '/wild'), '*.example.org/wild {}')
  t.equal(found('admin.example.org', '/shared/'), '/shared/ {}')
  t.equal(found('example.org', '/admin'), 'none')
})

t.test('port, case and the dot at the end do not count', async (t) => {
  for (const at of [
    'ADMIN.Example.ORG',
    'admin.example.org:8080',
    'admin.example.org.',
    'admin.example.org.:80',
  ])
    t.equal(found(at, '/'), 'a:admin {}', at)
  t.equal(found('ACME.example.org', '/'), 's:shop {"tenant":"acme"}')
  t.equal(found('[::1]:9', '/'), 'v6:v6 {}')
  t.equal(found('xn--bcher-kva.example', '/'), 'idn:idn {}', 'other scripts by their ASCII form')
})

t.test('405, OPTIONS and the slash at the end know of hosts', async (t) => {
  t.equal(found('example.org', '/it/7'), 'POST OPTIONS')
  t.equal(found('acme.example.org', '/it/7', 'PUT'), 'GET HEAD POST OPTIONS')
  t.equal(found('acme.example.org', '/it/7', 'POST'), '/it/<slug:word> {"word":"7"}')
  t.equal(
    found('acme.example.org', '/it/7'),
    '<slug:tenant>.example.org/it/<int:id> {"tenant":"acme","id":7}',
  )
  t.equal(found('acme.example.org', '/shop/'), '/shop')
  t.equal(found('example.org', '/shop/'), 'none')
  t.equal(found('acme.example.org', '/shared'), '/shared/')
})

t.test('hosts that are none meet only what stands under no host', async (t) => {
  for (const at of [
    '.example.org',
    'a..example.org',
    '.',
    '..',
    ':80',
    '[',
    'a b.example.org:x',
    '*',
  ])
    t.not(found(at, '/').includes('example') || found(at, '/') === 'a:admin {}', true, at)
  t.equal(found('.example.org', '/'), 'home {}')
  t.equal(found('a..example.org', '/'), 'home {}')
  fc.assert(
    fc.property(fc.string(), (at) => {
      const normal = normalizeHost(at)
      return normal === normal.toLowerCase() && match('GET', '/', at) !== undefined
    }),
  )
})

t.test('reverse gives the host, and what it gives is matched again', async (t) => {
  const { reverse } = urls
  t.equal(reverse('a:admin'), '//admin.example.org/')
  t.equal(reverse('s:shop', { tenant: 'acme' }), '//acme.example.org/')
  t.equal(reverse('api:api', { n: 7, zone: 'eu' }), '//7-eu.api.example.org/')
  t.equal(reverse('w:wild'), '/', 'under "*" the link stays at its host')
  t.equal(reverse('v6:v6'), '//[::1]:8080/', 'with the port of the pattern')
  t.equal(reverse('idn:idn'), '//xn--bcher-kva.example/')
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/), (tenant) => {
      if (tenant === 'admin') return true
      const { host: at, pathname } = new URL(reverse('s:shop', { tenant }), 'http://x')
      return match('GET', pathname, at)?.route?.name === 's:shop'
    }),
  )
})

t.test('reverse refuses values that are in no host', async (t) => {
  const { reverse } = urls
  const { place } = site('z').entries[0] as { place: { line: number } }
  for (const tenant of ['Acme', 'a_B']) {
    t.throws(() => reverse('s:shop', { tenant }), {
      code: 'UWAS_ERR_ROUTE_REVERSE_PARAMETER',
      message: new RegExp(`<slug:tenant> is "${tenant}"; a host has small letters, digits and "-"`),
    })
  }
  for (const tenant of ['-a', 'a-', 'x'.repeat(64)]) {
    t.throws(() => reverse('s:shop', { tenant }), {
      code: 'UWAS_ERR_ROUTE_REVERSE_PATH',
      message: `reverse of route "s:shop" ("<slug:tenant>.example.org/", ${FILE}:${place.line}) would be //${tenant}.example.org, which no request can ask for: a value makes an empty or dot segment, holds a backslash or control character, or makes no label of a host`,
    })
  }
  t.throws(() => (reverse as (name: string) => string)('s:shop'), {
    message: /<slug:tenant> is missing/,
  })
  const any = urlconf(host('<x>.example.org', urlconf(path('/', view, { name: 'x' }))))
  for (const x of ['a.b', 'a/b', 'a:1', 'a@b', ' ', 'ü', '<'])
    t.throws(() => any.reverse('x', { x }), { code: 'UWAS_ERR_ROUTE_REVERSE_PARAMETER' }, x)
  const included = site('z')
  host('a.example', included)
  t.throws(() => included.reverse('z'), {
    code: 'UWAS_ERR_ROUTE_REVERSE_INCLUDED',
    message:
      'this URL conf is included under "a.example", so its own reverse() cannot know the whole URL; call reverse() of the root URL conf',
  })
})

t.test('mistakes in a host are told with their line', async (t) => {
  const none = urlconf()
  const { line } = path('/', view).place
  const told = (pattern: string, problem: string | RegExp) =>
    t.throws(
      () => host(pattern as 'x', none),
      { code: 'UWAS_ERR_ROUTE_HOST', message: problem },
      pattern,
    )
  t.throws(() => host('https://example.org' as 'x', none), {
    message: `host "https://example.org" (${FILE}:${line + 7}): a host has no scheme, path or space; write it like www.example.org`,
  })
  told('', /it is no text/)
  told('example.org/x', /no scheme, path or space/)
  told('a..b', /an empty label/)
  told('.a', /an empty label/)
  told('a.*.b', /"\*" stands alone in front: \*\.example\.org/)
  told('x*.b', /"\*" stands alone in front/)
  told('*.<slug:a>.b', /"\*" names no label/)
  told('<path:a>.b', /<path:a> takes the rest of a path; a label of a host has no rest/)
  told('<slug:a>.<slug:a>.b', /<a> is there twice/)
  told('a!.b', /"a!" is of no host/)
  t.throws(() => host('<nope:a>.b' as 'x', none), { code: 'UWAS_ERR_ROUTE_CONVERTER_UNKNOWN' })
  t.throws(() => host('<str:a><str:b>.c', none), { code: 'UWAS_ERR_ROUTE_PATTERN' })
  t.throws(() => host('a.b', {} as never), {
    code: 'UWAS_ERR_CORE_INVALID_OPTION',
    message: /takes a URL conf made by urlconf\(\)/,
  })
  t.throws(() => host('a.b', none, { nmae: 1 } as never), { code: 'UWAS_ERR_CORE_UNKNOWN_OPTION' })
})

t.test(
  'a host under a host, and a parameter of both host and path, are errors of check',
  async (t) => {
    const inner = urlconf(host('b.example', urlconf(path('/', view))))
    t.match(checkUrls(urlconf(host('a.example', inner))), [
      {
        level: 'error',
        error: {
          code: 'UWAS_ERR_ROUTE_HOST',
          message:
            /^host "b\.example" \(.*\): it stands under the host "a\.example"; no request has two$/,
        },
      },
    ])
    const twice = urlconf(host('<slug:a>.example', urlconf(path('/<slug:a>', view))))
    t.match(checkUrls(twice), [
      {
        error: {
          code: 'UWAS_ERR_ROUTE_PARAMETER_DUPLICATE',
          message: /URL pattern "<slug:a>\.example\/<slug:a>" .* has two parameters named "a"/,
        },
      },
    ])
  },
)

t.test('shadows are judged within the hosts that they share', async (t) => {
  const one = () => urlconf(path('/x', view))
  const wide = () => urlconf(path('/<slug:p>', view))
  t.strictSame(checkUrls(urlconf(path('/x', view), host('a.example', one()))), [])
  t.strictSame(checkUrls(urlconf(host('*.example', one()), host('a.example', one()))), [])
  t.strictSame(checkUrls(urlconf(host('<slug:h>.example', wide()), host('a.example', one()))), [])
  t.match(checkUrls(urlconf(host('a.example', one()), host('A.example:80', one()))), [
    {
      level: 'error',
      error: {
        code: 'UWAS_ERR_ROUTE_DUPLICATE',
        message:
          /^GET of "A\.example:80\/x" .* never answers: "a\.example\/x" .* is the same pattern/,
      },
    },
  ])
  t.match(checkUrls(urlconf(host('<slug:a>.example', one()), host('<slug:b>.example', one()))), [
    { level: 'error', error: { code: 'UWAS_ERR_ROUTE_DUPLICATE' } },
  ])
  t.match(checkUrls(urlconf(host('<str:a>.example', wide()), host('<slug:b>.example', one()))), [
    { level: 'warning', error: { code: 'UWAS_ERR_ROUTE_SHADOWED' } },
  ])
  t.strictSame(
    checkUrls(urlconf(host('<slug:b>.example', one()), host('<str:a>.example', wide()))),
    [],
  )
})

t.test('hosts go with includes, scopes, "under", sockets and middleware', async (t) => {
  const around = () => text('')
  const year = { parse: (source: string) => Number(source) || undefined, format: String }
  const shop = urlconf({ under: '<slug:tenant>.example.org/shop' }, (path) => [
    path('/<int:id>', ({ params }) => text(`${params.tenant} ${params.id}`), { name: 'item' }),
  ])
  const store = urlconf({ under: '<slug:tenant>.example.org' }, (_path, include, socket) => [
    include('/shop', shop, { namespace: 'shop' }),
    socket('/ws', { message() {} }),
  ])
  const conf = urlconf({ converters: { year } }, (path, _include, _socket, host) => [
    host('<slug:tenant>.example.org', store, { middleware: [around], namespace: 'all' }),
    host('y<year:y>.example.com', urlconf(path('/', view))),
    path('/', view),
  ])
  const compiled = compileUrls(conf)
  const item = compiled.match('GET', '/shop/7', 'acme.example.org')?.route
  t.strictSame(item?.middleware, [around])
  t.equal(conf.reverse('all:shop:item', { tenant: 'a', id: 7 }), '//a.example.org/shop/7')
  t.match(compiled.match('GET', '/', 'y1999.example.com'), { params: { y: 1999 } })
  t.ok(compiled.match('GET', '/ws', 'a.example.org')?.route?.socket)
  t.equal(compiled.match('GET', '/ws', 'example.org'), undefined)
  t.match(listRoutes(compiled), [
    { pattern: '<slug:tenant>.example.org/shop/<int:id>', name: 'all:shop:item' },
    { pattern: '<slug:tenant>.example.org/ws', methods: ['WS'] },
    { pattern: 'y<year:y>.example.com/' },
    { pattern: '/' },
  ])
  t.match(
    checkUrls(urlconf(host('<slug:other>.example.org', urlconf(include('/shop', shop as never))))),
    [
      {
        error: {
          code: 'UWAS_ERR_ROUTE_UNDER',
          message:
            /used under "<slug:other>\.example\.org\/shop", which does not bring <slug:tenant>/,
        },
      },
    ],
  )
  const prefixed = urlconf(
    include('/v1', urlconf(host('a.example', urlconf(path('/x', view, { name: 'x' }))))),
  )
  t.equal(prefixed.reverse('x'), '//a.example/v1/x', 'a host within an include keeps the prefix')
})

t.test('templates know the parameters of a host', async (t) => {
  t.strictSame(templateUrls(urls).parameters.get('api:api'), ['n', 'zone'])
})
