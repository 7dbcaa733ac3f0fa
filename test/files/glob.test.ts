import fc from 'fast-check'
import t from 'tap'
import { compileGlob } from '../../src/files/glob.ts'

t.test('a pattern without a slash is held against the file name, in whatever folder', async (t) => {
  const isCss = compileGlob('*.css')
  for (const path of ['a.css', '.css', 'x/a.css', 'x/y/a.b.css']) t.ok(isCss(path), path)
  for (const path of ['a.css.map', 'css', 'a.CSS', 'a.css/b']) t.notOk(isCss(path), path)
  t.ok(compileGlob('a?c')('x/abc'))
  t.notOk(compileGlob('a?c')('ac'))
  t.ok(compileGlob('?')('가'), 'one character, not one code unit')
  t.ok(compileGlob('?')('😀'))
  t.ok(compileGlob('**')('a/b'))
})

t.test('a pattern with a slash is held against the whole path', async (t) => {
  const cases: [pattern: string, yes: string[], no: string[]][] = [
    ['assets/*', ['assets/a'], ['assets/a/b', 'x/assets/a', 'assets', 'assetsx']],
    ['/a.txt', ['a.txt'], ['x/a.txt']],
    ['assets/**', ['assets/a', 'assets/a/b'], ['assets', 'x/assets/a']],
    [
      '**/fonts/*.woff2',
      ['fonts/a.woff2', 'x/y/fonts/a.woff2'],
      ['xfonts/a.woff2', 'fonts/x/a.woff2'],
    ],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['a/xb', 'ab', 'a/b/c']],
    ['a/**b', ['a/b', 'a/x/yb'], ['ab']],
    ['*/?/x', ['a/b/x', '/b/x'], ['a/bb/x', 'a//x']],
  ]
  for (const [pattern, yes, no] of cases) {
    const test = compileGlob(pattern)
    for (const path of yes) t.ok(test(path), `${pattern} fits ${path}`)
    for (const path of no) t.notOk(test(path), `${pattern} does not fit ${path}`)
  }
})

t.test('characters that mean something in regular expressions mean themselves', async (t) => {
  for (const text of ['a.b', 'a+b', '(a)', '[a]', 'a|b', '^a$', 'a\\b']) {
    t.ok(compileGlob(text)(text), text)
    t.notOk(compileGlob(text)('ab'), text)
  }
})

t.test('any pattern means what the regular expression of it means', async () => {
  const text = (parts: string[]) =>
    fc.array(fc.constantFrom(...parts), { maxLength: 7 }).map((all) => all.join(''))
  fc.assert(
    fc.property(
      text(['a', 'b', '/', '*', '**', '**/', '?']),
      text(['a', 'b', '/']),
      (glob, path) => {
        const anchored = glob.replace(/^\//, '')
        const source = anchored.replace(/\*\*\/|\*+|\?/g, (part) => {
          if (part === '**/') return '(?:[^]*/)?'
          return part === '?' ? '[^/]' : part.length > 1 ? '[^]*' : '[^/]*'
        })
        const expected = new RegExp(`^${source}$`).test(
          glob.includes('/') ? path : path.slice(path.lastIndexOf('/') + 1),
        )
        return compileGlob(glob)(path) === expected
      },
    ),
    { numRuns: 2000 },
  )
})

t.test('a pattern made to make matchers slow takes no time that anybody notices', async (t) => {
  const steps = 60
  t.notOk(compileGlob(`${'*a'.repeat(steps)}*b/`)(`${'a'.repeat(2000)}/`))
  t.notOk(compileGlob(`${'**/'.repeat(steps)}b`)('a/'.repeat(1000)))
})
