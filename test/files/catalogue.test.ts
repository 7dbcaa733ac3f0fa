import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createCatalogue } from '../../src/files/catalogue.ts'
import { loadNative } from '../../src/native/load.ts'
import {
  bodyOf,
  catalogueOf,
  etagOf,
  headOf,
  temporaryFolder,
  writeTree,
} from '../support/catalogue.ts'

t.test('each file answers at its path, with its bytes and their hash as the tag', async (t) => {
  const files = { 'a.txt': 'alpha', 'css/site.css': 'body{}', 'css/deep/er/x': '' }
  const { catalogue, log } = await catalogueOf(t, await writeTree(temporaryFolder(t), files))
  for (const [path, content] of Object.entries(files)) {
    const entry = catalogue.lookup(`/${path}`)
    t.equal(bodyOf(entry), content)
    t.equal(entry?.etag, etagOf(content))
    t.equal(entry?.ok.length, content.length)
    t.equal(entry?.redirect, false)
    t.equal(entry?.open, null)
  }
  for (const path of ['', '/', '/a', '/a.txt/', '/css', '/css/', '/A.txt', '//a.txt']) {
    t.equal(catalogue.lookup(path), undefined, path)
  }
  t.strictSame(catalogue.stats, { files: 3, bytes: 11, hashed: 3, reused: 0, streamed: 0 })
  t.strictSame(log, [])
})

t.test('an index answers at its folder, whose bare path redirects there', async (t) => {
  const dir = await writeTree(temporaryFolder(t), {
    'index.html': 'home',
    'docs/index.html': 'docs',
    'docs/한 글/index.html': 'korean',
    'empty/other.html': 'x',
  })
  const { catalogue } = await catalogueOf(t, dir)
  t.equal(bodyOf(catalogue.lookup('/')), 'home')
  t.equal(bodyOf(catalogue.lookup('/docs/')), 'docs')
  t.equal(catalogue.lookup('/docs/'), catalogue.lookup('/docs/index.html'))
  const redirect = catalogue.lookup('/docs')
  t.equal(redirect?.redirect, true)
  t.equal(redirect?.location, '/docs/')
  t.equal(redirect?.ok.status, 308)
  t.equal(redirect?.ok.content, null)
  t.match(headOf(redirect?.ok), /^308 Permanent Redirect\r\nLocation: \/docs\/\r\n/)
  const korean = '/docs/%ED%95%9C%20%EA%B8%80'
  t.match(headOf(catalogue.lookup(korean)?.ok), `Location: ${korean}/\r\n`)
  t.equal(catalogue.lookup('/empty'), undefined)
  t.equal(catalogue.lookup('/empty/'), undefined)
})

t.test('a redirect keeps the query and nothing in the query can end the field', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'd/index.html': 'x' })
  const { catalogue } = await catalogueOf(t, dir)
  const entry = catalogue.lookup('/d')
  if (entry === undefined) throw new Error('no redirect')
  t.equal(catalogue.redirect(entry, ''), entry.ok)
  const locationFor = (search: string) =>
    /\r\nLocation: (.*)\r\n/.exec(headOf(catalogue.redirect(entry, search)))?.[1]
  t.equal(locationFor('a=1&b=%20'), '/d/?a=1&b=%20')
  t.equal(locationFor('한=\r\nX: y'), '/d/?%ED%95%9C=%0D%0AX:%20y')
  t.equal(locationFor('\ud800'), '/d/?%EF%BF%BD')
})

t.test('the longest prefix wins, and a prefix ends at a slash', async (t) => {
  const base = temporaryFolder(t)
  const files = { static: 'a file', 'static/x': 'never', 'staticfoo/x': 'foo' }
  await writeTree(join(base, 'site'), { 'staticfoo/x': files['staticfoo/x'], 'a/b/own': 'hidden' })
  await writeTree(join(base, 'assets'), { x: 'asset', 'index.html': 'index' })
  await writeTree(join(base, 'inner'), { y: 'inner' })
  const { catalogue } = await catalogueOf(t, base, {
    mounts: [
      { dir: join(base, 'assets'), prefix: '/static/' },
      { dir: join(base, 'site'), prefix: '/' },
      { dir: join(base, 'inner'), prefix: '/a/b' },
    ],
  })
  t.equal(bodyOf(catalogue.lookup('/static/x')), 'asset')
  t.equal(bodyOf(catalogue.lookup('/static/')), 'index')
  t.equal(catalogue.lookup('/static')?.location, '/static/')
  t.equal(bodyOf(catalogue.lookup('/staticfoo/x')), 'foo')
  t.equal(bodyOf(catalogue.lookup('/a/b/y')), 'inner')
  t.equal(catalogue.lookup('/a/b/own'), undefined, 'the shorter prefix has no say there')
  t.equal(catalogue.stats.files, 4)
})

t.test('a file that has the path of another mount does not answer', async (t) => {
  const base = temporaryFolder(t)
  await writeTree(join(base, 'site'), { static: 'a file' })
  await writeTree(join(base, 'assets'), { x: 'asset' })
  const { catalogue } = await catalogueOf(t, base, {
    mounts: [
      { dir: join(base, 'site'), prefix: '/' },
      { dir: join(base, 'assets'), prefix: '/static' },
    ],
  })
  t.equal(catalogue.lookup('/static'), undefined)
})

t.test('a prefix that no request can have is refused at start', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { a: 'a' })
  const mount = (...prefixes: string[]) =>
    catalogueOf(t, dir, { mounts: prefixes.map((prefix) => ({ dir, prefix })) })
  await t.rejects(mount('static'), {
    code: 'UWAS_ERR_FILES_PREFIX',
    message: 'static files cannot be served at "static": a prefix starts with "/": say "/static"',
  })
  for (const prefix of ['//', '/a//b', '/../x', '/a/./b', '/a\\b', '/a\nb']) {
    await t.rejects(mount(prefix), {
      code: 'UWAS_ERR_FILES_PREFIX',
      message: `static files cannot be served at ${JSON.stringify(prefix)}: no request can have such a path; leave out empty, "." and ".." parts and "\\"`,
    })
  }
  await t.rejects(mount('/s', '/s/'), {
    code: 'UWAS_ERR_FILES_PREFIX',
    message: /^static files cannot be served at "\/s": both .* are mounted there/,
  })
  const { catalogue } = await mount('/정적 파일')
  t.equal(bodyOf(catalogue.lookup('/%EC%A0%95%EC%A0%81%20%ED%8C%8C%EC%9D%BC/a')), 'a')
})

t.test('a folder that cannot be read is refused at start, with its path', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { file: 'x' })
  await t.rejects(catalogueOf(t, join(dir, 'missing')), {
    code: 'UWAS_ERR_FILES_FOLDER',
    message: new RegExp(`^cannot serve the folder ${dir}/missing at /: ENOENT`),
  })
  await t.rejects(catalogueOf(t, join(dir, 'file')), {
    code: 'UWAS_ERR_FILES_FOLDER',
    message: new RegExp(`^cannot serve the folder ${dir}/file at /: ENOTDIR`),
  })
})

t.test('base headers are in every head, and a bad one is refused at start', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'd/index.html': 'x' })
  const { catalogue } = await catalogueOf(t, dir, {
    baseHeaders: [['X-Content-Type-Options', 'nosniff']],
  })
  const entry = catalogue.lookup('/d/')
  for (const prepared of [entry?.ok, entry?.notModified, catalogue.lookup('/d')?.ok]) {
    t.match(headOf(prepared), /\r\nX-Content-Type-Options: nosniff$/)
  }
  await t.rejects(catalogueOf(t, dir, { baseHeaders: [['X', 'a\r\nb']] }), {
    code: 'UWAS_ERR_HTTP_HEADER_VALUE',
  })
})

t.test('types can be said by ending; one that cannot be sent is refused at start', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.hwp': 'x' })
  const typed = (types: Record<string, string>) =>
    catalogueOf(t, dir, { mounts: [{ dir, prefix: '/', types }] })
  const { catalogue } = await typed({ hwp: 'application/x-hwp' })
  t.match(headOf(catalogue.lookup('/a.hwp')?.ok), 'Content-Type: application/x-hwp\r\n')
  await t.rejects(typed({ bad: 'a\nb' }), {
    code: 'UWAS_ERR_HTTP_HEADER_VALUE',
  })
})

t.test('refresh sees new, changed and removed files; the others keep their entries', async (t) => {
  const dir = await writeTree(temporaryFolder(t), {
    'same.txt': 'same',
    'd/index.html': 'index',
    'changed.txt': 'before',
    'removed.txt': 'x',
  })
  const { catalogue } = await catalogueOf(t, dir)
  const before = new Map([...catalogue.paths()].map((path) => [path, catalogue.lookup(path)]))
  rmSync(join(dir, 'removed.txt'))
  await writeTree(dir, { 'changed.txt': 'behind', 'new.txt': 'new' })
  await catalogue.refresh()
  for (const path of ['/same.txt', '/d', '/d/', '/d/index.html']) {
    t.equal(catalogue.lookup(path), before.get(path), path)
  }
  t.equal(bodyOf(catalogue.lookup('/changed.txt')), 'behind')
  t.equal(bodyOf(before.get('/changed.txt')), 'before', 'a reply being sent keeps its version')
  t.equal(bodyOf(catalogue.lookup('/new.txt')), 'new')
  t.equal(catalogue.lookup('/removed.txt'), undefined)
  t.strictSame(catalogue.stats, { files: 4, bytes: 18, hashed: 2, reused: 2, streamed: 0 })
})

t.test('a file that becomes a folder stops being a file', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { page: 'file' })
  const { catalogue } = await catalogueOf(t, dir)
  rmSync(join(dir, 'page'))
  await writeTree(dir, { 'page/index.html': 'folder' })
  await catalogue.refresh()
  t.equal(catalogue.lookup('/page')?.redirect, true)
  t.equal(bodyOf(catalogue.lookup('/page/')), 'folder')
})

t.test('a refresh that is asked for during another one sees what was there by then', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { a: 'a' })
  const { catalogue } = await catalogueOf(t, dir)
  const first = catalogue.refresh()
  writeFileSync(join(dir, 'late'), 'late')
  const second = catalogue.refresh()
  t.equal(catalogue.refresh(), second, 'one more is enough for all')
  await Promise.all([first, second])
  t.equal(bodyOf(catalogue.lookup('/late')), 'late')
})

t.test('when a refresh fails, the old entries stay and the next one can succeed', async (t) => {
  const dir = join(temporaryFolder(t), 'site')
  await writeTree(dir, { a: 'a' })
  const { catalogue } = await catalogueOf(t, dir)
  const entry = catalogue.lookup('/a')
  renameSync(dir, `${dir}-away`)
  await t.rejects(catalogue.refresh(), { code: 'UWAS_ERR_FILES_FOLDER' })
  t.equal(catalogue.lookup('/a'), entry)
  mkdirSync(dir)
  await catalogue.refresh()
  t.equal(catalogue.lookup('/a'), undefined)
})

t.test('a closed catalogue finds nothing, whatever was going on', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { a: 'a' })
  const { catalogue } = await catalogueOf(t, dir)
  const body = catalogue.lookup('/a')?.ok.content?.bytes
  const running = catalogue.refresh()
  await catalogue.close()
  await running
  await catalogue.refresh()
  t.equal(catalogue.lookup('/a'), undefined)
  t.equal(Buffer.from(body ?? new ArrayBuffer(0)).toString(), 'a')
})

t.test(
  'without a folder for objects, files are served from private memory, said once',
  async (t) => {
    const base = temporaryFolder(t)
    const dir = await writeTree(join(base, 'site'), { a: 'alpha', b: 'beta', c: 'alpha' })
    await writeTree(base, { blocked: 'a file where a folder should be' })
    const line = 'uwas: warning: static files are copied to private memory: '
    for (const [storeDir, reason] of [
      [null, 'there is no folder to keep them in'],
      [join(base, 'blocked/objects'), 'ENOTDIR'],
    ] as const) {
      const { catalogue, log } = await catalogueOf(t, dir, { storeDir })
      t.equal(bodyOf(catalogue.lookup('/a')), 'alpha')
      t.equal(catalogue.lookup('/b')?.etag, etagOf('beta'))
      t.equal(
        catalogue.lookup('/a')?.ok.content?.bytes,
        catalogue.lookup('/c')?.ok.content?.bytes,
        'one copy',
      )
      t.equal(log.length, 1)
      t.equal(log[0]?.startsWith(`${line}${reason}`), true)
      await catalogue.refresh()
      t.equal(catalogue.stats.reused, 3)
    }
  },
)

t.test('the stand-in of the addon serves the same', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a/한글.txt': 'alpha', 'a/index.html': '' })
  const options = { native: loadNative('off') }
  const { catalogue, log } = await catalogueOf(t, dir, options)
  const other = (await catalogueOf(t, dir)).catalogue
  t.strictSame([...catalogue.paths()].sort(), [...other.paths()].sort())
  for (const path of catalogue.paths()) {
    t.equal(headOf(catalogue.lookup(path)?.ok), headOf(other.lookup(path)?.ok), path)
  }
  t.equal(bodyOf(catalogue.lookup('/a/%ED%95%9C%EA%B8%80.txt')), 'alpha')
  t.strictSame(log, [])
})

t.test('a site without mounts has no files', async (t) => {
  const catalogue = await createCatalogue({
    mounts: [],
    storeDir: null,
    native: loadNative(),
    log: { info() {}, warn() {}, error() {} },
  })
  t.strictSame([...catalogue.paths()], [])
  await catalogue.close()
})
