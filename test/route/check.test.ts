import t from 'tap'
import { text } from '../../src/http/reply.ts'
import { checkUrls } from '../../src/route/check.ts'
import { compileUrls } from '../../src/route/compile.ts'
import type { Method } from '../../src/route/entry.ts'
import { include, path, urlconf } from '../../src/route/urlconf.ts'

const view = () => text('')
const FILE = 'test/route/check.test.ts'

t.test('a sound URL conf has no problems', (t) => {
  const conf = urlconf(
    path('/posts/', view, { name: 'list' }),
    path('/posts/', view, { methods: ['POST'] }),
    path('/posts', view),
    path('/posts/new', view, { name: 'new' }),
    path('/posts/<int:id>', view, { name: 'post' }),
    path('/posts/<slug:s>', view),
    path('/head', view, { methods: ['HEAD'] }),
    path('/head', view),
    path('/<path:rest>', view),
  )
  t.strictSame(checkUrls(conf), [])
  t.doesNotThrow(() => compileUrls(conf))
  t.end()
})

t.test('two routes of one pattern and method are an error that names both places', (t) => {
  const { line } = path('/', view).place
  const conf = urlconf(
    path('/posts/<int:id>', { get: view, post: view }),
    path('/posts/<int:pk>', { post: view, put: view }),
  )
  const [problem, ...more] = checkUrls(conf)
  t.match(problem, {
    level: 'error',
    error: {
      code: 'UWAS_ERR_ROUTE_DUPLICATE',
      message: `POST of "/posts/<int:pk>" (${FILE}:${line + 3}) never answers: "/posts/<int:id>" (${FILE}:${line + 2}) is the same pattern, declared earlier`,
    },
    places: [{ line: line + 2 }, { line: line + 3 }],
  })
  t.strictSame(more, [])
  t.throws(() => compileUrls(conf), { code: 'UWAS_ERR_ROUTE_DUPLICATE' })
  t.end()
})

t.test('a route behind a wider one is a warning', (t) => {
  const { line } = path('/', view).place
  const conf = urlconf(
    path('/posts/<slug:s>', view),
    path('/posts/new', view), //
  )
  const [problem, ...more] = checkUrls(conf)
  t.match(problem, {
    level: 'warning',
    error: {
      code: 'UWAS_ERR_ROUTE_SHADOWED',
      message: `GET of "/posts/new" (${FILE}:${line + 3}) never answers: "/posts/<slug:s>" (${FILE}:${line + 2}), declared earlier, matches all its paths; put the narrower one first`,
    },
  })
  t.strictSame(more, [])
  t.doesNotThrow(() => compileUrls(conf))
  t.end()
})

t.test('what covers what', (t) => {
  const odd = {
    parse: (text: string) => (text === 'odd' ? text : undefined),
    format: String,
  }
  const bug = { parse: fail, format: String }
  const covers = (first: string, second: string) => {
    const problems = checkUrls(
      urlconf({ converters: { odd, bug } }, (path) => [path(first, view), path(second, view)]),
    )
    return problems.length === 1 && problems[0]?.error.code === 'UWAS_ERR_ROUTE_SHADOWED'
  }
  for (const [first, second] of [
    ['/<a>', '/<int:a>'],
    ['/<a>', '/<odd:a>'],
    ['/<a>', '/x<int:a>'],
    ['/<slug:a>', '/<uuid:a>'],
    ['/<slug:a>', '/<int:a>'],
    ['/<int:a>', '/7'],
    ['/<odd:a>', '/odd'],
    ['/v<int:a>', '/v7'],
    ['/<path:a>', '/x/y'],
    ['/<path:a>', '/<int:b>/<c>/'],
    ['/x/<path:a>', '/x/<int:b>'],
  ] as const) {
    t.ok(covers(first, second), `${first} covers ${second}`)
  }
  for (const [first, second] of [
    ['/<int:a>', '/<a>'],
    ['/<int:a>', '/07'],
    ['/<int:a>', '/<uuid:a>'],
    ['/<odd:a>', '/even'],
    ['/<bug:a>', '/even'],
    ['/<odd:a>', '/<int:a>'],
    ['/<a>', '/'],
    ['/<a>', '/<path:a>'],
    ['/<a>', '/<b>/'],
    ['/<a>/', '/<b>'],
    ['/x/<path:a>', '/x/'],
    ['/x/<path:a>', '/x'],
    ['/x<int:a>', '/<a>'],
  ] as const) {
    t.notOk(covers(first, second), `${first} does not cover ${second}`)
  }
  t.end()
})

t.test('each dead method is reported once, with the first route that takes it', (t) => {
  const route = (pattern: string, ...methods: Method[]) => path(pattern, view, { methods })
  const conf = urlconf(
    route('/<a>', 'GET'),
    route('/<slug:a>', 'POST'),
    route('/<b>', 'POST'),
    route('/x', 'GET', 'HEAD', 'POST', 'PUT'),
  )
  t.strictSame(
    checkUrls(conf).map(({ error }) => error.message.replace(/ \([^)]*\)/g, '')),
    [
      'GET, HEAD of "/x" never answers: "/<a>", declared earlier, matches all its paths; put the narrower one first',
      'POST of "/x" never answers: "/<slug:a>", declared earlier, matches all its paths; put the narrower one first',
    ],
  )
  t.end()
})

t.test('two routes of one name are an error', (t) => {
  const { line } = path('/', view).place
  const api = urlconf(path('/a', view, { name: 'a' }))
  const conf = urlconf(
    include('/1', api, { namespace: 'api' }),
    include('/2', api),
    include('/3', api, { namespace: 'api' }),
  )
  const [problem, ...more] = checkUrls(conf)
  t.match(problem, {
    level: 'error',
    error: {
      code: 'UWAS_ERR_ROUTE_NAME_DUPLICATE',
      message: `two routes are named "api:a": "/1/a" (${FILE}:${line + 1}) and "/3/a" (${FILE}:${line + 1})`,
    },
  })
  t.strictSame(more, [])
  t.throws(() => compileUrls(conf), { code: 'UWAS_ERR_ROUTE_NAME_DUPLICATE' })
  t.end()
})

t.test('a prefix and a pattern with one parameter name are an error', (t) => {
  const { line } = path('/', view).place
  const conf = urlconf(include('/<int:id>', urlconf(path('/x/<id>', view))))
  t.match(checkUrls(conf), [
    {
      level: 'error',
      error: {
        code: 'UWAS_ERR_ROUTE_PARAMETER_DUPLICATE',
        message: `URL pattern "/<int:id>/x/<id>" (${FILE}:${line + 1}) has two parameters named "id"`,
      },
    },
  ])
  t.throws(() => compileUrls(conf), { code: 'UWAS_ERR_ROUTE_PARAMETER_DUPLICATE' })
  t.end()
})

t.test('a URL conf made for a prefix is refused beneath another', (t) => {
  const { line } = path('/', view).place
  const users = urlconf({ under: '/users/<int:user>' }, (path) => [path('/photos', view)])
  t.strictSame(checkUrls(urlconf(include('/people/<int:user>', users))), [])
  const included = urlconf(include('/people/<slug:user>', users as never))
  t.throws(() => compileUrls(included), {
    code: 'UWAS_ERR_ROUTE_UNDER',
    message: `a URL conf made for "/users/<int:user>" (${FILE}:${line + 1}) is used under "/people/<slug:user>", which does not bring <int:user>`,
  })
  t.throws(() => compileUrls(users as never), {
    message: `a URL conf made for "/users/<int:user>" (${FILE}:${line + 1}) is used under "/", which does not bring <int:user>`,
  })
  t.end()
})

function fail(): never {
  throw new Error('a bug of the converter')
}
