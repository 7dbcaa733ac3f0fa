import { readdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadManifest, manifestPath, saveManifest } from '../../src/files/manifest.ts'
import { loadNative } from '../../src/native/load.ts'
import { bodyOf, catalogueOf, etagOf, temporaryFolder, writeTree } from '../support/catalogue.ts'

const FILES = { 'a.txt': 'alpha', 'b/index.html': 'beta', 'c.css': 'gamma', 'empty.txt': '' }

/** A site that was served once, and what the next start takes to read it. */
async function served(t: Parameters<typeof catalogueOf>[0]) {
  const base = temporaryFolder(t)
  const dir = await writeTree(join(base, 'site'), FILES)
  const storeDir = join(base, 'objects')
  const { catalogue } = await catalogueOf(t, dir, { storeDir })
  t.equal(catalogue.stats.hashed, 4, 'a cold start reads everything')
  await catalogue.close()
  return { dir, storeDir, manifest: manifestPath(storeDir, [dir]) }
}

/** Starts again and counts what was opened. */
async function startAgain(t: Parameters<typeof catalogueOf>[0], dir: string, storeDir: string) {
  const native = loadNative()
  const opened: string[] = []
  const { catalogue, log } = await catalogueOf(t, dir, {
    storeDir,
    native: {
      ...native,
      openBeneath(root, path) {
        opened.push(path)
        return native.openBeneath(root, path)
      },
    },
  })
  return { catalogue, opened: [...new Set(opened)].sort(), log }
}

t.test('a warm start opens no file of the site and writes nothing', async (t) => {
  const { dir, storeDir, manifest } = await served(t)
  const before = statSync(manifest, { bigint: true })
  const { catalogue, opened } = await startAgain(t, dir, storeDir)
  t.strictSame(opened, [])
  t.strictSame(catalogue.stats, { files: 4, bytes: 14, hashed: 0, reused: 4, streamed: 0 })
  t.equal(bodyOf(catalogue.lookup('/b/')), 'beta')
  t.equal(bodyOf(catalogue.lookup('/empty.txt')), '')
  t.equal(catalogue.lookup('/a.txt')?.etag, etagOf('alpha'))
  t.equal(statSync(manifest, { bigint: true }).ino, before.ino)
})

t.test('a warm start reads what has changed, whatever its size and time stamp say', async (t) => {
  const { dir, storeDir } = await served(t)
  const stats = statSync(join(dir, 'a.txt'))
  await writeTree(dir, { 'a.txt': 'ALPHA', 'new.txt': 'new' })
  utimesSync(join(dir, 'a.txt'), stats.atime, stats.mtime)
  const { catalogue, opened } = await startAgain(t, dir, storeDir)
  t.strictSame(opened, ['a.txt', 'new.txt'])
  t.equal(bodyOf(catalogue.lookup('/a.txt')), 'ALPHA')
  t.strictSame((await startAgain(t, dir, storeDir)).opened, [], 'and remembers it')
})

t.test('files that change places are told apart', async (t) => {
  const { dir, storeDir } = await served(t)
  renameSync(join(dir, 'a.txt'), join(dir, 'x'))
  renameSync(join(dir, 'c.css'), join(dir, 'a.txt'))
  renameSync(join(dir, 'x'), join(dir, 'c.css'))
  const { catalogue } = await startAgain(t, dir, storeDir)
  t.equal(bodyOf(catalogue.lookup('/a.txt')), 'gamma')
  t.equal(bodyOf(catalogue.lookup('/c.css')), 'alpha')
})

t.test('a damaged or foreign manifest is ignored without a word', async (t) => {
  const { dir, storeDir, manifest } = await served(t)
  const text = readFileSync(manifest, 'utf8')
  const saved = JSON.parse(text)
  for (const damaged of [
    '',
    text.slice(0, text.length / 2),
    'null',
    '[]',
    '{}',
    text.replaceAll('a', '\u0001'),
    JSON.stringify({ ...saved, version: 99 }),
    JSON.stringify({ ...saved, files: { a: 1 } }),
    JSON.stringify({ ...saved, files: [null] }),
    JSON.stringify({ ...saved, files: [['a', 'b', '../../../etc/passwd']] }),
    JSON.stringify({ ...saved, files: [[1, 2, 3]] }),
  ]) {
    writeFileSync(manifest, damaged)
    const { catalogue, opened, log } = await startAgain(t, dir, storeDir)
    t.equal(opened.length, 4, JSON.stringify(damaged.slice(0, 40)))
    t.equal(bodyOf(catalogue.lookup('/a.txt')), 'alpha')
    t.strictSame(log, [])
    t.equal(readFileSync(manifest, 'utf8').length, text.length, 'it is written anew')
  }
})

t.test(
  'after the machine was started anew, objects are verified before they are used',
  async (t) => {
    const { dir, storeDir, manifest } = await served(t)
    const objects = (readdirSync(storeDir, { recursive: true }) as string[]).filter((name) =>
      name.endsWith('.raw'),
    )
    // What a power failure leaves: the right name and length, but not the bytes.
    for (const name of objects) {
      const path = join(storeDir, name)
      const size = statSync(path).size
      renameSync(path, `${path}.old`)
      writeFileSync(path, Buffer.alloc(size))
    }
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/"boot":"[^"]*"/, '"boot":"x"'))
    const { catalogue, opened } = await startAgain(t, dir, storeDir)
    t.strictSame(opened, ['a.txt', 'b/index.html', 'c.css'])
    t.equal(bodyOf(catalogue.lookup('/a.txt')), 'alpha')
    t.equal((await loadManifest(manifest)).sameBoot, true)
  },
)

t.test('two sites that share a store have a manifest each', async (t) => {
  const { storeDir, dir } = await served(t)
  const other = await writeTree(temporaryFolder(t), { 'a.txt': 'alpha', z: 'zeta' })
  const first = await startAgain(t, other, storeDir)
  t.equal(first.opened.length, 2)
  t.strictSame((await startAgain(t, other, storeDir)).opened, [])
  t.strictSame((await startAgain(t, dir, storeDir)).opened, [])
  t.not(manifestPath(storeDir, ['/a', '/b']), manifestPath(storeDir, ['/a/b']))
})

t.test('a manifest that cannot be written costs a warning', async (t) => {
  const base = temporaryFolder(t)
  const dir = await writeTree(join(base, 'site'), FILES)
  const storeDir = join(base, 'objects')
  await writeTree(manifestPath(storeDir, [dir]), { 'in-the-way': 'x' })
  const { catalogue, log } = await catalogueOf(t, dir, { storeDir })
  t.equal(bodyOf(catalogue.lookup('/a.txt')), 'alpha')
  t.match(log, [/^uwas: warning: the next start will read all static files again: /])
  t.strictSame(
    readdirSync(storeDir).filter((name) => name.startsWith('manifest-')).length,
    1,
    'no temporary file is left',
  )
})

t.test('a manifest comes back as it was saved', async (t) => {
  const path = join(temporaryFolder(t), 'manifest.json')
  const files = new Map([
    ['/한글/"a"\n', { identity: '1.2.3.4', hash: '0'.repeat(32) }],
    ['/b', { identity: '5', hash: 'abcdef0123456789'.repeat(2) }],
  ])
  await saveManifest(path, files)
  t.strictSame(await loadManifest(path), { files, sameBoot: true })
  t.strictSame(await loadManifest(`${path}-missing`), { files: new Map(), sameBoot: false })
})
