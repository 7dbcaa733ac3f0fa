import fc from 'fast-check'
import t, { type Test } from 'tap'
import * as z from 'zod'
import { json } from '../../src/http/reply.ts'

const written = (value: unknown, schema: z.ZodType): string =>
  String(json(value as never, { schema }).body)

const refuser = (t: Test) => (value: unknown, schema: z.ZodType, problem: string) =>
  t.throws(
    () => written(value, schema),
    { code: 'UWAS_ERR_HTTP_JSON', message: `json(): ${problem}` },
    problem,
  )

t.test('what the schema declares is sent, in its order, and nothing else', async (t) => {
  const refused = refuser(t)
  const user = z.object({ id: z.int(), name: z.string(), mail: z.string().optional() })
  const row = { password: 'secret', name: 'ann', id: 7, __proto__: null, toJSON: 1 }
  const reply = json(row, { schema: user, status: 201, headers: { 'X-A': 'b' } })
  t.match(reply, {
    status: 201,
    type: 'application/json',
    headers: [['X-A', 'b']],
    body: '{"id":7,"name":"ann"}',
  })
  t.equal(
    written({ id: 1, name: 'a', mail: undefined }, user),
    '{"id":1,"name":"a"}',
    'as JSON.stringify leaves it out',
  )
  t.equal(written({ a: 1, b: [2] }, z.looseObject({ a: z.int() })), '{"a":1,"b":[2]}')
  refused(
    { a: 1, b: 2 },
    z.strictObject({ a: z.int() }),
    'value.b is a number, and its schema says nothing',
  )
})

t.test('bigints, dates and odd texts are exact', async (t) => {
  t.equal(written(2n ** 70n, z.bigint()), '1180591620717411303424')
  t.equal(written(new Date(1e12), z.date()), '"2001-09-09T01:46:40.000Z"')
  const odd = '"\\\u0000\u2028\ud800😀</script>'
  t.equal(JSON.parse(written(odd, z.string())), odd)
  t.equal(written({ 'a"b': 1 }, z.object({ 'a"b': z.int() })), '{"a\\"b":1}')
  t.equal(written([1n, 'x'], z.array(z.literal(['x', 1n]))), '[1,"x"]')
})

t.test('each kind of schema is written as its output type', async (t) => {
  const cases: [schema: z.ZodType, value: unknown, json: string][] = [
    [z.nullable(z.string()), null, 'null'],
    [z.enum({ A: 'a', B: 2 }), 2, '2'],
    [z.tuple([z.string(), z.int()]), ['a', 1], '["a",1]'],
    [z.tuple([z.string()], z.int()), ['a', 1, 2], '["a",1,2]'],
    [z.record(z.string(), z.bigint()), { 'a b': 1n }, '{"a b":1}'],
    [z.int().default(3), 4, '4'],
    [z.string().readonly(), 'a', '"a"'],
    [z.string().catch('x'), 'a', '"a"'],
    [z.iso.datetime(), '2001-09-09T01:46:40Z', '"2001-09-09T01:46:40Z"'],
    [z.string().transform((each) => each.length), 5, '5'],
    [z.stringbool(), true, 'true'],
    [z.preprocess((each) => each, z.date()), new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [z.lazy(() => z.string()), 'a', '"a"'],
    [z.unknown(), { a: [1] }, '{"a":[1]}'],
    [z.templateLiteral(['a', z.int()]), 'a1', '"a1"'],
    [z.union([z.string(), z.bigint(), z.null()]), 5n, '5'],
    [z.union([z.array(z.string()), z.array(z.int())]), [1], '[1]'],
  ]
  for (const [schema, value, json] of cases) t.equal(written(value, schema), json, json)
  const shape = z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('a'), a: z.int() }),
    z.object({ kind: z.literal('b'), b: z.string() }),
  ])
  t.equal(written({ kind: 'b', a: 1, b: 'x' }, shape), '{"kind":"b","b":"x"}')
  const tree = z.object({
    name: z.string(),
    get children() {
      return z.array(tree)
    },
  })
  const twig = { name: 'twig', children: [], secret: 1 }
  t.equal(
    written({ name: 'root', children: [twig] }, tree),
    '{"name":"root","children":[{"name":"twig","children":[]}]}',
  )
})

t.test('what is not of its type is an error with its place, and not another value', async (t) => {
  const refused = refuser(t)
  const list = z.object({ items: z.array(z.object({ 'the price': z.number() })) })
  refused(
    { items: [{ 'the price': 1 }, { 'the price': null }] },
    list,
    'value.items[1]["the price"] is null, and its schema says a finite number',
  )
  refused({}, list, 'value.items is undefined, and its schema says a list')
  refused([], list, 'value is a list of 0, and its schema says an object')
  refused(Number.NaN, z.number(), 'value is NaN, and its schema says a finite number')
  refused('7', z.int(), 'value is a string, and its schema says a finite number')
  refused(7, z.string(), 'value is a number, and its schema says a string')
  refused(7, z.bigint(), 'value is a number, and its schema says a bigint')
  refused(1, z.boolean(), 'value is a number, and its schema says a boolean')
  refused(new Date(Number.NaN), z.date(), 'value is an invalid date, and its schema says a date')
  refused('2001', z.date(), 'value is a string, and its schema says a date')
  refused('c', z.enum(['a', 'b']), 'value is a string, and its schema says one of "a", "b"')
  refused(
    ['a'],
    z.tuple([z.string(), z.int()]),
    'value is a list of 1, and its schema says a list of 2',
  )
  refused(
    ['a', 'b'],
    z.tuple([z.string(), z.int()]),
    'value[1] is a string, and its schema says a finite number',
  )
  refused(
    { a: 1 },
    z.record(z.string(), z.string()),
    'value.a is a number, and its schema says a string',
  )
  refused(
    true,
    z.union([z.string(), z.int()]),
    'value is a boolean, and its schema says something else',
  )
  refused(undefined, z.string(), 'value is undefined, and its schema says a string')
  refused(
    [undefined],
    z.array(z.string().optional()),
    'value[0] is undefined, and its schema says a string',
  )
  refused(
    undefined,
    z.unknown(),
    'value is undefined, and its schema says something with a JSON form',
  )
  refused(
    new Map(),
    z.map(z.string(), z.string()),
    'a schema of type "map" has no JSON form; say what is sent in its place',
  )
})

t.test('of plain data it is what JSON.stringify makes', async (t) => {
  const schema: z.ZodType = z.object({
    text: z.string(),
    list: z.array(z.nullable(z.number())),
    record: z.record(z.string(), z.boolean()),
    any: z.unknown(),
  })
  const value = fc.record({
    text: fc.string({ unit: 'binary' }),
    list: fc.array(fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }))),
    record: fc.dictionary(fc.string(), fc.boolean()),
    any: fc.jsonValue(),
  })
  fc.assert(fc.property(value, (each) => written(each, schema) === JSON.stringify(each)))
  t.pass('for all')
})
