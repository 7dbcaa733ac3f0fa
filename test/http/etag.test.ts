import fc from 'fast-check'
import t from 'tap'
import { matchesEtag, strongEtag, weakEtag } from '../../src/http/etag.ts'

t.test('tags are written with their quotes', async (t) => {
  t.equal(strongEtag('ab'), '"ab"')
  t.equal(weakEtag('ab'), 'W/"ab"')
})

t.test(
  'the weak comparison of RFC 9110 section 8.8.3.2 looks at the opaque part alone',
  async (t) => {
    const table: [field: string, etag: string, matches: boolean][] = [
      ['W/"1"', 'W/"1"', true],
      ['W/"1"', 'W/"2"', false],
      ['W/"1"', '"1"', true],
      ['"1"', 'W/"1"', true],
      ['"1"', '"1"', true],
      ['"1"', '"11"', false],
      ['"11"', '"1"', false],
      ['"A"', '"a"', false],
    ]
    for (const [field, etag, matches] of table) t.equal(matchesEtag(field, etag), matches, field)
  },
)

t.test('a list matches by any of its members, commas inside tags included', async (t) => {
  for (const field of [
    '"x", "1"',
    '"x","1"',
    '"x" ,\t W/"1" ,"y"',
    ', ,"1"',
    '"1",',
    '"a,b", "1"',
    '"a,W/", "1"',
    '"", "1"',
    '  "1"  ',
  ]) {
    t.equal(matchesEtag(field, '"1"'), true, field)
  }
  t.equal(matchesEtag('"x, "1"', '"1"'), false, 'the second quote ends the first tag')
  t.equal(matchesEtag('"a,b"', '"a"'), false)
  t.equal(matchesEtag('"a,b"', '"a,b"'), true)
})

t.test('a star matches whatever there is, and stands alone', async (t) => {
  t.equal(matchesEtag('*', '"1"'), true)
  t.equal(matchesEtag(' *\t', 'W/"1"'), true)
  t.equal(matchesEtag('"*"', '"1"'), false)
  t.equal(matchesEtag('*, "1"', '"1"'), false)
  t.equal(matchesEtag('"2", *', '"1"'), false)
})

t.test('nothing behind a malformed member is believed', async (t) => {
  for (const field of [
    '',
    '1',
    "'1'",
    'w/"1"',
    'W/ "1"',
    '"1',
    'W/',
    ',',
    'x, "1"',
    '"x""1"',
    '"x" "1"',
  ]) {
    t.equal(matchesEtag(field, '"1"'), false, field)
  }
  t.equal(matchesEtag('"1", x', '"1"'), true, 'what stands before it is')
})

const etagc = fc.string({ unit: fc.constantFrom('!', '#', ',', '/', 'W', 'a', '*', '~', 'é') })
const member = fc.tuple(fc.boolean(), etagc)
const write = ([isWeak, opaque]: [boolean, string]) =>
  isWeak ? weakEtag(opaque) : strongEtag(opaque)

t.test('a list matches exactly when one of its members has the same opaque part', async () => {
  const blanks = fc.constantFrom(',', ', ', ' ,', ' ,, \t')
  fc.assert(
    fc.property(fc.array(member, { minLength: 1 }), member, blanks, (members, own, separator) => {
      const expected = members.some(([, opaque]) => opaque === own[1])
      return matchesEtag(members.map(write).join(separator), write(own)) === expected
    }),
  )
})

t.test('any text at all is answered', async (t) => {
  const field = fc.string({ unit: fc.constantFrom('"', ',', 'W', '/', ' ', '*', 'a', '\t') })
  fc.assert(fc.property(field, (text) => typeof matchesEtag(text, '"a"') === 'boolean'))
  t.equal(matchesEtag(`${','.repeat(100_000)}"a"`, '"a"'), true)
})

t.test('the strong comparison wants two strong tags', async (t) => {
  const table: [field: string, etag: string, matches: boolean][] = [
    ['"1"', '"1"', true],
    ['"x", "1"', '"1"', true],
    ['W/"1"', '"1"', false],
    ['"1"', 'W/"1"', false],
    ['W/"1"', 'W/"1"', false],
    ['W/"1", "1"', '"1"', true],
    ['"2"', '"1"', false],
    ['*', '"1"', true],
    ['*', 'W/"1"', true],
  ]
  for (const [field, etag, matches] of table) {
    t.equal(matchesEtag(field, etag, 'strong'), matches, `${field} ${etag}`)
  }
})
