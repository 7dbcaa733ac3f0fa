import fc from 'fast-check'
import t from 'tap'
import {
  acceptedCodings,
  DEFAULT_IDENTITY,
  parseAcceptEncoding,
} from '../../src/http/accept-encoding.ts'

t.test('weights of the codings, as RFC 9110 section 12.5.3 has them', async (t) => {
  const D = DEFAULT_IDENTITY
  const table: [field: string, br: number, gzip: number, zstd: number, identity: number][] = [
    ['', 0, 0, 0, D],
    ['gzip', 0, 1000, 0, D],
    ['gzip, deflate, br, zstd', 1000, 1000, 1000, D],
    ['GZIP;Q=0.5 , Br ; q=0.8', 800, 500, 0, D],
    ['br;q=1.000,gzip;q=0.001', 1000, 1, 0, D],
    ['gzip;q=0', 0, 0, 0, D],
    ['*', 1000, 1000, 1000, 1000],
    ['*;q=0', 0, 0, 0, 0],
    ['*;q=0.3, gzip;q=0', 300, 0, 300, 300],
    ['*;q=0, identity', 0, 0, 0, 1000],
    ['identity;q=0', 0, 0, 0, 0],
    ['identity;q=0, *', 1000, 1000, 1000, 0],
    ['identity;q=1, *;q=0', 0, 0, 0, 1000],
    ['x-gzip', 0, 1000, 0, D],
    ['gzip, gzip;q=0', 0, 1000, 0, D],
    [',gzip,, br,', 1000, 1000, 0, D],
    ['compress, deflate', 0, 0, 0, D],
  ]
  for (const [field, br, gzip, zstd, identity] of table) {
    t.strictSame(parseAcceptEncoding(field), { br, gzip, zstd, identity }, field)
  }
})

t.test('a malformed field asks for no coding', async (t) => {
  for (const field of [
    'gzip;q=1.5',
    'gzip;q=0.1234',
    'gzip;q=-1',
    'gzip;q=',
    'gzip;q=.5',
    'gzip;level=9',
    'gzip q=1',
    'br, gzip;q=a',
    'gz ip',
    '"gzip"',
    'gzip;q=0.5;q=0.6',
    'identity;q=0;',
  ]) {
    t.strictSame(
      parseAcceptEncoding(field),
      { br: 0, gzip: 0, zstd: 0, identity: DEFAULT_IDENTITY },
      field,
    )
  }
})

const weight = fc.integer({ min: 0, max: 1000 })

t.test('every well-formed list is read as it was written', async () => {
  const member = fc.tuple(fc.constantFrom('br', 'gzip', 'zstd', 'identity', '*'), weight)
  const blank = fc.constantFrom('', ' ', '\t ')
  const list = fc.uniqueArray(member, { selector: ([coding]) => coding })
  fc.assert(
    fc.property(list, blank, (members, ows) => {
      const field = members
        .map(([coding, q]) => `${coding}${ows};${ows}q=${q === 1000 ? '1' : (q / 1000).toFixed(3)}`)
        .join(`${ows},${ows}`)
      const weights = new Map(members)
      const accepted = parseAcceptEncoding(field)
      const any = weights.get('*')
      return (['br', 'gzip', 'zstd', 'identity'] as const).every((coding) => {
        const rest = coding === 'identity' ? (any ?? DEFAULT_IDENTITY) : (any ?? 0)
        return accepted[coding] === (weights.get(coding) ?? rest)
      })
    }),
  )
})

t.test('nothing that a client sends gives a weight outside of 0 to 1000', async () => {
  const field = fc.oneof(fc.string(), fc.stringMatching(/^[a-z*;=q0-9., -]*$/))
  fc.assert(
    fc.property(field, (text) =>
      Object.values(parseAcceptEncoding(text)).every((q) => q >= 0 && q <= 1000),
    ),
  )
})

t.test('fields are remembered, but not without end', async (t) => {
  t.equal(acceptedCodings('gzip, br'), acceptedCodings('gzip, br'))
  const first = acceptedCodings('zstd')
  for (let i = 0; i < 1000; i++) acceptedCodings(`gzip;q=0.${String(i).padStart(3, '0')}`)
  t.equal(acceptedCodings('zstd'), first)
  const late = acceptedCodings('br;q=0.5, gzip;q=0.1')
  acceptedCodings('zstd')
  t.not(acceptedCodings('br;q=0.5, gzip;q=0.1'), late, 'the memory is full')
  t.strictSame(acceptedCodings('br;q=0.5, gzip;q=0.1'), late, 'and the answer the same')
})
