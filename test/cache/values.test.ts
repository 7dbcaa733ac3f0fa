import t from 'tap'
import { keep } from '../../src/cache/values.ts'

t.test('plain data come back equal and frozen, and not the object that was given', (t) => {
  const given = { a: [1, { b: 'x' }], n: null, big: 2n ** 70n, nan: Number.NaN, u: undefined }
  const kept = keep(given, 'k')
  given.a.push(2)
  const read = kept.read() as typeof given
  t.strictSame(read, { a: [1, { b: 'x' }], n: null, big: 2n ** 70n, nan: Number.NaN, u: undefined })
  t.equal(kept.read(), read, 'one for all readers')
  t.throws(() => read.a.push(3), TypeError)
  t.throws(() => {
    ;(read.a[1] as { b: string }).b = 'y'
  }, TypeError)
  t.end()
})

t.test('what cannot be frozen is a copy for each reader', (t) => {
  const given = { at: new Date(5), bytes: Buffer.from('abc'), map: new Map([['a', new Set([1])]]) }
  const kept = keep(given, 'k')
  given.at.setTime(0)
  const one = kept.read() as typeof given
  one.bytes[0] = 0
  one.map.clear()
  const other = kept.read() as typeof given
  t.equal(other.at.getTime(), 5)
  t.equal(other.bytes.toString(), 'abc')
  t.strictSame(other.map, new Map([['a', new Set([1])]]))
  t.end()
})

t.test('text, numbers and the like are kept as they are', (t) => {
  for (const value of ['', 'a', 0, -0, 1.5, true, null, 10n])
    t.equal(keep(value, 'k').read(), value)
  t.end()
})

t.test('what would lose something is refused with its place', (t) => {
  class Money {}
  const refused: [unknown, string][] = [
    [undefined, 'the value is undefined, which reads like nothing; return null instead'],
    [() => 1, 'the value is a function'],
    [{ rows: [{ price: new Money() }] }, 'value.rows.0.price is an instance of Money'],
    [{ f() {} }, 'value.f is a function'],
    [[Symbol('s')], 'value.0 is a symbol'],
    [new Map([['a', new Money()]]), 'value.0.1 is an instance of Money'],
    [Promise.resolve(), 'the value is an instance of Promise'],
    [new Error('x'), 'the value is an instance of Error'],
  ]
  for (const [value, told] of refused) {
    t.throws(() => keep(value, 'k"'), {
      code: 'UWAS_ERR_CACHE_VALUE',
      message: `cannot cache "k\\"": ${told}; keep plain data (objects, lists, text, numbers, dates, maps, bytes)`,
    })
  }
  t.end()
})

t.test('circles are data, and no depth ends the process', (t) => {
  const circle: { self?: object; list: unknown[] } = { list: [] }
  circle.self = circle
  circle.list.push(circle)
  const read = keep(circle, 'k').read() as typeof circle
  t.equal(read.self, read)
  t.equal(read.list[0], read)
  let deep: object = {}
  for (let i = 0; i < 100_000; i++) deep = { deep }
  t.throws(() => keep(deep, 'k'), { code: 'UWAS_ERR_CACHE_VALUE', message: /nested too deeply/ })
  t.end()
})

t.test('hostile names are names', (t) => {
  const given = JSON.parse('{"__proto__":{"polluted":true},"constructor":1}') as object
  const read = keep(given, 'k').read() as Record<string, unknown>
  t.ok(Object.hasOwn(read, '__proto__'))
  t.equal(({} as Record<string, unknown>)['polluted'], undefined)
  t.end()
})
