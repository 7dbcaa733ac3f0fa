import t from 'tap'
import { DICTIONARIES } from '../../../src/demo/i18n/language.ts'

const PLACE = /\{\w+\}/g

/** `path → text` of every phrase; the forms of a plural count as one phrase with their places together. */
function phrasesOf(words: object, prefix = ''): Map<string, string> {
  const phrases = new Map<string, string>()
  for (const [key, value] of Object.entries(words)) {
    const path = prefix + key
    if (typeof value === 'string') phrases.set(path, value)
    else if ('other' in value) phrases.set(path, value.other)
    else for (const [inner, text] of phrasesOf(value, `${path}.`)) phrases.set(inner, text)
  }
  return phrases
}

t.test('both dictionaries have the same keys', async (t) => {
  const en = phrasesOf(DICTIONARIES.en)
  const ko = phrasesOf(DICTIONARIES.ko)
  t.ok(en.size > 60, 'the dictionaries were found')
  t.strictSame([...ko.keys()].sort(), [...en.keys()].sort())
})

t.test('every phrase has words, and the same places to fill in, in both languages', async (t) => {
  const ko = phrasesOf(DICTIONARIES.ko)
  for (const [key, english] of phrasesOf(DICTIONARIES.en)) {
    const korean = ko.get(key) ?? ''
    t.not(english.trim(), '', `en ${key}`)
    t.not(korean.trim(), '', `ko ${key}`)
    t.strictSame(korean.match(PLACE)?.sort(), english.match(PLACE)?.sort(), `places of ${key}`)
  }
})

t.test('Korean phrases are in Korean, but for the name that is the same everywhere', async (t) => {
  const latin = [...phrasesOf(DICTIONARIES.ko)].filter(
    ([, text]) => !/\p{Script=Hangul}/u.test(text),
  )
  t.strictSame(latin, [['way.steps.middleware.name', 'WAS']])
})
