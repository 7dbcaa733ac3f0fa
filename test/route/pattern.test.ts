import t from 'tap'
import { BUILT_IN_CONVERTERS } from '../../src/route/converters.ts'
import { parsePattern, sameSegment } from '../../src/route/pattern.ts'

const parse = (pattern: string) => parsePattern(pattern, 'urls.ts:3', {})

t.test('a pattern is read into segments', (t) => {
  const { int, str, path } = BUILT_IN_CONVERTERS
  t.strictSame(parse('/'), [{ kind: 'literal', text: '' }])
  t.strictSame(parse('/글 쓰기/'), [
    { kind: 'literal', text: '글 쓰기' },
    { kind: 'literal', text: '' },
  ])
  t.strictSame(parse('/a/v<int:n>.<x>/<path:p>'), [
    { kind: 'literal', text: 'a' },
    {
      kind: 'dynamic',
      literals: ['v', '.', ''],
      parameters: [
        { name: 'n', type: 'int', converter: int },
        { name: 'x', type: 'str', converter: str },
      ],
    },
    { kind: 'rest', parameter: { name: 'p', type: 'path', converter: path } },
  ])
  t.end()
})

t.test('a malformed pattern is refused with its text, place, position and problem', (t) => {
  const refusals: [pattern: string, position: number, problem: string][] = [
    ['', 1, 'a pattern starts with "/"'],
    ['posts/', 1, 'a pattern starts with "/"'],
    ['/posts/<int:id', 8, 'this "<" is not closed'],
    ['/posts/int:id>', 14, 'a ">" without its "<"'],
    ['/a//b', 4, 'an empty segment'],
    ['//', 2, 'an empty segment'],
    ['/a/../b', 4, 'no request path holds the segment ".."'],
    ['/a/.', 4, 'no request path holds the segment "."'],
    ['/a?b=1', 3, 'a query or fragment is no part of a pattern; read it from req.query'],
    ['/a\\b', 3, 'no request path holds a "\\"'],
    ['/a\nb', 3, 'no request path holds a control character'],
    ['/\ud800', 2, 'half a surrogate pair'],
    [
      '/%EA%B8%80',
      2,
      'percent-encoding is decoded before patterns are matched; write the character itself',
    ],
    [
      '/<path:p>/edit',
      2,
      '<path:…> takes the rest of the path: it has to be the last, whole segment',
    ],
    ['/x<path:p>', 2, '<path:…> takes the rest of the path: it has to be the last, whole segment'],
    [
      '/<int:a><int:b>',
      2,
      'it is not clear where <a> ends in its segment: the next parameter follows at once',
    ],
    [
      '/<str:a>.<str:b>',
      2,
      'it is not clear where <a> ends in its segment: "." could belong to it',
    ],
    ['/<slug:a>-<b>', 2, 'it is not clear where <a> ends in its segment: "-" could belong to it'],
  ]
  for (const [pattern, position, problem] of refusals) {
    t.throws(() => parse(pattern), {
      code: 'UWAS_ERR_ROUTE_PATTERN',
      message: `URL pattern "${pattern}" (urls.ts:3), character ${position}: ${problem}`,
    })
  }
  t.end()
})

t.test('a parameter needs a name of letters, digits and underscores', (t) => {
  for (const [pattern, position, name] of [
    ['/<>', 3 - 1 + 1, ''],
    ['/<int:>', 7, ''],
    ['/<int:1st>', 7, '1st'],
    ['/<int:a b>', 7, 'a b'],
    ['/<a:b:c>', 5, 'b:c'],
    ['/<__proto__>', 3, '__proto__'],
    ['/<int:a/<b>', 7, 'a/<b'],
  ] as const) {
    t.throws(() => parse(pattern), {
      code: 'UWAS_ERR_ROUTE_PATTERN',
      message: `URL pattern "${pattern}" (urls.ts:3), character ${position}: "${name}" cannot name a parameter; write <name> or <converter:name>, the name of letters, digits and "_"`,
    })
  }
  t.end()
})

t.test('an unknown converter is refused with the nearest known one', (t) => {
  t.throws(() => parse('/posts/<itn:id>'), {
    code: 'UWAS_ERR_ROUTE_CONVERTER_UNKNOWN',
    message:
      'URL pattern "/posts/<itn:id>" (urls.ts:3), character 9: unknown converter "itn"; did you mean "int"?',
  })
  t.throws(() => parse('/<toString:id>'), {
    message:
      'URL pattern "/<toString:id>" (urls.ts:3), character 3: unknown converter "toString"; known are: int, path, slug, str, uuid',
  })
  t.end()
})

t.test('two parameters of one name are refused', (t) => {
  t.throws(() => parse('/<int:id>/<id>'), {
    code: 'UWAS_ERR_ROUTE_PARAMETER_DUPLICATE',
    message: 'URL pattern "/<int:id>/<id>" (urls.ts:3) has two parameters named "id"',
  })
  t.end()
})

t.test('segments are the same when they match the same texts', (t) => {
  const only = (pattern: string) => parse(pattern).at(-1) as ReturnType<typeof parse>[number]
  const same = (a: string, b: string) => sameSegment(only(a), only(b))
  t.ok(same('/<int:a>', '/<int:b>'))
  t.ok(same('/<path:a>', '/<path:b>'))
  t.ok(same('/a', '/a'))
  t.notOk(same('/<int:a>', '/<str:a>'))
  t.notOk(same('/<a>', '/<path:a>'))
  t.notOk(same('/<path:a>', '/<a>'))
  t.notOk(same('/x<a>', '/<a>'))
  t.notOk(same('/<int:a>', '/<int:a>-<int:b>'))
  t.notOk(same('/a', '/<a>'))
  t.end()
})
