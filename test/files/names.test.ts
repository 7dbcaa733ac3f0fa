import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseTarget } from '../../src/http/target.ts'
import { bodyOf, catalogueOf, temporaryFolder, writeTree } from '../support/catalogue.ts'

/** Names on disk and how a client may ask for them. */
const NAMES: [name: string, ...urls: string[]][] = [
  ['한글.html', '/%ED%95%9C%EA%B8%80.html', '/%ed%95%9c%ea%b8%80.html', '/한글.html'],
  ['보도 자료 (최종).txt', '/%EB%B3%B4%EB%8F%84%20%EC%9E%90%EB%A3%8C%20(%EC%B5%9C%EC%A2%85).txt'],
  ['a b.txt', '/a%20b.txt'],
  ['100%.txt', '/100%25.txt'],
  ['%2e%2e', '/%252e%252e'],
  ['%41.txt', '/%2541.txt'],
  ['c#.txt', '/c%23.txt'],
  ['what?.txt', '/what%3F.txt', '/what%3f.txt'],
  ['"quoted".txt', '/%22quoted%22.txt'],
  ["it's.txt", "/it's.txt", '/it%27s.txt'],
  ['a+b&c=d;e,f@g:h!$*().txt', '/a+b&c=d;e,f@g:h!$*().txt', '/a%2Bb%26c%3dd;e,f@g:h!$*().txt'],
  ['<script>.js', '/%3Cscript%3E.js'],
  ['a..b', '/a..b'],
  ['~', '/~', '/%7E'],
  ['😀.txt', '/%F0%9F%98%80.txt'],
]

t.test('every name that can stand in a URL is found by every spelling of it', async (t) => {
  const files = Object.fromEntries(NAMES.map(([name]) => [name, `content of ${name}`]))
  const { catalogue, log } = await catalogueOf(t, await writeTree(temporaryFolder(t), files))
  for (const [name, ...urls] of NAMES) {
    for (const url of urls) {
      const target = parseTarget(url)
      if (typeof target === 'number') throw new Error(`${url} was refused`)
      t.equal(bodyOf(catalogue.lookup(target.canonical)), `content of ${name}`, url)
    }
  }
  t.strictSame(log, [])
})

t.test('a name that no URL can hold is left out with a warning', async (t) => {
  const dir = await writeTree(temporaryFolder(t), {
    'back\\slash.txt': 'x',
    'line\nbreak.txt': 'x',
    'back\\folder/a.txt': 'x',
    'fine.txt': 'x',
  })
  const { catalogue, log } = await catalogueOf(t, dir)
  t.strictSame([...catalogue.paths()], ['/fine.txt'])
  t.strictSame(log.map((line) => line.replace(dir, '')).sort(), [
    String.raw`uwas: warning: "/back\\folder" is not served: no URL can hold its name`,
    String.raw`uwas: warning: "/back\\slash.txt" is not served: no URL can hold its name`,
    String.raw`uwas: warning: "/line\nbreak.txt" is not served: no URL can hold its name`,
  ])
})

t.test('a name that is not UTF-8 is left out and harms nobody', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'fine.txt': 'x' })
  const latin1 = Buffer.concat([Buffer.from(`${dir}/caf`), Buffer.from([0xe9])])
  writeFileSync(latin1, 'x')
  const { catalogue, log } = await catalogueOf(t, dir)
  t.strictSame([...catalogue.paths()], ['/fine.txt'])
  t.match(log, [/caf\ufffd" is not served: its name is not UTF-8$/])
})

t.test('a deep tree is walked to its end', async (t) => {
  const path = `${Array.from({ length: 120 }, (_, depth) => `level-${depth}`).join('/')}/leaf.txt`
  const dir = await writeTree(temporaryFolder(t), { [path]: 'deep' })
  const { catalogue } = await catalogueOf(t, dir)
  t.equal(bodyOf(catalogue.lookup(`/${path}`)), 'deep')
})

t.test('names that JavaScript objects have are names like any other', async (t) => {
  const files = { __proto__x: 'a', constructor: 'b', 'toString/valueOf': 'c' }
  const { catalogue } = await catalogueOf(t, await writeTree(temporaryFolder(t), files))
  t.equal(catalogue.lookup('/__proto__'), undefined)
  t.equal(bodyOf(catalogue.lookup('/constructor')), 'b')
  t.equal(bodyOf(catalogue.lookup(join('/', 'toString/valueOf'))), 'c')
})
