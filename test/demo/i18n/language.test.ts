import t from 'tap'
import { Services } from '../../../src/core/services.ts'
import { languageOf, languageOfText } from '../../../src/demo/i18n/language.ts'
import { Request } from '../../../src/http/request.ts'

function requestWith(fields: Record<string, string>): Request {
  return new Request({
    method: 'GET',
    path: '/',
    search: '',
    fields: { get: (name) => fields[name], entries: () => Object.entries(fields) },
    body: null,
    services: new Services(),
    remoteAddress: () => '127.0.0.1',
    secure: false,
    trace: null,
  })
}

t.test('Accept-Language chooses the best language that the board speaks', async (t) => {
  const cases: [field: string, expected: string][] = [
    ['ko', 'ko'],
    ['ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7', 'ko'],
    ['en-GB,en;q=0.9,ko;q=0.8', 'en'],
    ['de-DE, ko;q=0.4, en;q=0.3', 'ko'],
    ['EN;q=0.2, KO;q=0.3', 'ko'],
    ['ko;q=0, en', 'en'],
    ['ko;q=0', 'en'],
    ['ko;q=nonsense, en;q=0.1', 'en'],
    ['ko;q=7', 'en'],
    ['fr', 'en'],
    ['*', 'en'],
    ['korean', 'en'],
    ['', 'en'],
    [',;=,', 'en'],
  ]
  for (const [field, expected] of cases) {
    t.equal(languageOf(requestWith({ 'accept-language': field })), expected, field)
  }
})

t.test(
  'the cookie of the switch wins over the browser, unless it names no language of ours',
  async (t) => {
    t.equal(languageOf(requestWith({ cookie: 'lang=en', 'accept-language': 'ko' })), 'en')
    t.equal(languageOf(requestWith({ cookie: 'lang=ko' })), 'ko')
    t.equal(languageOf(requestWith({ cookie: 'lang=xx', 'accept-language': 'ko' })), 'ko')
    t.equal(languageOf(requestWith({})), 'en')
  },
)

t.test('the language of what a visitor wrote is told by its script', async (t) => {
  t.equal(languageOfText('고양이를 찾습니다'), 'ko')
  t.equal(languageOfText('uwas로 만든 게시판'), 'ko')
  t.equal(languageOfText('Doña Burbuja'), 'en')
  t.equal(languageOfText('2026 → 2027 🎉'), undefined)
})
