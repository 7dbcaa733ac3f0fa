import fc from 'fast-check'
import t from 'tap'
import { encodePath, parseRequestTarget, parseTarget } from '../../src/http/target.ts'

t.test('a plain path is its own canonical form', async (t) => {
  for (const path of [
    '/',
    '/a',
    '/a/',
    '/a/b.html',
    "/~u/-_.!$&'()*+,;=:@",
    '/...',
    '/a..b',
    '/.x',
  ]) {
    t.strictSame(parseTarget(path), { path, canonical: path }, path)
  }
})

t.test('encoding is undone exactly once, and written again in one way', async (t) => {
  const table: [raw: string, path: string, canonical: string][] = [
    ['/%ed%95%9c%EA%B8%80', '/한글', '/%ED%95%9C%EA%B8%80'],
    ['/한글', '/한글', '/%ED%95%9C%EA%B8%80'],
    ['/a%20b', '/a b', '/a%20b'],
    ['/%61%7E%2D', '/a~-', '/a~-'],
    ['/%24%26%2B%2C%3B%3D%3A%40%21', '/$&+,;=:@!', '/$&+,;=:@!'],
    ['/%2561', '/%61', '/%2561'],
    ['/%252f%255c', '/%2f%5c', '/%252f%255c'],
    ['/%3f%23', '/?#', '/%3F%23'],
    ['/%22%27', '/"\'', "/%22'"],
    ['/"<>[]^`{|}', '/"<>[]^`{|}', '/%22%3C%3E%5B%5D%5E%60%7B%7C%7D'],
    ['/%E2%80%8B', '/\u200b', '/%E2%80%8B'],
  ]
  for (const [raw, path, canonical] of table)
    t.strictSame(parseTarget(raw), { path, canonical }, raw)
})

t.test('what is no path is 400', async (t) => {
  for (const raw of [
    '',
    '*',
    'a',
    'http://host/a',
    '%2Fa',
    '/%',
    '/%a',
    '/%zz',
    '/%%61',
    '/%c0%af',
    '/%c0%80',
    '/%ed%a0%80',
    '/%ff',
    '/%f5%80%80%80',
    '/%00',
    '/a%0d%0aSet-Cookie:x',
    '/\t',
    '/a\x7f',
    '/%7f',
    '/a?b',
    '/a#b',
  ]) {
    t.equal(parseTarget(raw), 400, JSON.stringify(raw))
  }
})

t.test('what only leads astray is 404', async (t) => {
  for (const raw of [
    '//',
    '//a',
    '/a//b',
    '/a//',
    '/.',
    '/..',
    '/./',
    '/../a',
    '/a/.',
    '/a/..',
    '/a/./b',
    '/a/../b',
    '/%2e',
    '/%2E%2e/a',
    '/a/.%2e',
    '/a/%2e%2e/b',
    '/a%2fb',
    '/a%2Fb',
    '/..%2f',
    '/a\\b',
    '/a%5cb',
    '/..\\',
    '/%5C..%5Cetc',
  ]) {
    t.equal(parseTarget(raw), 404, raw)
  }
})

t.test(
  'in a request a step to where one is says nothing, and others lead astray as ever',
  async (t) => {
    const table: [raw: string, path: string][] = [
      ['/./', '/'],
      ['/./a', '/a'],
      ['/././a/./b.c/', '/a/b.c/'],
      ['/./a%20b', '/a b'],
      ['/a./.b/..c/', '/a./.b/..c/'],
    ]
    for (const [raw, path] of table)
      t.strictSame(parseRequestTarget(raw), { path, canonical: encodePath(path) }, raw)
    for (const raw of ['/.', '/a/.', '/.//', '/./..', '/./../a', '/%2e/a', '/.%2f', '/.\\'])
      t.equal(parseRequestTarget(raw), 404, raw)
  },
)

const piece = fc.constantFrom(
  '/',
  '.',
  '..',
  '%',
  '%2f',
  '%2e',
  '%25',
  '%5c',
  '\\',
  'a',
  '한',
  '%00',
  ' ',
  '?',
  '%e9',
  '"',
)
const rawTarget = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`)

t.test(
  'an accepted path holds nothing that a file system or another parser would read anew',
  async () => {
    fc.assert(
      fc.property(rawTarget, (raw) => {
        const target = parseRequestTarget(raw)
        if (typeof target === 'number') return
        const segments = target.path.slice(1).split('/')
        const last = segments.pop()
        if (segments.some((segment) => ['', '.', '..'].includes(segment)))
          throw new Error('segment')
        if (last === '.' || last === '..') throw new Error('last segment')
        if (/[\\\0]/.test(target.path)) throw new Error('character')
      }),
      { numRuns: 2000 },
    )
  },
)

t.test('the canonical form is pure URI grammar and reads back as itself', async () => {
  fc.assert(
    fc.property(rawTarget, (raw) => {
      const target = parseTarget(raw)
      if (typeof target === 'number') return
      if (!/^\/(?:[\w\-.~!$&'()*+,;=:@/]|%[0-9A-F]{2})*$/.test(target.canonical)) {
        throw new Error('grammar')
      }
      const again = parseTarget(target.canonical)
      if (typeof again === 'number') throw new Error('refused')
      if (again.path !== target.path || again.canonical !== target.canonical)
        throw new Error('moved')
    }),
    { numRuns: 2000 },
  )
})

t.test(
  'every name that a file may have, but for "\\" and control characters, has one path',
  async () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !/[\\/\p{Cc}\p{Cs}]/u.test(text) && text !== '.' && text !== '..')
    fc.assert(
      fc.property(name, (text) => {
        const target = parseTarget(encodePath(`/${text}`))
        return typeof target !== 'number' && target.path === `/${text}`
      }),
    )
  },
)
