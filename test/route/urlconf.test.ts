import { fileURLToPath } from 'node:url'
import t from 'tap'
import { type Reply, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { formatPlace } from '../../src/route/place.ts'
import { include, path, urlconf } from '../../src/route/urlconf.ts'

const view = () => text('')
const FILE = 'test/route/urlconf.test.ts'
/** The functions as plain JavaScript sees them: without types. */
const untyped = { path, include, urlconf } as unknown as Record<
  'path' | 'include' | 'urlconf',
  (...args: unknown[]) => unknown
>

t.test('an entry knows the line of its path() or include() call', (t) => {
  const { line } = path('/here', view).place
  const entry = include('/next', urlconf())
  t.strictSame(path('/file', view).place.file, fileURLToPath(import.meta.url))
  t.equal(entry.place.line, line + 1)
  t.equal(formatPlace(entry.place), `${FILE}:${line + 1}`)
  const inner = urlconf({}, (path) => [path('/inner', view)])
  t.equal(inner.entries[0]?.place.line, line + 5)
  t.equal(formatPlace({ file: '/elsewhere/urls.ts', line: 1 }), '/elsewhere/urls.ts:1')
  t.equal(formatPlace({ file: 'unknown', line: 0 }), 'unknown:0')
  t.end()
})

t.test('an entry exposes its methods, views and options', (t) => {
  const entry = path('/x', view, { name: 'x', methods: ['POST', 'GET'] })
  t.strictSame(entry.methods, ['GET', 'POST'])
  t.strictSame({ ...entry.views }, { POST: view, GET: view, HEAD: view })
  t.strictSame(entry.options, { name: 'x', methods: ['POST', 'GET'] })
  t.ok(Object.isFrozen(entry) && Object.isFrozen(entry.views) && Object.isFrozen(entry.options))
  t.end()
})

class Titles {
  readonly #title: string
  readonly count = 0

  constructor(title: string) {
    this.#title = title
  }

  get(_req: Request<{ id: number }>): Reply {
    return this.page()
  }

  page(): Reply {
    return text(this.#title)
  }
}

class Editor extends Titles {
  put(req: Request<{ id: number }>): Reply {
    return text(`${req.params.id} ${String(this.page().body)}`)
  }
}

t.test('an instance of a class dispatches to its methods, those of its parents among them', (t) => {
  const { methods, views } = path('/x/<int:id>', new Editor('title'))
  t.strictSame(methods, ['GET', 'PUT'])
  t.equal(views.GET?.name, 'Editor.get')
  t.equal(views.HEAD, views.GET)
  t.match(views.GET?.({} as Request), { body: 'title' })
  t.match(views.PUT?.({ params: { id: 7 } } as unknown as Request), { body: '7 title' })
  t.end()
})

t.test('a view that is none is refused at its line', (t) => {
  for (const [given, problem] of [
    [
      undefined,
      'it is undefined, not a function; is it exported, or does its file import this one?',
    ],
    [null, 'it is null, not a function'],
    ['view', 'it is string, not a function'],
    [{}, 'the object names no method'],
    [{ get: 1 }, '"get" is number, not a function'],
    [{ gte: view }, 'unknown method "gte"; did you mean "get"?'],
    [{ GET: view }, 'unknown method "GET"; did you mean "get"?'],
    [new (class {})(), 'the object names no method'],
    [
      new (class {
        get = 'text'
      })(),
      '"get" is string, not a function',
    ],
  ] as const) {
    const { line } = path('/', view).place
    t.throws(() => untyped.path('/x', given), {
      code: 'UWAS_ERR_ROUTE_VIEW',
      message: `view of URL pattern "/x" (${FILE}:${line + 1}): ${problem}`,
    })
  }
  t.end()
})

t.test('methods that are none are refused', (t) => {
  const { line } = path('/', view).place
  t.throws(() => untyped.path('/x', view, { methods: ['get'] }), {
    code: 'UWAS_ERR_ROUTE_VIEW',
    message: `view of URL pattern "/x" (${FILE}:${line + 1}): unknown method "get"; did you mean "GET"?`,
  })
  for (const methods of [[], 'GET']) {
    t.throws(() => untyped.path('/x', view, { methods }), {
      message: /: "methods" is not a list of methods$/,
    })
  }
  t.throws(() => untyped.path('/x', { get: view }, { methods: ['GET'] }), {
    message: /: "methods" goes with a function; the object names them$/,
  })
  t.end()
})

t.test('unknown options are refused with the nearest known one', (t) => {
  const { line } = path('/', view).place
  t.throws(() => untyped.path('/x', view, { nmae: 'x' }), {
    code: 'UWAS_ERR_CORE_UNKNOWN_OPTION',
    message: `path("/x") at ${FILE}:${line + 1}: unknown option "nmae"; did you mean "name"?`,
  })
  t.throws(() => untyped.include('/x', urlconf(), { namspace: 'x' }), {
    message: `include("/x") at ${FILE}:${line + 5}: unknown option "namspace"; did you mean "namespace"?`,
  })
  t.throws(() => untyped.urlconf({ convertors: {} }, () => []), {
    message: `urlconf() at ${FILE}:${line + 8}: unknown option "convertors"; did you mean "converters"?`,
  })
  t.end()
})

t.test('a name or namespace that could not be told apart is refused', (t) => {
  const { line } = path('/', view).place
  t.throws(() => path('/x', view, { name: 'a:b' }), {
    code: 'UWAS_ERR_ROUTE_NAME',
    message: `path("/x") at ${FILE}:${line + 1}: name is "a:b"; give a text without spaces and colons`,
  })
  t.throws(() => path('/x', view, { name: '' }), { message: /: name is "";/ })
  t.throws(() => untyped.path('/x', view, { name: 7 }), { message: /: name is 7;/ })
  t.throws(() => include('/x', urlconf(), { namespace: 'a b' }), {
    message: /: namespace is "a b";/,
  })
  t.end()
})

t.test('a converter that is none is refused', (t) => {
  const sound = { parse: (text: string) => text, format: String }
  for (const [name, converter, problem] of [
    ['int', sound, 'that name is a built-in one'],
    ['a-b', sound, 'a name is of letters, digits and "_"'],
    ['half', { parse: sound.parse }, 'it has to have the functions parse(text) and format(value)'],
    ['none', null, 'it has to have the functions parse(text) and format(value)'],
  ] as const) {
    const { line } = path('/', view).place
    t.throws(() => untyped.path('/x', view, { converters: { [name]: converter } }), {
      code: 'UWAS_ERR_ROUTE_CONVERTER_INVALID',
      message: `path("/x") at ${FILE}:${line + 1}: converter "${name}" refused: ${problem}`,
    })
  }
  t.throws(() => untyped.path('/x', view, { converters: { c: { ...sound, regex: /a/ } } }), {
    code: 'UWAS_ERR_CORE_UNKNOWN_OPTION',
    message: /, converter "c": unknown option "regex"; known are: alphabet, format, parse, rest$/,
  })
  t.end()
})

t.test('what is no entry and no URL conf is refused', (t) => {
  t.throws(() => untyped.urlconf(undefined), {
    code: 'UWAS_ERR_CORE_INVALID_OPTION',
    message:
      'urlconf(): takes what path(), socket(), include(), host() and mount() return, not undefined',
  })
  t.throws(() => untyped.urlconf({}, () => undefined), {
    code: 'UWAS_ERR_CORE_INVALID_OPTION',
    message: /^urlconf\(\) at .*: its function returns a list of entries, not undefined$/,
  })
  t.throws(() => untyped.include('/x', undefined), {
    code: 'UWAS_ERR_CORE_INVALID_OPTION',
    message: /^include\("\/x"\) at .*: takes a URL conf made by urlconf\(\), not undefined$/,
  })
  t.end()
})

t.test('a prefix cannot take the rest of the path', (t) => {
  const { line } = path('/', view).place
  t.throws(() => include('/files/<path:p>', urlconf()), {
    code: 'UWAS_ERR_ROUTE_PATTERN',
    message: `URL pattern "/files/<path:p>" (${FILE}:${line + 1}), character 8: nothing can follow <path:…>, which takes the rest of the path`,
  })
  t.end()
})
