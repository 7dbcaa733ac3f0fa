import t from 'tap'
import { resolveMounts } from '../../src/files/mounts.ts'
import { createNames, shellPath } from '../../src/files/names.ts'

const MOUNTS = resolveMounts([
  { dir: '/srv', prefix: '/' },
  { dir: '/srv/pages', prefix: '/my pages', cleanUrls: true, index: ['a.html', 'b.txt'] },
])
const namesOf = createNames(MOUNTS)

t.test('a path has the names of what may answer there, itself first', async (t) => {
  const cases: [path: string, ...others: string[]][] = [
    ['/', '/index.html'],
    ['/index.html', '/'],
    ['/d/', '/d/index.html'],
    ['/d/index.html', '/d/'],
    ['/page'],
    ['/page.html'],
    ['/s.0a1b2c3d.css', '/s.css'],
    ['/plain.0a1b2c3d', '/plain'],
    ['/s.css.0a1b2c3d.br', '/s.css.0a1b2c3d', '/s.css.br', '/s.css'],
    ['/d/index.html.gz', '/d/index.html', '/d/'],
    ['/my pages/x', '/my pages/x.html'],
    ['/my pages/x.html', '/my pages/x', '/my pages/x.html.html'],
    ['/my pages/', '/my pages/a.html', '/my pages/b.txt'],
    ['/my pages/b.txt', '/my pages/', '/my pages/b.txt.html'],
  ]
  for (const [path, ...others] of cases) {
    const [first, ...rest] = namesOf(path)
    t.equal(first, path)
    t.strictSame(rest.sort(), others.sort(), path)
  }
})

t.test('where nothing is mounted a path has its own name alone', async (t) => {
  t.strictSame(createNames([])('/d/index.html'), ['/d/index.html'])
  const below = createNames(resolveMounts([{ dir: '/srv', prefix: '/static' }]))
  t.strictSame(below('/staticx/index.html'), ['/staticx/index.html'])
  t.strictSame(below('/static/index.html'), ['/static/index.html', '/static/'])
})

t.test('a mount tells the path of its shell', async (t) => {
  const [root, sub, none] = resolveMounts([
    { dir: '/srv', prefix: '/', spa: 'app/index.html' },
    { dir: '/srv', prefix: '/my pages/', spa: 'x.html' },
    { dir: '/srv', prefix: '/none' },
  ])
  t.equal(root && shellPath(root), '/app/index.html')
  t.equal(sub && shellPath(sub), '/my pages/x.html')
  t.equal(none && shellPath(none), null)
})
