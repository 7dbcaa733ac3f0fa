import fc from 'fast-check'
import t from 'tap'
import { negotiateLanguage } from '../../src/http/accept-language.ts'

const OFFER = ['en', 'ko', 'pt-BR']

for (const [field, expected] of [
  [undefined, 'en'],
  ['', 'en'],
  ['ko', 'ko'],
  ['KO-kr', 'ko'],
  ['ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7', 'ko'],
  ['en-GB, ko', 'en'],
  ['ko, en', 'ko'],
  ['pt', 'pt-BR'],
  ['pt-PT', undefined],
  ['pt-PT, *;q=0.1', 'en'],
  ['*', 'en'],
  ['*;q=0.5, ko;q=0.4, en;q=0', 'pt-BR'],
  ['en;q=0.4, ko ; q=0.5', 'ko'],
  ['en-GB;q=0, en', 'en'],
  ['en-GB;q=0', undefined],
  ['english-is-fine!, ko', 'ko'],
  ['en;q=2, ko;q=0.1', 'ko'],
  ['eng, kor', undefined],
  ['pt-br-x', 'pt-BR'],
  [',, ko,', 'ko'],
  [`${'xx,'.repeat(100)}ko`, undefined],
] as const) {
  t.test(`Accept-Language ${JSON.stringify(field)?.slice(0, 40)} gets ${expected}`, async (t) => {
    t.equal(negotiateLanguage(field, OFFER), expected)
  })
}

t.test('whatever the field says, the answer is on offer, or none', async () => {
  fc.assert(
    fc.property(fc.string(), (field) => {
      const chosen = negotiateLanguage(field, OFFER)
      return chosen === undefined || OFFER.includes(chosen)
    }),
  )
})
