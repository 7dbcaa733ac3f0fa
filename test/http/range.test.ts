import fc from 'fast-check'
import t from 'tap'
import {
  type ByteRange,
  contentRange,
  MAX_RANGES,
  parseRange,
  unsatisfiedRange,
} from '../../src/http/range.ts'

/** `0-1` for the first two bytes, as people and fields write it. */
function written(ranges: readonly ByteRange[] | null): string | null {
  return ranges?.map(({ start, end }) => `${start}-${end - 1}`).join(' ') ?? null
}

t.test('first-last, open and suffix ranges of a content of ten bytes', async (t) => {
  const table: [field: string, ranges: string | null, why: string][] = [
    ['bytes=0-4', '0-4', 'first and last'],
    ['bytes=9-9', '9-9', 'the last byte'],
    ['bytes=5-', '5-9', 'open'],
    ['bytes=0-', '0-9', 'all of it is a range too'],
    ['bytes=-3', '7-9', 'the last three'],
    ['bytes=-10', '0-9', 'all of it'],
    ['bytes=-99', '0-9', 'more than all of it'],
    ['bytes=5-99', '5-9', 'the last byte is where the content ends'],
    ['bytes=00000000005-007', '5-7', 'zeros in front'],
    ['BYTES=1-2', '1-2', 'units have no case'],
    ['bytes=10-', '', 'behind the end'],
    ['bytes=10-12', '', 'behind the end'],
    ['bytes=-0', '', 'no bytes at all'],
    [`bytes=${'9'.repeat(400)}-`, '', 'more digits than a number holds'],
    [`bytes=0-${'9'.repeat(400)}`, '0-9', 'and at the other end'],
    [`bytes=-${'9'.repeat(400)}`, '0-9', 'and as a suffix'],
    ['bytes=5-4', null, 'the last before the first is malformed'],
    ['bytes=', null, 'an empty set'],
    ['bytes', null, 'no set'],
    ['bytes=-', null, 'no number'],
    ['bytes=a-b', null, 'no digits'],
    ['bytes=0x1-2', null, 'no digits'],
    ['bytes=+1-2', null, 'no sign'],
    ['bytes=1-2-3', null, 'too many'],
    ['bytes=1 -2', null, 'a blank inside'],
    ['bytes=1.5-2', null, 'no fractions'],
    ['bytes=٠-٤', null, 'ASCII digits only'],
    ['bytes =0-4', null, 'a blank before the sign'],
    ['bytes: 0-4', null, 'another sign'],
    ['seconds=0-4', null, 'another unit'],
    ['xbytes=0-4', null, 'another unit'],
    ['', null, 'nothing'],
  ]
  for (const [field, ranges, why] of table) {
    t.equal(written(parseRange(field, 10)), ranges, `${field.slice(0, 40)}: ${why}`)
  }
})

t.test('no range of an empty content can be satisfied', async (t) => {
  for (const field of ['bytes=0-', 'bytes=0-0', 'bytes=-1', 'bytes=-0', 'bytes=5-6,-2']) {
    t.strictSame(parseRange(field, 0), [], field)
  }
  t.equal(parseRange('bytes=x', 0), null)
})

t.test('several ranges stay in the order in which they were asked for', async (t) => {
  const table: [field: string, ranges: string | null, why: string][] = [
    ['bytes=0-1,5-6', '0-1 5-6', 'two'],
    ['bytes=5-6,0-1', '5-6 0-1', 'backwards'],
    ['bytes=0-1, 5-6 ,\t8-', '0-1 5-6 8-9', 'blanks around commas'],
    ['bytes=,0-1,,5-6,', '0-1 5-6', 'empty members'],
    ['bytes=,', null, 'nothing but those'],
    ['bytes=0-1,20-30', '0-1', 'what cannot be satisfied is left out'],
    ['bytes=20-30,-0', '', 'unless that is all'],
    ['bytes=0-1,x', null, 'one malformed range spoils the set'],
    ['bytes=0-1;5-6', null, 'another separator'],
  ]
  for (const [field, ranges, why] of table) {
    t.equal(written(parseRange(field, 10)), ranges, `${field}: ${why}`)
  }
})

t.test('ranges that overlap or touch become one, in the place of the first', async (t) => {
  const table: [field: string, ranges: string][] = [
    ['bytes=0-4,2-6', '0-6'],
    ['bytes=2-6,0-4', '0-6'],
    ['bytes=0-4,5-9', '0-9'],
    ['bytes=0-9,2-3', '0-9'],
    ['bytes=2-3,0-9', '0-9'],
    ['bytes=0-0,2-2,1-1', '0-2'],
    ['bytes=8-8,0-1,4-5,1-4', '8-8 0-5'],
    ['bytes=-1,-2,-3', '7-9'],
    ['bytes=0-,0-,0-', '0-9'],
    ['bytes=0-1,3-4', '0-1 3-4'],
  ]
  for (const [field, ranges] of table) t.equal(written(parseRange(field, 10)), ranges, field)
})

t.test('a field with too many ranges is ignored', async (t) => {
  const ask = (count: number) =>
    `bytes=${Array.from({ length: count }, (_, i) => `${i * 10}-${i * 10}`).join()}`
  t.equal(parseRange(ask(MAX_RANGES), 100_000)?.length, MAX_RANGES)
  t.equal(parseRange(ask(MAX_RANGES + 1), 100_000), null)
})

const spec = fc.oneof(
  fc.tuple(fc.nat(40), fc.nat(40)).map(([first, more]) => `${first}-${first + more}`),
  fc.nat(40).map((first) => `${first}-`),
  fc.nat(40).map((length) => `-${length}`),
)

t.test('exactly the bytes that were asked for come back, each once', async () => {
  fc.assert(
    fc.property(fc.array(spec, { minLength: 1, maxLength: 12 }), fc.nat(30), (specs, length) => {
      const wanted = new Set<number>()
      for (const one of specs) {
        const [first = '', last = ''] = one.split('-')
        for (let i = 0; i < length; i++) {
          const isIn =
            first === ''
              ? i >= length - Number(last)
              : i >= Number(first) && (last === '' || i <= Number(last))
          if (isIn) wanted.add(i)
        }
      }
      const ranges = parseRange(`bytes=${specs.join()}`, length)
      if (ranges === null) return false
      const got = ranges.flatMap(({ start, end }) =>
        Array.from({ length: end - start }, (_, i) => start + i),
      )
      return got.length === wanted.size && got.every((i) => wanted.has(i))
    }),
  )
})

t.test(
  'whatever the field says, ranges lie inside the content and apart from each other',
  async () => {
    const field = fc.oneof(
      fc.string(),
      fc.stringMatching(/^bytes=[-0-9, ]*$/),
      fc.array(spec).map((specs) => `bytes=${specs.join(', ')}`),
    )
    fc.assert(
      fc.property(field, fc.nat(1000), (text, length) => {
        const ranges = parseRange(text, length) ?? []
        const sorted = [...ranges].sort((one, other) => one.start - other.start)
        return sorted.every(
          ({ start, end }, i) =>
            start >= 0 && start < end && end <= length && start > (sorted[i - 1]?.end ?? -1),
        )
      }),
    )
  },
)

t.test('Content-Range counts from the first to the last byte', async (t) => {
  t.equal(contentRange({ start: 0, end: 1 }, 10), 'bytes 0-0/10')
  t.equal(
    contentRange({ start: 5_000_000_000, end: 5_000_000_007 }, 6e9),
    'bytes 5000000000-5000000006/6000000000',
  )
  t.equal(unsatisfiedRange(0), 'bytes */0')
})
