import fc from 'fast-check'
import t from 'tap'
import { expectType, parseForm, parseJson } from '../../src/http/body-parse.ts'

t.test('what JSON.stringify writes comes back, unless a key names a prototype', (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 20 }), (value) => {
      const source = JSON.stringify(value)
      if (source.includes('__proto__') || source.includes('constructor')) return
      t.strictSame(parseJson(source), JSON.parse(source))
    }),
  )
  t.end()
})

t.test('keys that end in prototypes are refused, however they are written', (t) => {
  const bad = { code: 'UWAS_ERR_HTTP_BODY_MALFORMED', status: 400 }
  for (const source of [
    '{"__proto__":{"admin":true}}',
    '{"a":[{"\\u005f_proto__":1}]}',
    '{"constructor":{"prototype":{"x":1}}}',
    '[[{"con\\u0073tructor":{"prototype":null}}]]',
  ]) {
    t.throws(() => parseJson(source), { ...bad, message: /a key names a prototype/ }, source)
  }
  t.strictSame(parseJson('{"constructor":"a word","text":"__proto__"}'), {
    constructor: 'a word',
    text: '__proto__',
  })
  t.equal(({} as { admin?: boolean }).admin, undefined)
  t.throws(() => parseJson('{"a":'), { ...bad, message: /cannot be read as JSON/ })
  t.strictSame(parseJson('{"a":1,"a":2}'), { a: 2 }, 'the last one counts')
  t.end()
})

t.test('depth and number of values are bounded', (t) => {
  const beyond = { code: 'UWAS_ERR_HTTP_BODY_BOUND', status: 413 }
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  t.ok(parseJson(nested(100)))
  t.throws(() => parseJson(nested(102)), { ...beyond, message: /more than 100 levels/ })
  t.throws(() => parseJson(nested(400_000)), beyond)
  t.throws(() => parseJson(`[${'1,'.repeat(100_001)}1]`), { message: /more than 100000 values/ })
  t.throws(() => parseForm('a&'.repeat(1001)), { ...beyond, message: /more than 1000 fields/ })
  t.equal(parseForm('a=1&a=2&b=%ED%95%9C').getAll('a').length, 2)
  t.end()
})

t.test('another type or charset is 415', (t) => {
  const json = /^application\/json$/
  const wrong = { code: 'UWAS_ERR_HTTP_BODY_TYPE', status: 415 }
  const check = (value?: string) => () => expectType(value, 'application/json', json)
  for (const value of [
    'application/json',
    'Application/JSON ; charset=UTF-8',
    'application/json;a=b',
  ])
    t.doesNotThrow(check(value))
  t.throws(check(), {
    ...wrong,
    message: 'the request body is of no type; expected application/json',
  })
  t.throws(check('text/plain'), wrong)
  t.throws(check('application/json; charset="euc-kr"'), {
    ...wrong,
    message: 'the request body is in euc-kr; expected UTF-8',
  })
  t.end()
})
