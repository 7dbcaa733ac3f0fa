import fc from 'fast-check'
import t from 'tap'
import { negotiateType, parseAccept } from '../../src/http/negotiate.ts'

const HTML = 'text/html'
const PROBLEM = 'application/problem+json'
const ON_OFFER = [HTML, PROBLEM]

const cases: [accept: string | undefined, expected: string | undefined][] = [
  [undefined, HTML],
  ['', HTML],
  ['*/*', HTML],
  ['application/problem+json', PROBLEM],
  ['APPLICATION/Problem+JSON', PROBLEM],
  ['application/*', PROBLEM],
  ['application/problem+json, */*', PROBLEM],
  ['text/html;q=0.5, application/problem+json;q=0.4', HTML],
  ['text/html;q=0.4, application/problem+json;q=0.5', PROBLEM],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', HTML],
  ['*/*;q=0.1, text/html;q=0', PROBLEM],
  ['text/html;q=0, application/problem+json;q=0', undefined],
  ['image/png', undefined],
  ['text/*;q=0.2, text/html;q=0.9, application/*;q=0.5', HTML],
  ['text/html;level=1, application/problem+json;q=0.1', PROBLEM],
  ['text/html;q=1.1, application/problem+json;q=0.1', undefined],
  ['application/problem+json;q=0.1, nonsense, text/html', PROBLEM],
  [', ,application/problem+json,,', PROBLEM],
  ['application/problem+json ; q=0.3 , text/html;Q=0.2', PROBLEM],
  ['text/html;a="x,y;q=0", application/problem+json;q=0.001', PROBLEM],
]

for (const [accept, expected] of cases) {
  t.test(
    `Accept ${accept === undefined ? 'absent' : JSON.stringify(accept)} gets ${expected}`,
    (t) => {
      t.equal(negotiateType(accept, ON_OFFER), expected)
      t.end()
    },
  )
}

const token = fc.stringMatching(/^[a-z0-9+.-]{1,12}$/)
const quality = fc.integer({ min: 0, max: 1000 })
const blank = fc.constantFrom('', ' ', '\t', '  ')

t.test('every well-formed list is read member for member', (t) => {
  const member = fc.tuple(token, token, quality, blank, blank)
  fc.assert(
    fc.property(fc.array(member, { minLength: 1, maxLength: 30 }), (members) => {
      const field = members
        .map(([main, sub, q, a, b]) => `${a}${main}/${sub}${b};${a}q=${(q / 1000).toFixed(3)}${b}`)
        .join(',')
      const read = parseAccept(field).map(({ type, quality }) => [type, quality])
      t.same(
        read,
        members.map(([main, sub, q]) => [`${main}/${sub}`, q]),
      )
    }),
  )
  t.end()
})

t.test('what wins is on offer, accepted, and no other has a higher quality', (t) => {
  const range = fc.constantFrom('a/a', 'a/b', 'b/a', 'a/*', 'b/*', '*/*')
  const members = fc.array(fc.tuple(range, quality), { minLength: 1, maxLength: 6 })
  const offers = ['a/a', 'a/b', 'b/a']
  fc.assert(
    fc.property(members, (list) => {
      const field = list.map(([type, q]) => `${type};q=${q / 1000}`).join(', ')
      const qualityOf = (type: string): number => {
        for (const name of [type, `${type.slice(0, 1)}/*`, '*/*']) {
          const found = list.find(([each]) => each === name)
          if (found !== undefined) return found[1]
        }
        return 0
      }
      const best = Math.max(...offers.map(qualityOf))
      const chosen = negotiateType(field, offers)
      if (best === 0) t.equal(chosen, undefined, field)
      else t.equal(qualityOf(chosen ?? ''), best, field)
    }),
  )
  t.end()
})

t.test('any text is read without an error, and only what has its grammar counts', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (field) => {
      for (const { type, quality } of parseAccept(field)) {
        t.match(type, /^[^/\s]+\/[^/\s]+$/)
        t.ok(quality >= 0 && quality <= 1000)
      }
    }),
  )
  t.end()
})

t.test('a type with parameters is spoken for by the range that has them', async (t) => {
  const offer = ['text/html', 'text/html;level=1', 'text/html; level="2"; Charset=UTF-8']
  t.equal(negotiateType('text/html;q=0.1, text/html;level=1', offer), offer[1])
  t.equal(negotiateType('text/html;level=2;charset=utf-8, text/html;q=0.9', offer), offer[2])
  t.equal(negotiateType('text/html;level=1;q=0, text/html;q=0.5', offer.slice(1, 2)), undefined)
  t.equal(negotiateType('text/html;level=3', offer), undefined)
  t.equal(negotiateType('text/html', offer), offer[0])
  t.equal(negotiateType('a/b', ['nonsense']), undefined)
})
