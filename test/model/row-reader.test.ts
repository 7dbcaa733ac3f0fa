import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { readInt } from '../../src/model/cells.ts'
import { createReader } from '../../src/model/row-reader.ts'
import * as types from '../../src/model/types.ts'

type Cells = readonly (string | null)[]

function dataRow(cells: Cells): Buffer {
  const parts = [Buffer.from([cells.length >> 8, cells.length & 0xff])]
  for (const cell of cells) {
    const bytes = Buffer.from(cell ?? '')
    const length = Buffer.alloc(4)
    length.writeInt32BE(cell === null ? -1 : bytes.byteLength)
    parts.push(length, bytes)
  }
  return Buffer.concat(parts)
}

t.test('whole numbers are read from their digits, and what is none is left to the type', (t) => {
  const read = (text: string) => readInt(Buffer.from(text), 0, text.length)
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const got = read(String(value))
      return String(value).replace('-', '').length > 15 ? Number.isNaN(got) : got === value
    }),
  )
  for (const text of ['', '-', '1.5', '1e3', 'NaN', ' 1', '1234567890123456']) {
    t.ok(Number.isNaN(read(text)), text)
  }
  t.end()
})

t.test('a row has its declared names in their order, whatever the columns are', (t) => {
  const shape = { b: types.text, a: types.nullable(types.int), ['__proto__']: types.bool }
  const columns = [
    { name: 'a', type: 23 },
    { name: '__proto__', type: 16 },
    { name: 'b', type: 25 },
  ]
  const read = createReader('s', shape, columns)
  const row = read(dataRow(['-12', 't', '한 "x"']), 0)
  t.strictSame(Object.keys(row), ['b', 'a', '__proto__'])
  t.strictSame(Object.values(row), ['한 "x"', -12, true])
  t.equal(Object.getPrototypeOf(row), Object.prototype)
  t.strictSame(Object.values(read(dataRow([null, 'f', '']), 0)), ['', null, false])
  t.end()
})

t.test('an unwanted NULL or value names its column', (t) => {
  const shape = { id: types.int, day: types.timestamptz }
  const read = createReader('find', shape, [
    { name: 'id', type: 20 },
    { name: 'day', type: 1184 },
  ])
  const code = 'UWAS_ERR_MODEL_VALUE'
  t.throws(() => read(dataRow([null, '2026-01-01 00:00:00+00']), 0), {
    code,
    message: /statement "find".*column id.*it is NULL; declare it nullable\(int\)/,
  })
  t.throws(() => read(dataRow(['9223372036854775807', '2026-01-01 00:00:00+00']), 0), {
    code,
    message: /column id.*9223372036854775807 does not fit int; use bigint/,
  })
  t.throws(() => read(dataRow(['1', 'infinity']), 0), { code, message: /column day/ })
  t.end()
})

t.test('where code may not be made from strings, rows are read the same', (t) => {
  const url = (path: string) => JSON.stringify(pathToFileURL(join('dist/model', path)).href)
  const script = `
    const { createReader } = await import(${url('row-reader.js')})
    const types = await import(${url('types.js')})
    const read = createReader('s', { n: types.int, t: types.nullable(types.text) },
      [{ name: 't', type: 25 }, { name: 'n', type: 23 }])
    const cell = (text) => [0, 0, 0, text.length, ...Buffer.from(text)]
    const row = Buffer.from([0, 2, 255, 255, 255, 255, ...cell('42')])
    console.log(JSON.stringify(read(row, 0)))`
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '-e', script]
  t.equal(execFileSync(process.execPath, flags, { encoding: 'utf8' }), '{"n":42,"t":null}\n')
  t.end()
})
