import fc from 'fast-check'
import t from 'tap'
import { checkText, cleanText } from '../../../src/demo/forms/text.ts'

const LINE = { maxLength: 5, multiline: false }
const LINES = { maxLength: 12, multiline: true }

t.test('text is trimmed, composed (NFC) and has one kind of newline', async (t) => {
  t.equal(cleanText('  a\r\nb\rc\n ', LINES), 'a\nb\nc')
  t.equal(cleanText('각', LINES), '각', 'three jamo become one syllable')
  t.equal(cleanText('\u3000뜰\u00a0', LINE), '뜰', 'wide and no-break spaces are trimmed too')
})

t.test('a field of one line keeps no newlines', async (t) => {
  t.equal(cleanText('a\r\n\tb', LINE), 'a b')
})

t.test('what looks empty is empty', async (t) => {
  for (const text of ['', ' ', '\u3164', '\u200b\u2800', '\n\u00ad']) {
    t.strictSame(checkText(cleanText(text, LINES), LINES), { kind: 'empty' }, JSON.stringify(text))
  }
})

t.test('length counts code points', async (t) => {
  t.equal(checkText('🎐🎐🎐🎐🎐', LINE), undefined)
  t.strictSame(checkText('🎐🎐🎐🎐🎐가나', LINE), { kind: 'long', by: 2 })
})

t.test('control characters and turns of direction are refused', async (t) => {
  for (const bad of ['\0', '\x07', '\x1b', '\x7f', '\x9b', '\u202e', '\u2066', '\ud800']) {
    t.strictSame(checkText(`a${bad}b`, LINE), { kind: 'control' }, JSON.stringify(bad))
  }
  t.equal(checkText('a\n\tb', LINES), undefined, 'newline and tab are fine where lines are')
})

t.test('joined emoji and right-to-left names are fine', async (t) => {
  t.equal(checkText('👩‍🌾', LINE), undefined)
  t.equal(checkText('سلام', LINE), undefined)
})

t.test('cleaning clean text changes nothing', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (typed, multiline) => {
      const rule = { maxLength: 10, multiline }
      const once = cleanText(typed, rule)
      return cleanText(once, rule) === once
    }),
  )
})
