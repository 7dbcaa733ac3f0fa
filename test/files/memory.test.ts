import { rmSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Content } from '../../src/files/content.ts'
import type { FileEntry } from '../../src/files/entry.ts'
import { catalogueOf, etagOf, headOf, temporaryFolder, writeTree } from '../support/catalogue.ts'

/** A site of ten files of 1,000 bytes with memory for three. */
async function tight(t: Parameters<typeof catalogueOf>[0]) {
  const base = temporaryFolder(t)
  const files = Object.fromEntries(
    Array.from({ length: 10 }, (_, i) => [`${i}.txt`, String(i).repeat(1000)]),
  )
  const dir = await writeTree(join(base, 'site'), files)
  const storeDir = join(base, 'objects')
  const { catalogue, log } = await catalogueOf(t, dir, { storeDir, maxBytes: 3000 })
  const entryOf = (name: string) => catalogue.lookup(`/${name}`) as FileEntry
  return { base, dir, storeDir, files, catalogue, log, entryOf }
}

t.test('all paths are known, and as much is in memory as the budget has', async (t) => {
  const { files, catalogue, entryOf } = await tight(t)
  t.strictSame(catalogue.memory, {
    contents: 3,
    bytes: 3000,
    maxBytes: 3000,
    evicted: 0,
    hits: 0,
    misses: 0,
  })
  for (const [name, text] of Object.entries(files)) {
    const entry = entryOf(name)
    t.equal(entry.etag, etagOf(text))
    t.match(headOf(entry.ok), `ETag: ${etagOf(text)}`)
    const bytes = await entry.ok.content?.load()
    t.equal(Buffer.from(bytes as ArrayBuffer).toString(), text)
    t.ok(catalogue.memory.bytes <= 3000)
  }
})

t.test('a cold file is read once, however many ask for it', async (t) => {
  const { files, entryOf } = await tight(t)
  const name = Object.keys(files).find((each) => entryOf(each).ok.content?.bytes === null) as string
  const content = entryOf(name).ok.content as Content
  const asked = Array.from({ length: 100 }, () => content.load())
  t.equal(new Set(asked).size, 1, 'one promise for all')
  t.equal(new Set(await Promise.all(asked)).size, 1)
})

t.test('what is asked for often comes into memory and stays', async (t) => {
  const { catalogue, entryOf } = await tight(t)
  for (let round = 0; round < 5; round++) {
    for (const name of ['7.txt', '8.txt']) await entryOf(name).ok.content?.load()
  }
  for (let i = 0; i < 7; i++) await entryOf(`${i}.txt`).ok.content?.load()
  t.not(entryOf('7.txt').ok.content?.take(), null)
  t.not(entryOf('8.txt').ok.content?.take(), null)
  t.ok(catalogue.memory.evicted >= 2)
})

t.test('when the store has lost an object, the file is read once more', async (t) => {
  const { storeDir, files, entryOf } = await tight(t)
  for (const name of await readdir(storeDir)) {
    if (/^[0-9a-f]{2}$/.test(name)) await rm(join(storeDir, name), { recursive: true })
  }
  for (const [name, text] of Object.entries(files)) {
    const bytes = await entryOf(name).ok.content?.load()
    t.equal(Buffer.from(bytes as ArrayBuffer).toString(), text)
  }
})

t.test('a cold file whose bytes nobody has any more asks the client to come back', async (t) => {
  const { dir, storeDir, files } = await tight(t)
  const { catalogue } = await catalogueOf(t, dir, { storeDir, maxBytes: 3000 })
  const contentAt = (name: string) => catalogue.lookup(`/${name}`)?.ok.content as Content
  const name = Object.keys(files).find((each) => contentAt(each).bytes === null) as string
  const content = contentAt(name)
  rmSync(storeDir, { recursive: true })
  rmSync(join(dir, name))
  await t.rejects(content.load(), {
    code: 'UWAS_ERR_FILES_CHANGED',
    message: `/${name} has changed since it was looked up; ask again in a moment`,
  })
})

t.test('files that go give back what they took', async (t) => {
  const { dir, files, catalogue } = await tight(t)
  for (const name of Object.keys(files)) rmSync(join(dir, name))
  await catalogue.refresh()
  t.strictSame(catalogue.memory, {
    contents: 0,
    bytes: 0,
    maxBytes: 3000,
    evicted: 0,
    hits: 0,
    misses: 0,
  })
})

t.test('equal files share their bytes, until the last of them goes', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.bin': 'same', 'b.bin': 'same' })
  const { catalogue } = await catalogueOf(t, dir)
  t.equal(catalogue.memory.bytes, 4)
  t.equal(catalogue.lookup('/a.bin')?.ok.content, catalogue.lookup('/b.bin')?.ok.content)
  rmSync(join(dir, 'a.bin'))
  await catalogue.refresh()
  t.equal(catalogue.memory.bytes, 4)
  rmSync(join(dir, 'b.bin'))
  await catalogue.refresh()
  t.equal(catalogue.memory.bytes, 0)
})
