import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Catalogue } from '../../src/files/catalogue.ts'
import { bodyOf, catalogueOf, temporaryFolder, writeTree } from '../support/catalogue.ts'

/** Long enough for a slow machine; what is waited for usually takes a twentieth of a second. */
const PATIENCE_MS = 20_000

function textAt(catalogue: Catalogue, path: string): string | undefined {
  const entry = catalogue.lookup(path)
  return entry?.redirect ? `→ ${entry.location}` : entry && bodyOf(entry)
}

/** Waits until the paths answer like this, undefined for not at all. */
async function becomes(
  t: Test,
  catalogue: Catalogue,
  wanted: Readonly<Record<string, string | undefined>>,
) {
  const look = () =>
    Object.fromEntries(Object.keys(wanted).map((path) => [path, textAt(catalogue, path)]))
  const deadline = performance.now() + PATIENCE_MS
  while (JSON.stringify(look()) !== JSON.stringify(wanted) && performance.now() < deadline) {
    await sleep(5)
  }
  t.strictSame(look(), wanted)
}

for (const watch of ['auto', 'poll'] as const) {
  t.test(`changes are followed (${watch}): files`, async (t) => {
    const dir = await writeTree(temporaryFolder(t), {
      'same.txt': 'same',
      'a.txt': 'one',
      'sub/b.txt': 'one',
      'gone.txt': 'x',
    })
    const { catalogue, log } = await catalogueOf(t, dir, { watch })
    const same = catalogue.lookup('/same.txt')
    writeFileSync(join(dir, 'a.txt'), 'two, in place')
    await becomes(t, catalogue, { '/a.txt': 'two, in place' })
    truncateSync(join(dir, 'a.txt'), 3)
    await becomes(t, catalogue, { '/a.txt': 'two' })
    writeFileSync(join(dir, 'sub/.b.next'), 'by renaming')
    renameSync(join(dir, 'sub/.b.next'), join(dir, 'sub/b.txt'))
    await becomes(t, catalogue, { '/sub/b.txt': 'by renaming', '/sub/.b.next': undefined })
    rmSync(join(dir, 'gone.txt'))
    writeFileSync(join(dir, 'new.txt'), 'new')
    await becomes(t, catalogue, { '/gone.txt': undefined, '/new.txt': 'new' })
    t.equal(catalogue.lookup('/same.txt'), same, 'others keep their entries')
    t.strictSame(log, [])
  })

  t.test(`changes are followed (${watch}): folders`, async (t) => {
    const base = temporaryFolder(t)
    const dir = await writeTree(join(base, 'site'), { 'old/a.txt': 'a', 'old/deep/b.txt': 'b' })
    await writeTree(join(base, 'next'), { 'index.html': 'index', 'deep/x.txt': 'x' })
    const { catalogue } = await catalogueOf(t, dir, { watch })
    renameSync(join(dir, 'old'), join(dir, 'new'))
    await becomes(t, catalogue, {
      '/old/a.txt': undefined,
      '/old/deep/b.txt': undefined,
      '/new/a.txt': 'a',
      '/new/deep/b.txt': 'b',
    })
    writeFileSync(join(dir, 'new/deep/c.txt'), 'c')
    await becomes(t, catalogue, { '/new/deep/c.txt': 'c' })
    renameSync(join(dir, 'new'), join(base, 'away'))
    await writeTree(join(base, 'other'), { 'a.txt': 'other', 'deep/b.txt': 'other' })
    renameSync(join(base, 'other'), join(dir, 'new'))
    await becomes(t, catalogue, { '/new/a.txt': 'other', '/new/deep/b.txt': 'other' })
    writeFileSync(join(dir, 'new/deep/b.txt'), 'deep inside of it')
    await becomes(t, catalogue, { '/new/deep/b.txt': 'deep inside of it' })
    renameSync(join(base, 'next'), join(dir, 'moved-in'))
    await becomes(t, catalogue, { '/moved-in': '→ /moved-in/', '/moved-in/deep/x.txt': 'x' })
    rmSync(join(dir, 'new'), { recursive: true })
    await becomes(t, catalogue, { '/new/a.txt': undefined, '/new/deep/c.txt': undefined })
    mkdirSync(join(dir, 'new/deep'), { recursive: true })
    writeFileSync(join(dir, 'new/deep/d.txt'), 'd')
    await becomes(t, catalogue, { '/new/deep/d.txt': 'd', '/new/a.txt': undefined })
    rmSync(join(dir, 'new'), { recursive: true })
    writeFileSync(join(dir, 'new'), 'now a file')
    await becomes(t, catalogue, { '/new': 'now a file', '/new/deep/d.txt': undefined })
  })

  t.test(
    `a release that is a link is followed to the next one, as a whole (${watch})`,
    async (t) => {
      const base = temporaryFolder(t)
      const names = Array.from({ length: 40 }, (_, i) => `f${i}.txt`)
      for (const release of ['1', '2']) {
        const files = Object.fromEntries(names.map((name) => [name, `${name} of ${release}`]))
        await writeTree(join(base, release, 'public'), { ...files, [`only${release}`]: release })
      }
      symlinkSync('1', join(base, 'current'))
      const { catalogue } = await catalogueOf(t, join(base, 'current/public'), { watch })
      t.equal(textAt(catalogue, '/f0.txt'), 'f0.txt of 1')
      symlinkSync('2', join(base, 'next'))
      renameSync(join(base, 'next'), join(base, 'current'))
      const releaseOf = (name: string) => textAt(catalogue, `/${name}`)?.split(' ').at(-1)
      const deadline = performance.now() + PATIENCE_MS
      while (releaseOf('f0.txt') === '1' && performance.now() < deadline) {
        t.strictSame([...new Set(names.map(releaseOf))], ['1'], 'one release at a time')
        await sleep(20)
      }
      t.strictSame([...new Set(names.map(releaseOf))], ['2'])
      await becomes(t, catalogue, { '/only1': undefined, '/only2': '2' })
      writeFileSync(join(base, '2/public/f1.txt'), 'changed in 2')
      await becomes(t, catalogue, { '/f1.txt': 'changed in 2' })
      writeFileSync(join(base, '1/public/f1.txt'), 'changed in 1')
      await sleep(100)
      t.equal(textAt(catalogue, '/f1.txt'), 'changed in 2')
    },
  )
}

t.test(
  'a folder that is moved away goes on being served, and the one in its place then is',
  async (t) => {
    const base = temporaryFolder(t)
    const dir = await writeTree(join(base, 'site/public'), { 'a.txt': 'one', 'sub/b.txt': 'one' })
    await writeTree(join(base, 'next/public'), { 'a.txt': 'two', 'sub/b.txt': 'two' })
    const { catalogue, log } = await catalogueOf(t, dir, { watch: 'auto' })
    renameSync(join(base, 'site'), join(base, 'away'))
    await sleep(600)
    t.equal(textAt(catalogue, '/a.txt'), 'one')
    renameSync(join(base, 'next'), join(base, 'site'))
    await becomes(t, catalogue, { '/a.txt': 'two', '/sub/b.txt': 'two' })
    writeFileSync(join(dir, 'sub/b.txt'), 'three')
    await becomes(t, catalogue, { '/sub/b.txt': 'three' })
    renameSync(dir, join(base, 'gone'))
    await sleep(1200)
    t.equal(textAt(catalogue, '/a.txt'), 'two')
    t.strictSame(
      log.map((line) => line.replace(/ at \/: .*/, '')),
      [`uwas: warning: static files stay as they were: cannot serve the folder ${dir}`],
    )
  },
)

t.test('a file behind a link is followed where it lies', async (t) => {
  const dir = await writeTree(temporaryFolder(t), {
    '..data1/a.txt': 'one',
    '..data2/a.txt': 'two',
  })
  symlinkSync('..data1', join(dir, '..data'))
  symlinkSync('..data/a.txt', join(dir, 'a.txt'))
  const { catalogue } = await catalogueOf(t, dir, { watch: 'auto' })
  t.equal(textAt(catalogue, '/a.txt'), 'one')
  symlinkSync('..data2', join(dir, '..next'))
  renameSync(join(dir, '..next'), join(dir, '..data'))
  await becomes(t, catalogue, { '/a.txt': 'two' })
})

t.test('hidden files stay hidden, whenever they come', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.txt': 'a' })
  const { catalogue } = await catalogueOf(t, dir, { watch: 'auto' })
  await writeTree(dir, { '.env': 'secret', '.git/config': 'secret', 'sub/.htaccess': 'secret' })
  writeFileSync(join(dir, 'b.txt'), 'b')
  symlinkSync('/etc/hostname', join(dir, 'outside.txt'))
  await becomes(t, catalogue, { '/b.txt': 'b' })
  await catalogue.refresh()
  t.strictSame([...catalogue.paths()].sort(), ['/a.txt', '/b.txt'])
})

const skip = process.getuid?.() === 0 ? 'this user may read everything' : false

t.test('a folder that cannot be read any more takes its files along', { skip }, async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'sub/a.txt': 'a', 'b.txt': 'b' })
  const { catalogue } = await catalogueOf(t, dir, { watch: 'auto' })
  chmodSync(join(dir, 'sub'), 0)
  t.teardown(() => chmodSync(join(dir, 'sub'), 0o755))
  await becomes(t, catalogue, { '/sub/a.txt': undefined, '/b.txt': 'b' })
})

t.test('many changes at once are all seen', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.txt': 'a' })
  const { catalogue } = await catalogueOf(t, dir, { watch: 'auto' })
  const count = 3000
  for (let i = 0; i < count; i++) {
    if (i % 100 === 0) mkdirSync(join(dir, `d${i / 100}`))
    writeFileSync(join(dir, `d${Math.floor(i / 100)}/f${i}.txt`), `${i}`)
  }
  await becomes(t, catalogue, {
    '/d0/f0.txt': '0',
    '/d15/f1500.txt': '1500',
    [`/d29/f${count - 1}.txt`]: `${count - 1}`,
  })
  const deadline = performance.now() + PATIENCE_MS
  while (catalogue.stats.files <= count && performance.now() < deadline) await sleep(20)
  t.equal(catalogue.stats.files, count + 1)
})

t.test('when the system gives no watches, that is said and files are looked at', async (t) => {
  const script = `
    import { mkdirSync, writeFileSync } from 'node:fs'
    import { createCatalogue } from '${new URL('../../src/files/catalogue.ts', import.meta.url)}'
    import { loadNative } from '${new URL('../../src/native/load.ts', import.meta.url)}'
    const [dir, store] = process.argv.slice(-2)
    const lines = []
    const log = { info() {}, warn: (line) => lines.push(line), error: (line) => lines.push(line) }
    const catalogue = await createCatalogue({
      mounts: [{ dir, prefix: '/' }], storeDir: store, native: loadNative(), log, watch: 'auto',
    })
    writeFileSync(dir + '/b.txt', 'b')
    const deadline = Date.now() + ${PATIENCE_MS}
    while (catalogue.lookup('/b.txt') === undefined && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    console.log(JSON.stringify({ lines, found: catalogue.lookup('/b.txt') !== undefined }))
    await catalogue.close()
  `
  // The system's limit holds for all its processes, so it is not for a test to change.
  const base = temporaryFolder(t)
  const dir = await writeTree(join(base, 'site'), { 'a.txt': 'a' })
  const patched = `import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    fs.watch = () => { throw Object.assign(new Error('ENOSPC: no space left, watch'), { code: 'ENOSPC' }) }
    syncBuiltinESMExports()
    await import('data:text/javascript,' + encodeURIComponent(${JSON.stringify(script)}))`
  const output = execFileSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', patched, dir, join(base, 'objects')],
    { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
  )
  const { lines, found } = JSON.parse(output)
  t.ok(found)
  t.strictSame(lines, [
    'changes of static files are looked for every half second, because the system gives no more watches (ENOSPC: no space left, watch); on Linux raise fs.inotify.max_user_watches',
  ])
})
