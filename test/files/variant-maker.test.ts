import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import t from 'tap'
import { answer } from '../../src/files/answer.ts'
import type { Catalogue } from '../../src/files/catalogue.ts'
import type { FileEntry, Prepared } from '../../src/files/entry.ts'
import {
  catalogueOf,
  etagOf,
  fieldsOf,
  headOf,
  sentOf,
  temporaryFolder,
  writeTree,
} from '../support/catalogue.ts'

const TEXT = Array.from({ length: 500 }, (_, i) => `line ${i * i} of the file\n`).join('')

function get(catalogue: Catalogue, path: string, acceptEncoding = ''): Prepared {
  return answer(catalogue.lookup(path) as FileEntry, true, fieldsOf({ acceptEncoding }))
}

function codingOf(prepared: Prepared): string {
  return /\r\nContent-Encoding: (\S+)/.exec(headOf(prepared))?.[1] ?? ''
}

/** Asks until the answer has the coding. */
async function made(catalogue: Catalogue, path: string, coding: string): Promise<Prepared> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const prepared = get(catalogue, path, coding)
    if (codingOf(prepared) === coding) return prepared
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`${path} is not sent as ${coding}`)
}

async function bytesOf(prepared: Prepared): Promise<Buffer> {
  return Buffer.from(await sentOf(prepared), 'latin1')
}

t.test('what a client takes is made, kept apart and tagged by its own bytes', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.txt': TEXT })
  const { catalogue } = await catalogueOf(t, dir)
  const first = get(catalogue, '/a.txt', 'br')
  t.equal(codingOf(first), '', 'nobody waits for it')
  const br = await made(catalogue, '/a.txt', 'br')
  const gzip = await made(catalogue, '/a.txt', 'gzip')
  t.equal(brotliDecompressSync(await bytesOf(br)).toString(), TEXT)
  t.equal(gunzipSync(await bytesOf(gzip)).toString(), TEXT)
  t.ok(br.length < gzip.length && gzip.length < TEXT.length * 0.9)
  for (const prepared of [br, gzip]) {
    t.match(headOf(prepared), /\r\nVary: Accept-Encoding\r\n/)
    t.match(headOf(prepared), `\r\nETag: ${etagOf(await bytesOf(prepared))}\r\n`)
  }
  t.equal(get(catalogue, '/a.txt', 'gzip, br'), br, 'the smallest of equals')
  const plain = get(catalogue, '/a.txt')
  t.equal(plain, first)
  t.equal(await sentOf(plain), TEXT)
})

t.test('a small site is made without being asked', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.txt': TEXT })
  const { catalogue } = await catalogueOf(t, dir)
  const entry = catalogue.lookup('/a.txt') as FileEntry
  for (let i = 0; i < 1000 && entry.variants.length === 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.ok(entry.variants.length >= 2)
})

t.test('what does not shrink, or is too small, stays as it is', async (t) => {
  const noise = Array.from({ length: 1000 }, (_, i) => ((i * 7919) ^ (i << 7)) & 255)
  const dir = await writeTree(temporaryFolder(t), {
    'small.txt': 'a'.repeat(255),
    'random.txt': Buffer.from(noise.map((n, i) => (n * (i + 13) * 31) % 251)),
    'a.png': TEXT,
    'z.txt': TEXT,
  })
  const { catalogue } = await catalogueOf(t, dir)
  for (const path of ['/small.txt', '/random.txt', '/a.png']) get(catalogue, path, 'br')
  await made(catalogue, '/z.txt', 'br')
  for (const path of ['/small.txt', '/a.png']) {
    const entry = catalogue.lookup(path) as FileEntry
    t.equal(entry.maker, null, path)
    t.strictSame(entry.variants, [], path)
    t.equal(codingOf(get(catalogue, path, 'br')), '', path)
  }
})

t.test('a restart finds what was made, without making it again', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.txt': TEXT })
  const storeDir = join(temporaryFolder(t), 'objects')
  const { catalogue } = await catalogueOf(t, dir, { storeDir })
  const before = await bytesOf(await made(catalogue, '/a.txt', 'br'))
  await catalogue.close()
  const index = readFileSync(join(storeDir, 'variants-1.jsonl'), 'utf8')
  t.equal(index.split('\n').length, 2)
  const again = await catalogueOf(t, dir, { storeDir })
  const prepared = get(again.catalogue, '/a.txt', 'br')
  t.equal(codingOf(prepared), 'br', 'the first request has it')
  t.equal((await bytesOf(prepared)).equals(before), true)
  t.equal(readFileSync(join(storeDir, 'variants-1.jsonl'), 'utf8'), index)
})

t.test('a damaged index is ignored line by line', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.txt': TEXT, 'b.txt': `${TEXT}b` })
  const storeDir = join(temporaryFolder(t), 'objects')
  const { catalogue } = await catalogueOf(t, dir, { storeDir })
  await made(catalogue, '/a.txt', 'br')
  await made(catalogue, '/b.txt', 'br')
  await catalogue.close()
  const path = join(storeDir, 'variants-1.jsonl')
  const [one = '', two = ''] = readFileSync(path, 'utf8').split('\n')
  const bad = ['x', '[]', '{}', '["../../x","br,gzip",[]]', one.replace(/"br",/, '"br2",')]
  writeFileSync(path, [...bad, one.slice(0, 60), two, ''].join('\n'))
  const again = await catalogueOf(t, dir, { storeDir })
  t.equal(codingOf(get(again.catalogue, '/b.txt', 'br')), 'br')
  t.equal(codingOf(get(again.catalogue, '/a.txt', 'br')), '')
  t.equal(gunzipSync(await bytesOf(await made(again.catalogue, '/a.txt', 'gzip'))).toString(), TEXT)
})

t.test('an object that the store has lost is made again', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.txt': TEXT })
  const storeDir = join(temporaryFolder(t), 'objects')
  const { catalogue } = await catalogueOf(t, dir, { storeDir })
  const etag = etagOf(await bytesOf(await made(catalogue, '/a.txt', 'br')))
  await catalogue.close()
  const folder = join(storeDir, etag.slice(1, 3))
  for (const name of readdirSync(folder)) rmSync(join(folder, name))
  const again = await catalogueOf(t, dir, { storeDir })
  const lost = get(again.catalogue, '/a.txt', 'br')
  t.equal(codingOf(lost), 'br')
  await t.rejects(sentOf(lost), { code: 'UWAS_ERR_FILES_CHANGED', status: 503 })
  t.equal(codingOf(get(again.catalogue, '/a.txt', 'br')), '', 'meanwhile the file itself is sent')
  t.equal(
    brotliDecompressSync(await bytesOf(await made(again.catalogue, '/a.txt', 'br'))).toString(),
    TEXT,
  )
})

t.test('a new version never has the encodings of the old one', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.txt': TEXT })
  const { catalogue } = await catalogueOf(t, dir)
  const old = await made(catalogue, '/a.txt', 'br')
  await writeTree(dir, { 'a.txt': `${TEXT}new` })
  await catalogue.refresh()
  t.equal(codingOf(get(catalogue, '/a.txt', 'br')), '')
  const next = await made(catalogue, '/a.txt', 'br')
  t.equal(brotliDecompressSync(await bytesOf(next)).toString(), `${TEXT}new`)
  t.equal(brotliDecompressSync(await bytesOf(old)).toString(), TEXT, 'begun before the change')
})

t.test('without a folder to keep them in, encodings are kept in memory', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.txt': TEXT })
  const { catalogue } = await catalogueOf(t, dir, { storeDir: null })
  const br = await made(catalogue, '/a.txt', 'br')
  t.equal(brotliDecompressSync(await bytesOf(br)).toString(), TEXT)
})

t.test('closing during the work ends it in silence', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.txt': TEXT.repeat(200) })
  const { catalogue, log } = await catalogueOf(t, dir)
  get(catalogue, '/a.txt', 'br')
  await new Promise((resolve) => setTimeout(resolve, 50))
  await catalogue.close()
  t.strictSame(log, [])
})
