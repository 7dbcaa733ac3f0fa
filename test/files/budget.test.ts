import { rmSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { Budget } from '../../src/files/budget.ts'
import { Content } from '../../src/files/content.ts'
import type { FileEntry } from '../../src/files/entry.ts'
import { catalogueOf, etagOf, headOf, temporaryFolder, writeTree } from '../support/catalogue.ts'

const nobody = { load: () => Promise.reject(new Error('not asked for')) }

function contentOf(length: number, uses = 0): Content {
  const content = new Content(length, new ArrayBuffer(0), nobody)
  content.uses = uses
  return content
}

t.test('what fits is admitted, and counted once', async (t) => {
  const budget = new Budget(100, () => [])
  const [one, two] = [contentOf(60), contentOf(40)]
  t.ok(budget.admit(one) && budget.admit(two) && budget.admit(one))
  t.strictSame([budget.bytes, budget.count, budget.evicted], [100, 2, 0])
  budget.remove(one)
  budget.remove(one)
  t.strictSame([budget.bytes, budget.count], [40, 1])
})

t.test('a newcomer gets in only where it is used more than what leaves for it', async (t) => {
  const all = [contentOf(50, 5), contentOf(50, 2)]
  const budget = new Budget(100, () => all)
  for (const content of all) budget.admit(content)
  t.notOk(budget.admit(contentOf(50, 2)), 'as much is not more')
  t.notOk(budget.admit(contentOf(101, 200)), 'larger than all of it')
  t.notOk(budget.admit(contentOf(100, 3)), 'one of the two that would have to go is used more')
  t.strictSame([budget.bytes, budget.count, budget.evicted], [100, 2, 0])
  t.not(all[1]?.bytes, null)
  t.ok(budget.admit(contentOf(50, 3)))
  t.equal(all[1]?.bytes, null)
  t.not(all[0]?.bytes, null)
  t.equal(budget.evicted, 1)
})

t.test('a scan through all files does not push out those that are asked for often', async (t) => {
  const hot = Array.from({ length: 50 }, () => contentOf(10, 20))
  const cold = Array.from({ length: 5000 }, () => contentOf(10, 1))
  const budget = new Budget(1000, () => [...hot, ...cold])
  for (const content of [...hot, ...cold]) budget.admit(content)
  t.ok(hot.every((content) => content.place >= 0))
  t.ok(budget.bytes <= 1000)
})

t.test('yesterday’s favourites fade, and leave for those of today', async (t) => {
  const old = Array.from({ length: 100 }, () => contentOf(10, 255))
  const fresh = Array.from({ length: 100 }, () => contentOf(10))
  const budget = new Budget(1000, () => [...old, ...fresh])
  for (const content of old) budget.admit(content)
  for (let round = 0; round < 200; round++) {
    for (const content of fresh) {
      content.take()
      budget.admit(content)
    }
  }
  t.ok(fresh.filter((content) => content.place >= 0).length > 90)
})

t.test('a Zipf spread of requests finds more in memory than with the oldest out', async (t) => {
  const files = 2000
  const room = 200
  let seed = 42
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed / 2 ** 31
  }
  const pick = () => Math.floor(files ** random()) - 1
  const all = Array.from({ length: files }, () => new Content(1, null, nobody))
  const budget = new Budget(room, () => all)
  const recent = new Map<number, true>()
  let [hits, recentHits] = [0, 0]
  for (let i = 0; i < 100_000; i++) {
    const at = pick()
    const content = all[at] as Content
    content.take()
    if (content.place >= 0) hits++
    else budget.admit(content)
    if (recent.delete(at)) recentHits++
    recent.set(at, true)
    if (recent.size > room) recent.delete(recent.keys().next().value as number)
  }
  t.ok(hits > recentHits * 1.02, `${hits} hits, ${recentHits} of the least recently used`)
})

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
  t.strictSame(catalogue.memory, { contents: 3, bytes: 3000, maxBytes: 3000, evicted: 0 })
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
  t.strictSame(catalogue.memory, { contents: 0, bytes: 0, maxBytes: 3000, evicted: 0 })
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
