import t from 'tap'
import { atomic } from '../../src/model/atomic.ts'
import { statement } from '../../src/model/statement.ts'
import * as types from '../../src/model/types.ts'
import { checkStatements } from '../../src/model/warm.ts'
import { runSql, testDatabase } from '../support/postgres.ts'

const everything = {
  small: types.int,
  big: types.bigint,
  exact: types.numeric,
  real: types.float,
  words: types.text,
  yes: types.bool,
  at: types.timestamptz,
  day: types.date,
  id: types.uuid,
  bytes: types.bytea,
  document: types.json<{ a: number[]; b: string | null }>(),
  none: types.nullable(types.text),
  numbers: types.array(types.bigint),
  texts: types.array(types.nullable(types.text)),
  days: types.array(types.timestamptz),
}

const echo = statement('types.echo', {
  params: everything,
  row: everything,
  sql: `select $1::int as small, $2::bigint as big, $3::numeric as exact, $4::float8 as real,
    $5::text as words, $6::bool as yes, $7::timestamptz as at, $8::date as day, $9::uuid as id,
    $10::bytea as bytes, $11::jsonb as document, $12::text as none, $13::bigint[] as numbers,
    $14::text[] as texts, $15::timestamptz[] as days`,
})

const values = {
  small: -2147483648,
  big: 9223372036854775807n,
  exact: '12345678901234567890.123456789012345678900',
  real: 0.1 + 0.2,
  words: `한국어 😀 'quoted' "names" \\ \n{NULL}`,
  yes: true,
  at: new Date('2026-01-31T23:59:59.987Z'),
  day: '0044-03-15',
  id: '4f5a0c1e-2d3b-4c5d-8e9f-0a1b2c3d4e5f',
  bytes: new Uint8Array([0, 1, 254, 255]),
  document: { a: [1, 2.5], b: '한' },
  none: null,
  numbers: [1n, -9223372036854775808n],
  texts: ['', 'NULL', null, 'a,b', '{x}', 'say "hi" \\', '가'],
  days: [new Date(0), new Date('1999-12-31T23:59:59.001Z')],
}

t.test('every type comes back from PostgreSQL as it was sent', async (t) => {
  const db = await testDatabase(t)
  t.same(await echo.one(db, values), values)
  const other = {
    ...values,
    yes: false,
    none: 'text',
    numbers: [],
    texts: [],
    days: [],
    real: -1e300,
    document: { a: [], b: null },
    bytes: new Uint8Array(0),
  }
  t.same(await echo.one(db, other), other)
  t.same(await atomic(db, (tx) => echo.one(tx, values)), values, 'in a transaction too')
})

t.test('timestamps are read in whatever zone the session shows them', async (t) => {
  const db = await testDatabase(t)
  const inZone = (zone: string, value: string) => {
    const sql = `select set_config('TimeZone', '${zone}', true) as zone, '${value}'::timestamptz as at`
    const row = { zone: types.text, at: types.timestamptz }
    return statement(`types.zone.${zone}.${value}`, { row, sql })
  }
  const cases: [string, string, string][] = [
    ['Asia/Seoul', '2026-01-31 09:00:00.123456+09', '2026-01-31T00:00:00.123Z'],
    ['America/St_Johns', '2026-07-01 12:00:00Z', '2026-07-01T12:00:00.000Z'],
    ['Asia/Seoul', '1900-01-01 00:00:00Z', '1900-01-01T00:00:00.000Z'],
    ['UTC', '0050-06-01 00:00:00Z', '0050-06-01T00:00:00.000Z'],
    ['UTC', '12026-06-01 00:00:00Z', '+012026-06-01T00:00:00.000Z'],
  ]
  for (const [zone, value, expected] of cases) {
    const { at } = await atomic(db, (tx) => inZone(zone, value).one(tx))
    t.equal(at.toISOString(), expected, `${value} in ${zone}`)
  }
})

t.test('a value that a type cannot hold is an error that names the column', async (t) => {
  const db = await testDatabase(t)
  const wrong = (type: types.Type<unknown>, expression: string) =>
    statement(`types.wrong.${expression}`, {
      row: { x: type },
      sql: `select ${expression} as x`,
    })
  const cases: [types.Type<unknown>, string, RegExp][] = [
    [types.int, '9007199254740993::bigint', /column x: 9007199254740993 does not fit int; use/],
    [types.timestamptz, "'infinity'::timestamptz", /column x: infinity has no place in a Date/],
    [types.text, 'null::text', /column x: it is NULL; declare it nullable\(text\)/],
    [types.array(types.text), "'{a,NULL}'::text[]", /column x: an element is NULL; use array\(nul/],
    [
      types.array(types.int),
      "'{{1,2},{3,4}}'::int[]",
      /column x: the array has more dimensions; use/,
    ],
    [
      types.array(types.array(types.int)),
      "'{1}'::int[]",
      /column x: the array has fewer dimensions/,
    ],
    [types.range(types.int), "'[9007199254740993,)'::int8range", /column x: 9007199254740993 does/],
  ]
  for (const [type, expression, message] of cases) {
    const declared = wrong(type, expression)
    await t.rejects(declared.one(db), { code: 'UWAS_ERR_MODEL_VALUE', message }, expression)
  }
  const based = wrong(types.array(types.int), "'[0:1]={7,8}'::int[]")
  t.same(await based.one(db), { x: [7, 8] }, 'a lower bound is no part of the values')
})

t.test('a parameter of the wrong kind is a TypeError that names statement and key', async (t) => {
  const db = await testDatabase(t)
  const cases: [Partial<Record<keyof typeof values, unknown>>, string][] = [
    [{ small: '1' }, 'parameter small: expected is a whole number, not a string'],
    [{ small: 1.5 }, 'parameter small: expected is a whole number, not the number 1.5'],
    [{ small: null }, 'parameter small: expected is a whole number, not null'],
    [{ small: undefined }, 'parameter small: is missing; its type is int'],
    [{ big: 1 }, 'parameter big: expected is a bigint, not a number'],
    [{ exact: '1,5' }, 'parameter exact: expected is digits as text, not a string'],
    [{ real: '1' }, 'parameter real: expected is a number, not a string'],
    [{ yes: 'true' }, 'parameter yes: expected is true or false, not a string'],
    [{ at: '2026-01-01' }, 'parameter at: expected is a Date, not a string'],
    [{ at: new Date(Number.NaN) }, 'parameter at: expected is a Date, not Date'],
    [{ day: '2026-02-30' }, 'parameter day: expected is a day that exists, like 2026-01-31'],
    [{ id: 'x' }, 'parameter id: expected is a UUID, not a string'],
    [{ bytes: 'x' }, 'parameter bytes: expected is a Uint8Array, not a string'],
    [{ document: () => 1 }, 'parameter document: expected is a value that JSON can hold, not a f'],
    [{ numbers: 1n }, 'parameter numbers: expected is an array, not a bigint'],
    [{ numbers: [null] }, 'parameter numbers: expected is elements of type bigint, not null'],
  ]
  for (const [change, message] of cases) {
    const error = (await echo
      .one(db, { ...values, ...change } as typeof values)
      .catch((reason: unknown) => reason)) as Error
    t.match(error, { code: 'UWAS_ERR_MODEL_PARAMETER', name: 'TypeError' })
    t.ok(error.message.startsWith(`statement "types.echo", ${message}`), error.message)
  }
  const extra = { ...values, colour: 'red' }
  await t.rejects(echo.one(db, extra), {
    code: 'UWAS_ERR_MODEL_PARAMETER',
    message: /statement "types\.echo", parameter colour: is not declared; declared are: small, big/,
  })
})

t.test('a value that a client may have chosen and no column can hold is 400', async (t) => {
  const db = await testDatabase(t)
  const inner = statement('types.unfit.inner', {
    params: { x: types.int },
    row: { x: types.int },
    sql: 'select (2147483647 + $1::int)::int as x',
  })
  const address = statement('types.unfit.address', {
    params: { x: types.text },
    row: { x: types.text },
    sql: 'select host($1::inet) as x',
  })
  const unfit = (message: string | RegExp) => ({
    code: 'UWAS_ERR_MODEL_UNFIT',
    status: 400,
    name: 'RangeError',
    message,
  })
  const nul = 'PostgreSQL text cannot hold the character U+0000'
  const given = 'statement "types.echo" was given a value that cannot be:'
  await t.rejects(
    echo.one(db, { ...values, words: 'a\0b' }),
    unfit(`${given} parameter words: ${nul}`),
  )
  await t.rejects(
    echo.one(db, { ...values, texts: ['a', '\0'] }),
    unfit(`${given} parameter texts: ${nul}`),
  )
  await t.rejects(
    echo.one(db, { ...values, small: 2147483648 }),
    unfit(`${given} value "2147483648" is out of range for type integer`),
  )
  const document = { a: [], b: '\0' }
  await t.rejects(
    echo.one(db, { ...values, document }),
    unfit(`${given} unsupported Unicode escape sequence`),
  )
  await t.rejects(
    address.one(db, { x: 'nowhere' }),
    unfit(/invalid input syntax for type inet: "nowhere"/),
  )
  await t.rejects(
    inner.one(db, { x: 1 }),
    { code: 'UWAS_ERR_MODEL_QUERY', message: /integer out of range/ },
    'what the SQL itself does is a mistake of the site',
  )
})

t.test('ranges and multiranges come back with their bounds', async (t) => {
  const db = await testDatabase(t)
  const shape = {
    ints: types.range(types.int),
    bigs: types.array(types.range(types.bigint)),
    exact: types.range(types.numeric),
    walls: types.range(types.timestamp),
    moments: types.multirange(types.timestamptz),
    texts: types.nullable(types.range(types.text)),
  }
  const echo = statement('types.ranges', {
    params: shape,
    row: shape,
    sql: `select $1::int4range as ints, $2::int8range[] as bigs, $3::numrange as exact,
      $4::tsrange as walls, $5::tstzmultirange as moments, $6::textrange as texts`,
  })
  await runSql(db, 'create type textrange as range (subtype = text)')
  const odd = 'a "b", [c) \\ 한'
  const value = {
    ints: { lower: 1, upper: 3, bounds: '[]' as const },
    bigs: ['empty' as const, { lower: -9223372036854775808n, upper: null }],
    exact: { lower: '0.1000', upper: '1e3', bounds: '(]' as const },
    walls: { lower: null, upper: '2026-01-31T09:30', bounds: '()' as const },
    moments: [{ lower: new Date(0), upper: new Date(1) }],
    texts: { lower: '', upper: odd, bounds: '[]' as const },
  }
  t.strictSame(await echo.one(db, value), {
    ints: { lower: 1, upper: 4, bounds: '[)' },
    bigs: ['empty', { lower: -9223372036854775808n, upper: null, bounds: '[)' }],
    exact: { lower: '0.1000', upper: '1000', bounds: '(]' },
    walls: { lower: null, upper: '2026-01-31 09:30:00', bounds: '()' },
    moments: [{ lower: new Date(0), upper: new Date(1), bounds: '[)' }],
    texts: value.texts,
  })
  t.strictSame((await echo.one(db, { ...value, moments: [], texts: null })).moments, [])
  const wrong: [object, RegExp][] = [
    [
      { ints: { lower: 1 } },
      /ints: expected is a range \{ lower, upper \}; null is a bound without/,
    ],
    [{ ints: 7 }, /ints: expected is a range/],
    [{ ints: { lower: '1', upper: null } }, /ints: expected is a whole number, not a string/],
    [{ ints: { lower: 1, upper: 2, bounds: '][' } }, /ints: expected bounds are one of/],
    [{ moments: { lower: null, upper: null } }, /moments: expected is an array of ranges/],
    [{ walls: { lower: '2026-01-31 09:30Z', upper: null } }, /walls: expected is a day and a time/],
    [{ walls: { lower: '2026-02-30 09:30', upper: null } }, /walls: expected is a day that exists/],
  ]
  for (const [change, message] of wrong) {
    const echoed = echo.one(db, { ...value, ...change })
    await t.rejects(echoed, { code: 'UWAS_ERR_MODEL_PARAMETER', message })
  }
  t.throws(() => types.range(types.nullable(types.int)), /the type of bounds is not nullable/)
  const types5 = statement('types.ranges.wrong', {
    row: { x: types.range(types.int) },
    sql: "select 'empty'::daterange as x",
  })
  const [finding] = await checkStatements(db, [types5 as never])
  t.match(finding?.message, /column x is declared range\(int\), but PostgreSQL gives/)
})

t.test('arrays of arrays are of one shape', async (t) => {
  const db = await testDatabase(t)
  const cube = types.array(types.array(types.array(types.nullable(types.text))))
  const echo = statement('types.cube', {
    params: { x: cube },
    row: { x: cube },
    sql: 'select $1::text[] as x',
  })
  const x = [[['a', null, '{"\\']], [['', 'NULL', '한']]]
  t.strictSame(await echo.one(db, { x }), { x })
  t.strictSame(await echo.one(db, { x: [] }), { x: [] })
  for (const wrong of [[[['a']], [['a', 'b']]], [[]], [[['a']], null], [['a']]]) {
    await t.rejects(echo.one(db, { x: wrong as never }), {
      code: 'UWAS_ERR_MODEL_PARAMETER',
      message: /parameter x: expected/,
    })
  }
  t.throws(() => types.array(types.nullable(types.array(types.int))), /inner arrays that are NULL/)
})
