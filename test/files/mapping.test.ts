import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Catalogue } from '../../src/files/catalogue.ts'
import type { MountOptions } from '../../src/files/mounts.ts'
import { bodyOf, catalogueOf, headOf, temporaryFolder, writeTree } from '../support/catalogue.ts'

/** What answers at a path: the body of a file, `→ place` of a redirect, or nothing. */
function at(catalogue: Catalogue, path: string): string | undefined {
  const entry = catalogue.lookup(path)
  return entry?.redirect ? `→ ${entry.location}` : entry && bodyOf(entry)
}

async function mounted(
  t: Parameters<typeof catalogueOf>[0],
  files: Record<string, string>,
  ...mounts: Omit<MountOptions, 'dir'>[]
) {
  const dir = await writeTree(temporaryFolder(t), files)
  const { catalogue } = await catalogueOf(t, dir, {
    mounts: mounts.map((mount) => ({ dir, ...mount })),
  })
  return { dir, catalogue }
}

t.test('the index of a folder is the first name of the list that is there', async (t) => {
  const { dir, catalogue } = await mounted(
    t,
    { 'a/home.htm': 'htm', 'a/index.html': 'html', 'b/index.html': 'b', 'c/default': 'c' },
    { prefix: '/', index: ['home.htm', 'index.html'] },
  )
  t.equal(at(catalogue, '/a/'), 'htm')
  t.equal(at(catalogue, '/a/index.html'), 'html')
  t.equal(at(catalogue, '/b/'), 'b')
  t.equal(at(catalogue, '/c/'), undefined)
  t.equal(at(catalogue, '/c'), undefined)
  rmSync(join(dir, 'a/home.htm'))
  await catalogue.refresh()
  t.equal(at(catalogue, '/a/'), 'html', 'the next one takes its place')
  rmSync(join(dir, 'a/index.html'))
  await catalogue.refresh()
  t.equal(at(catalogue, '/a/'), undefined)
  t.equal(at(catalogue, '/a'), undefined)
})

t.test('without index names no folder answers', async (t) => {
  const { catalogue } = await mounted(t, { 'a/index.html': 'x' }, { prefix: '/', index: [] })
  t.strictSame([...catalogue.paths()], ['/a/index.html'])
})

t.test('with clean URLs each page has one path, and the others lead there', async (t) => {
  const { catalogue } = await mounted(
    t,
    {
      'index.html': 'home',
      'about.html': 'about',
      'docs/index.html': 'docs',
      'docs/a b.html': 'spaced',
      'style.css': 'css',
      '.html': 'hidden',
    },
    { prefix: '/' },
    { prefix: '/site', cleanUrls: true },
  )
  t.equal(at(catalogue, '/about'), undefined)
  t.equal(at(catalogue, '/about.html'), 'about', 'only where the mount wants them')
  t.equal(at(catalogue, '/site/'), 'home')
  t.equal(at(catalogue, '/site'), '→ /site/')
  t.equal(at(catalogue, '/site/index.html'), '→ /site/')
  t.equal(at(catalogue, '/site/index'), undefined)
  t.equal(at(catalogue, '/site/about'), 'about')
  t.equal(at(catalogue, '/site/about.html'), '→ /site/about')
  t.equal(at(catalogue, '/site/docs/index.html'), '→ /site/docs/')
  t.equal(at(catalogue, '/site/docs/a%20b'), 'spaced')
  t.equal(at(catalogue, '/site/docs/a%20b.html'), '→ /site/docs/a%20b')
  t.equal(at(catalogue, '/site/style.css'), 'css')
  t.equal(at(catalogue, '/site/style'), undefined)
})

t.test(
  'a file of the clean name, a page, and a folder of it: the first that is there',
  async (t) => {
    const { dir, catalogue } = await mounted(
      t,
      { a: 'file', 'a.html': 'page', 'b.html': 'page', 'b/index.html': 'folder' },
      { prefix: '/', cleanUrls: true },
    )
    t.equal(at(catalogue, '/a'), 'file')
    t.equal(at(catalogue, '/a.html'), 'page', 'its clean path is taken')
    t.equal(at(catalogue, '/b'), 'page')
    t.equal(at(catalogue, '/b.html'), '→ /b')
    t.equal(at(catalogue, '/b/'), 'folder')
    rmSync(join(dir, 'a'))
    rmSync(join(dir, 'b.html'))
    await catalogue.refresh()
    t.equal(at(catalogue, '/a'), 'page')
    t.equal(at(catalogue, '/a.html'), '→ /a')
    t.equal(at(catalogue, '/b'), '→ /b/')
    t.equal(at(catalogue, '/b.html'), undefined)
  },
)

t.test('a clean path that belongs to another mount is not used', async (t) => {
  const base = temporaryFolder(t)
  await writeTree(join(base, 'one'), { 'app.html': 'page' })
  await writeTree(join(base, 'two'), { x: 'x' })
  const { catalogue } = await catalogueOf(t, base, {
    mounts: [
      { dir: join(base, 'one'), prefix: '/', cleanUrls: true },
      { dir: join(base, 'two'), prefix: '/app' },
    ],
  })
  t.equal(at(catalogue, '/app.html'), 'page')
  t.equal(at(catalogue, '/app'), undefined)
})

t.test('Cache-Control is what the first fitting rule of the mount says', async (t) => {
  const { catalogue } = await mounted(
    t,
    { 'app.js': 'x', 'fonts/a.woff2': 'x', 'fonts/b.txt': 'x', 'index.html': 'x' },
    {
      prefix: '/',
      cacheControl: [
        { match: '*.woff2', cacheControl: 'public, max-age=31536000, immutable' },
        { match: 'fonts/**', cacheControl: 'max-age=60' },
      ],
    },
    { prefix: '/plain' },
  )
  const cacheOf = (path: string) =>
    ['ok', 'notModified'].map(
      (kind) =>
        /\r\nCache-Control: ([^\r]*)/.exec(
          headOf(catalogue.lookup(path)?.[kind as 'ok' | 'notModified']),
        )?.[1],
    )
  const both = (value: string) => [value, value]
  t.strictSame(cacheOf('/fonts/a.woff2'), both('public, max-age=31536000, immutable'))
  t.strictSame(cacheOf('/fonts/b.txt'), both('max-age=60'))
  t.strictSame(cacheOf('/app.js'), both('no-cache'))
  t.strictSame(cacheOf('/'), both('no-cache'))
  t.strictSame(cacheOf('/plain/fonts/a.woff2'), both('no-cache'))
  await t.rejects(
    mounted(t, {}, { prefix: '/', cacheControl: [{ match: '*', cacheControl: 'a\nb' }] }),
    { code: 'UWAS_ERR_HTTP_HEADER_VALUE' },
  )
})

t.test('types can be said for one mount', async (t) => {
  const { catalogue } = await mounted(
    t,
    { 'a.txt': 'x' },
    { prefix: '/', types: { txt: 'text/x-log' } },
    { prefix: '/plain' },
  )
  t.match(headOf(catalogue.lookup('/a.txt')?.ok), '\r\nContent-Type: text/x-log; charset=utf-8\r\n')
  t.match(
    headOf(catalogue.lookup('/plain/a.txt')?.ok),
    '\r\nContent-Type: text/plain; charset=utf-8\r\n',
  )
})
