import t from 'tap'
import { html, text } from '../../src/http/reply.ts'
import { compileUrls } from '../../src/route/compile.ts'
import type { Converter } from '../../src/route/converters.ts'
import { include, path, urlconf } from '../../src/route/urlconf.ts'

const view = () => text('')
const other = () => html('')

t.test('a route without parameters is found as one shared, frozen match', (t) => {
  const { match, routes } = compileUrls(urlconf(path('/posts/', view, { name: 'list' })))
  const found = match('GET', '/posts/')
  t.equal(found?.route, routes[0])
  t.equal(found, match('GET', '/posts/'), 'the same object each time')
  t.ok(Object.isFrozen(found) && Object.isFrozen(found?.route && found.params))
  t.end()
})

t.test('the values of the parameters are converted', (t) => {
  const uuid = '0190a6e2-7b1c-7c3a-9f00-0123456789ab'
  const { match } = compileUrls(
    urlconf(
      path('/<int:id>/<slug:s>/<uuid:u>/<name>', view),
      path('/files/<path:p>', view),
      path('/@<str:user>.html', view),
      path('/<int:year>-<int:month>', view),
    ),
  )
  t.strictSame(paramsOf(match('GET', `/7/a-B_9/${uuid}/한 글`)), {
    id: 7,
    s: 'a-B_9',
    u: uuid,
    name: '한 글',
  })
  t.strictSame(paramsOf(match('GET', '/files/a/b.txt')), { p: 'a/b.txt' })
  t.strictSame(paramsOf(match('GET', '/files/a/')), { p: 'a/' })
  t.strictSame(paramsOf(match('GET', '/@kim.html.html')), { user: 'kim.html' })
  t.strictSame(paramsOf(match('GET', '/2026-11')), { year: 2026, month: 11 })
  t.end()
})

t.test('a text that a converter does not take is no match, never an error', (t) => {
  const { match } = compileUrls(
    urlconf(
      path('/int/<int:v>', view),
      path('/slug/<slug:v>', view),
      path('/uuid/<uuid:v>', view),
      path('/str/<v>', view),
      path('/path/<path:v>', view),
      path('/two/<int:a>-<int:b>', view),
      path('/pre<v>post', view),
    ),
  )
  const misses = [
    ...[
      '',
      '007',
      '00',
      '-1',
      '+1',
      '1.0',
      '1e3',
      '٣',
      '9007199254740992',
      '99999999999999999',
      ' 1',
    ].map((text) => `/int/${text}`),
    ...['', 'a b', 'é', 'a.b', 'a/b'].map((text) => `/slug/${text}`),
    '/uuid/0190A6E2-7B1C-7C3A-9F00-0123456789AB',
    '/uuid/0190a6e2-7b1c-7c3a-9f00-0123456789a',
    '/uuid/0190a6e2-7b1c-7c3a-9f00-0123456789ag',
    '/uuid/0190a6e2x7b1c-7c3a-9f00-0123456789ab',
    '/str/',
    '/str/a/b',
    '/path/',
    '/path',
    '/two/1',
    '/two/-1',
    '/two/1-',
    '/two/1-2-3',
    '/prepost',
    '/prpost',
    '/preXpos',
  ]
  for (const miss of misses) t.equal(match('GET', miss), undefined, miss)
  t.strictSame(paramsOf(match('GET', '/int/0')), { v: 0 })
  t.strictSame(paramsOf(match('GET', '/int/9007199254740991')), { v: 9007199254740991 })
  t.end()
})

t.test('of several routes that match, the one declared first answers', (t) => {
  const { match } = compileUrls(
    urlconf(
      path('/posts/<int:id>', view, { name: 'number' }),
      path('/posts/new', view, { name: 'new' }),
      path('/posts/<slug:s>', view, { name: 'slug' }),
      path('/posts/7', view, { name: 'never' }),
      path('/<path:p>', view, { name: 'rest' }),
      path('/about', view, { name: 'about' }),
    ),
  )
  t.equal(match('GET', '/posts/7')?.route?.name, 'number')
  t.equal(match('GET', '/posts/new')?.route?.name, 'new')
  t.equal(match('GET', '/posts/seven')?.route?.name, 'slug')
  t.equal(match('GET', '/posts/s/even')?.route?.name, 'rest')
  t.equal(match('GET', '/about')?.route?.name, 'rest')
  t.end()
})

t.test('a view answers GET and HEAD, or the methods that it is declared for', (t) => {
  const { match } = compileUrls(
    urlconf(
      path('/plain', view),
      path('/post', view, { methods: ['POST'] }),
      path('/object', { get: view, put: other }),
      path('/head', { get: view, head: other }),
    ),
  )
  t.equal(viewOf(match('GET', '/plain')), view)
  t.equal(viewOf(match('HEAD', '/plain')), view)
  t.equal(viewOf(match('POST', '/post')), view)
  t.equal(viewOf(match('PUT', '/object')), other)
  t.equal(viewOf(match('HEAD', '/head')), other)
  t.end()
})

t.test('another method gets the methods of all routes of the path', (t) => {
  const { match } = compileUrls(
    urlconf(
      path('/posts/<int:id>', view),
      path('/posts/<slug:s>', view, { methods: ['DELETE', 'POST'] }),
      path('/own', { options: other, patch: view }),
    ),
  )
  t.strictSame(match('PUT', '/posts/7'), { allow: ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'] })
  t.strictSame(match('OPTIONS', '/posts/x'), { allow: ['POST', 'DELETE', 'OPTIONS'] })
  t.strictSame(match('constructor', '/own'), { allow: ['PATCH', 'OPTIONS'] })
  t.strictSame(match('__proto__', '/own'), { allow: ['PATCH', 'OPTIONS'] })
  t.strictSame(match('get', '/own'), { allow: ['PATCH', 'OPTIONS'] }, 'methods are case-sensitive')
  t.equal(viewOf(match('OPTIONS', '/own')), other)
  t.equal(match('PUT', '/nothing'), undefined)
  t.end()
})

t.test(
  'GET and HEAD of the other spelling of a trailing slash are redirected, nothing else',
  (t) => {
    const conf = urlconf(
      path('/', view),
      path('/posts/', { get: view, post: view }),
      path('/글/<int:id>', view),
      path('/both', view),
      path('/both/', view),
      path('/form', view, { methods: ['POST'] }),
    )
    const { match } = compileUrls(conf)
    t.strictSame(match('GET', '/posts'), { redirect: '/posts/' })
    t.strictSame(match('HEAD', '/posts'), { redirect: '/posts/' })
    t.strictSame(match('GET', '/글/7/'), { redirect: '/%EA%B8%80/7' })
    t.equal(match('POST', '/posts'), undefined)
    t.equal(match('OPTIONS', '/posts'), undefined)
    t.equal(match('GET', '/form/'), undefined)
    t.equal(match('GET', '/글/07/'), undefined)
    t.equal(match('GET', '/both/')?.route?.pattern, '/both/')
    t.equal(match('GET', '/both')?.route?.pattern, '/both')
    const strict = compileUrls(conf, { trailingSlash: 'strict' })
    t.equal(strict.match('GET', '/posts'), undefined)
    t.end()
  },
)

t.test('an included URL conf stands beneath its prefix, with its parameters', (t) => {
  const inner = urlconf(path('/', view), path('/photos/<int:id>', view, { name: 'photo' }))
  const { match, routes } = compileUrls(
    urlconf(
      include('/users/<slug:user>', inner, { namespace: 'user' }),
      include('/', urlconf(include('/deep/', urlconf(path('/<int:n>', view, { name: 'deep' }))))),
    ),
  )
  t.strictSame(paramsOf(match('GET', '/users/kim/photos/7')), { user: 'kim', id: 7 })
  t.strictSame(paramsOf(match('GET', '/users/kim/')), { user: 'kim' })
  t.strictSame(match('GET', '/users/kim'), { redirect: '/users/kim/' })
  t.strictSame(paramsOf(match('GET', '/deep/3')), { n: 3 })
  t.strictSame(
    routes.map(({ index, pattern, name }) => [index, pattern, name]),
    [
      [0, '/users/<slug:user>/', undefined],
      [1, '/users/<slug:user>/photos/<int:id>', 'user:photo'],
      [2, '/deep/<int:n>', 'deep'],
    ],
  )
  t.end()
})

t.test('a custom converter gives its own values, and what it throws is not hidden', (t) => {
  const even: Converter<number> = {
    parse: (text) => {
      if (text === 'bug') throw new RangeError('a bug of the converter')
      return Number(text) % 2 === 0 ? Number(text) : undefined
    },
    format: String,
  }
  const lines: Converter<string[]> = {
    parse: (text) => text.split('/'),
    format: (value) => value.join('/'),
    rest: true,
  }
  const conf = urlconf({ converters: { even } }, (path) => [
    path('/even/<even:n>', view),
    path('/lines/<lines:l>', view, { converters: { lines } }),
  ])
  const { match } = compileUrls(conf)
  t.strictSame(paramsOf(match('GET', '/even/4')), { n: 4 })
  t.equal(match('GET', '/even/5'), undefined)
  t.throws(() => match('GET', '/even/bug'), new RangeError('a bug of the converter'))
  t.strictSame(paramsOf(match('GET', '/lines/a/b')), { l: ['a', 'b'] })
  t.end()
})

t.test('a custom converter is asked for each request, also where a static route follows', (t) => {
  let open = false
  const gate: Converter<string> = { parse: (text) => (open ? text : undefined), format: String }
  const { match } = compileUrls(
    urlconf(
      path('/<gate:g>', view, { name: 'gate', converters: { gate } }),
      path('/a', view, { name: 'a' }),
    ),
  )
  t.equal(match('GET', '/a')?.route?.name, 'a')
  open = true
  t.equal(match('GET', '/a')?.route?.name, 'gate')
  t.end()
})

t.test('a parameter may have the name of a property of Object', (t) => {
  const { match } = compileUrls(urlconf(path('/<constructor>/<toString>', view)))
  t.strictSame(paramsOf(match('GET', '/a/b')), { constructor: 'a', toString: 'b' })
  t.end()
})

t.test('wrong options of compileUrls are refused', (t) => {
  const conf = urlconf()
  t.throws(() => compileUrls(conf, { trailingslash: 'strict' } as object), {
    code: 'UWAS_ERR_CORE_UNKNOWN_OPTION',
    message: 'compileUrls(): unknown option "trailingslash"; did you mean "trailingSlash"?',
  })
  t.throws(() => compileUrls(conf, { trailingSlash: 'strickt' } as object), {
    code: 'UWAS_ERR_CORE_INVALID_OPTION',
    message: 'compileUrls(): trailingSlash is "strickt"; did you mean "strict"?',
  })
  t.equal(compileUrls(conf).match('GET', '/'), undefined, 'an empty URL conf matches nothing')
  t.end()
})

type Found = ReturnType<ReturnType<typeof compileUrls>['match']>

function paramsOf(found: Found): unknown {
  return found?.route && found.params
}

function viewOf(found: Found): unknown {
  return found?.route && found.view
}
