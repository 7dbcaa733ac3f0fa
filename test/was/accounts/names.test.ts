import t from 'tap'
import {
  describeNameProblem,
  nameKey,
  nameProblem,
  normalizeName,
} from '../../../src/was/accounts/names.ts'

t.test('names of any one writing system are fine', (t) => {
  for (const name of [
    'mara',
    'Mara_87',
    'theo@site.example',
    'a.b-c+d',
    '한결',
    '한결Mara',
    '山田たろう',
    'Ελένη',
    'Анна',
    'नेहा',
    'สมชาย',
    '7of9',
    'José',
    'x',
    '가'.repeat(64),
  ]) {
    t.equal(nameProblem(name), undefined, name)
  }
  t.end()
})

t.test('what cannot be a name is told', (t) => {
  const kind = (name: string) => nameProblem(name)?.kind
  for (const name of ['', '   ', '\u3000']) t.equal(kind(name), 'empty', JSON.stringify(name))
  t.equal(kind('가'.repeat(65)), 'long')
  t.equal(kind('x'.repeat(100_000)), 'long')
  t.equal(kind('\ufdfa'.repeat(60)), 'long', 'NFKC makes eighteen of one')
  for (const name of [
    'two words',
    'new\nline',
    'nul\0',
    'zero\u200bwidth',
    'soft\u00adhyphen',
    'filler\u3164',
    '\u202eevil',
    'mara-',
    '-mara',
    '.',
    '@',
    '<b>',
    'a/b',
    '🙂',
    '\u0301a',
    `a${'\u0323'.repeat(9)}`,
  ]) {
    t.equal(kind(name), 'characters', JSON.stringify(name))
  }
  for (const name of ['p\u0430ypal', 'Αlice\u0391', 'мaра', '한결\u0430']) {
    t.equal(kind(name), 'scripts', name)
  }
  for (const each of ['empty', 'long', 'characters', 'scripts'] as const) {
    t.match(describeNameProblem({ kind: each, most: 64 }), /^(?:is|can|mixes) .*[^.]$/)
  }
  t.end()
})

t.test('names that look alike have one key', (t) => {
  t.equal(nameKey('Mara'), nameKey('ｍａｒａ'))
  t.equal(nameKey(' MARA '), 'mara')
  t.equal(nameKey('Straße'), nameKey('STRASSE'))
  t.equal(nameKey('한결'), nameKey('한결'.normalize('NFD')))
  t.equal(nameKey('ﬁn'), nameKey('fin'))
  t.equal(nameKey('K'), nameKey('k'), 'the Kelvin sign')
  t.not(nameKey('mara'), nameKey('mära'))
  for (const nobody of ['', '  ', 'a\0b', 'x'.repeat(1000), '\ud800']) {
    t.equal(nameKey(nobody), undefined)
  }
  t.equal(normalizeName('  Ｍara '), 'Mara')
  t.end()
})
