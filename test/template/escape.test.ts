import fc from 'fast-check'
import t from 'tap'
import { escapeHtml } from '../../src/template/escape.ts'

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

t.test('a text without special characters is returned as it is', async (t) => {
  for (const text of ['', 'short', 'a text that is longer than the short ones', '프로젝트 🎉']) {
    t.equal(escapeHtml(text), text)
  }
})

t.test('a long text with one kind of them, with several, and with none', async (t) => {
  const words = '안녕 plain words '.repeat(12)
  t.equal(escapeHtml(words), words)
  for (const [char, entity] of Object.entries(ENTITIES)) {
    t.equal(escapeHtml(`${char}${words}${char}`), `${entity}${words}${entity}`)
    t.equal(escapeHtml(`${words}${char}&`), `${words}${entity}&amp;`)
  }
})

t.test('exactly five characters are replaced, wherever they stand', async (t) => {
  const unit = fc.constantFrom('&', '<', '>', '"', "'", 'a', '한', '/', '`', '=', '\ud800')
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 300, size: 'max' }), (text) => {
      const expected = [...text].map((c) => ENTITIES[c] ?? c).join('')
      return escapeHtml(text) === expected
    }),
  )
  t.equal(
    escapeHtml(`<a href="x">'&'</a>`),
    '&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;',
  )
})
