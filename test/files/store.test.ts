import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createLog } from '../../src/core/log.ts'
import { createStore, hashOf } from '../../src/files/store.ts'
import { loadNative } from '../../src/native/load.ts'
import { bodyOf, catalogueOf, etagOf, temporaryFolder, writeTree } from '../support/catalogue.ts'

const CONTENT = 'the content'
const BYTES = Buffer.from(CONTENT)
const HASH = hashOf(BYTES)

function pathOf(dir: string, hash: string): string {
  return join(dir, hash.slice(0, 2), `${hash.slice(2)}.raw`)
}

function objectsIn(dir: string): string[] {
  const names = readdirSync(dir, { recursive: true }) as string[]
  return names.filter((name) => name.endsWith('.raw'))
}

async function storeIn(dir: string, kind: '' | 'off' = '') {
  const log: string[] = []
  const store = await createStore(
    dir,
    loadNative(kind),
    createLog((line) => log.push(line)),
  )
  return { store, log }
}

for (const kind of ['', 'off'] as const) {
  t.test(`contents are kept read-only under their hash (${loadNative(kind).kind})`, async (t) => {
    const dir = join(temporaryFolder(t), 'deep/objects')
    const { store, log } = await storeIn(dir, kind)
    const body = await store.put(HASH, BYTES)
    t.equal(Buffer.from(body).toString(), CONTENT)
    t.equal(await store.put(HASH, Buffer.from(CONTENT)), body, 'the same contents share one buffer')
    t.equal(store.find(HASH, BYTES.length, true), body)
    t.equal(readFileSync(pathOf(dir, HASH), 'utf8'), CONTENT)
    t.equal(statSync(pathOf(dir, HASH)).mode & 0o777, 0o444)
    t.strictSame(readdirSync(join(dir, 'tmp')), [])
    t.strictSame(log, [])
  })
}

t.test('another server finds what one has stored, and writes nothing', async (t) => {
  const dir = temporaryFolder(t)
  await (await storeIn(dir)).store.put(HASH, BYTES)
  const before = statSync(pathOf(dir, HASH), { bigint: true })
  const { store } = await storeIn(dir)
  await store.put(HASH, Buffer.from(CONTENT))
  const found = (await storeIn(dir)).store.find(HASH, BYTES.length, true)
  t.equal(Buffer.from(found as ArrayBuffer).toString(), CONTENT)
  const after = statSync(pathOf(dir, HASH), { bigint: true })
  t.equal(after.ino, before.ino)
  t.equal(after.ctimeNs, before.ctimeNs)
})

t.test('an object that is not what its name says is not found, and is replaced', async (t) => {
  const damages: [how: string, damage: (path: string) => void, verify: boolean][] = [
    ['shorter', (path) => truncateSync(path, 3), false],
    ['longer', (path) => writeFileSync(path, `${CONTENT}more`), false],
    ['empty', (path) => truncateSync(path, 0), false],
    ['removed', (path) => rmSync(path), false],
    ['overwritten', (path) => writeFileSync(path, 'THE CONTENT'), true],
  ]
  for (const [how, damage, verify] of damages) {
    const dir = temporaryFolder(t)
    await (await storeIn(dir, 'off')).store.put(HASH, BYTES)
    chmodSync(pathOf(dir, HASH), 0o644)
    damage(pathOf(dir, HASH))
    const { store, log } = await storeIn(dir)
    t.equal(store.find(HASH, BYTES.length, verify), null, how)
    const body = await store.put(HASH, Buffer.from(CONTENT))
    t.equal(Buffer.from(body).toString(), CONTENT, how)
    t.equal(readFileSync(pathOf(dir, HASH), 'utf8'), CONTENT, how)
    t.strictSame(log, [])
  }
})

t.test('many servers may store the same at once', async (t) => {
  const dir = temporaryFolder(t)
  const stores = await Promise.all(Array.from({ length: 8 }, () => storeIn(dir)))
  const bodies = await Promise.all(
    stores.flatMap(({ store }) => [
      store.put(HASH, Buffer.from(CONTENT)),
      store.put(HASH, Buffer.from(CONTENT)),
    ]),
  )
  for (const body of bodies) t.equal(Buffer.from(body).toString(), CONTENT)
  t.equal(objectsIn(dir).length, 1)
  t.strictSame(readdirSync(join(dir, 'tmp')), [])
})

t.test('nothing is stored for nothing', async (t) => {
  const dir = temporaryFolder(t)
  const { store } = await storeIn(dir)
  const body = await store.put(hashOf(Buffer.alloc(0)), Buffer.alloc(0))
  t.equal(body.byteLength, 0)
  t.equal(store.find(hashOf(Buffer.alloc(0)), 0, true), body)
  t.strictSame(objectsIn(dir), [])
})

t.test('part of a larger buffer is stored as that part', async (t) => {
  const part = Buffer.from(`--${CONTENT}--`).subarray(2, -2)
  const memory = await createStore(
    null,
    loadNative(),
    createLog(() => undefined),
  )
  t.equal(Buffer.from(await memory.put(HASH, part)).toString(), CONTENT)
})

t.test(
  'when an object cannot be written, its contents are kept in memory, said once',
  async (t) => {
    const dir = temporaryFolder(t)
    const other = Buffer.from('other content')
    for (const hash of [HASH, hashOf(other)])
      writeFileSync(join(dir, hash.slice(0, 2)), 'in the way')
    const { store, log } = await storeIn(dir)
    t.equal(Buffer.from(await store.put(HASH, Buffer.from(CONTENT))).toString(), CONTENT)
    t.equal(Buffer.from(await store.put(hashOf(other), other)).toString(), 'other content')
    t.equal(log.length, 1)
    t.match(
      log[0],
      /^uwas: warning: some static files are copied to private memory: E(?:EXIST|NOTDIR)/,
    )
    t.strictSame(readdirSync(join(dir, 'tmp')), [], 'nothing half-written stays')
  },
)

t.test(
  'what a killed server left half-written is removed, a running one is not disturbed',
  async (t) => {
    const dir = await writeTree(temporaryFolder(t), { 'tmp/old': 'x', 'tmp/new': 'x' })
    utimesSync(join(dir, 'tmp/old'), 1e9, 1e9)
    await storeIn(dir)
    t.strictSame(readdirSync(join(dir, 'tmp')), ['new'])
  },
)

t.test('a catalogue over a damaged store serves the right bytes', async (t) => {
  const base = temporaryFolder(t)
  const files = { 'a.txt': 'alpha', 'b.txt': 'beta', 'c.txt': 'gamma' }
  const dir = await writeTree(join(base, 'site'), files)
  const storeDir = join(base, 'objects')
  await (await catalogueOf(t, dir, { storeDir, native: loadNative('off') })).catalogue.close()
  const damaged = pathOf(storeDir, hashOf(Buffer.from('alpha')))
  chmodSync(damaged, 0o644)
  truncateSync(damaged, 2)
  rmSync(pathOf(storeDir, hashOf(Buffer.from('beta'))))
  const { catalogue, log } = await catalogueOf(t, dir, { storeDir })
  for (const [name, content] of Object.entries(files)) {
    t.equal(bodyOf(catalogue.lookup(`/${name}`)), content)
    t.equal(catalogue.lookup(`/${name}`)?.etag, etagOf(content))
  }
  t.strictSame(catalogue.stats, { files: 3, bytes: 14, hashed: 2, reused: 1, streamed: 0 })
  t.equal(readFileSync(damaged, 'utf8'), 'alpha')
  t.ok(existsSync(pathOf(storeDir, hashOf(Buffer.from('beta')))))
  t.strictSame(log, [])
})
