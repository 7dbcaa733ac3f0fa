import t from 'tap'
import { negotiateLanguage } from '../../src/http/languages.ts'

t.test('the client gets the language that it likes best, else the first', (t) => {
  const cases: [field: string | undefined, available: string[], chosen: string][] = [
    [undefined, ['en', 'ko'], 'en'],
    ['', ['en', 'ko'], 'en'],
    ['ko', ['en', 'ko'], 'ko'],
    ['KO-kr', ['en', 'ko'], 'ko'],
    ['en;q=0.5, ko;q=0.8', ['en', 'ko'], 'ko'],
    ['ko, en', ['en', 'ko'], 'ko'],
    ['de, ko;q=0.1', ['en', 'ko'], 'ko'],
    ['de', ['en', 'ko'], 'en'],
    ['*', ['en', 'ko'], 'en'],
    ['ko;q=0', ['en', 'ko'], 'en'],
    ['zh-Hant-TW', ['en', 'zh', 'zh-Hant'], 'zh-Hant'],
    ['en', ['fr', 'en-GB'], 'en-GB'],
    ['en-US', ['fr', 'en-GB'], 'fr'],
    ['!!, ko;q=9, ko', ['en', 'ko'], 'ko'],
    [`${'x,'.repeat(10_000)}ko`, ['en', 'ko'], 'en'],
  ]
  for (const [field, available, chosen] of cases) {
    t.equal(negotiateLanguage(field, available), chosen, `${field?.slice(0, 40)} of ${available}`)
  }
  t.end()
})
