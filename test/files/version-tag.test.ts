import { renameSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Services } from '../../src/core/services.ts'
import { answer } from '../../src/files/answer.ts'
import type { Catalogue } from '../../src/files/catalogue.ts'
import type { FileEntry } from '../../src/files/entry.ts'
import { file, PRIVATE_FILES } from '../../src/files/send-file.ts'
import { versionTag } from '../../src/files/version-tag.ts'
import { loadNative } from '../../src/native/load.ts'
import { catalogueOf, fieldsOf, sentOf, temporaryFolder, writeTree } from '../support/catalogue.ts'
import { requestOf } from '../support/request.ts'

const TEN = '0123456789'
const TIME = Date.UTC(2026, 0, 2, 3, 4, 5) / 1000
const STRONG = /^"[^"]+"$/

/** Far above the two seconds that a file has to lie still. */
const MAX_TRIES = 500

async function becomesStrong(etagOf: () => string): Promise<string> {
  for (let i = 0; i < MAX_TRIES && etagOf().startsWith('W/'); i++) await sleep(20)
  return etagOf()
}

const at = (catalogue: Catalogue, path: string) => catalogue.lookup(path) as FileEntry

t.test('a streamed file has a weak tag, and a strong one once it has lain still', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.bin': TEN, 'a.bin.br': 'br of ten' })
  const { catalogue } = await catalogueOf(t, dir, { ceilingBytes: 5, watch: 'auto' })
  const first = at(catalogue, '/a.bin')
  const strong = await becomesStrong(() => at(catalogue, '/a.bin').etag)
  t.match(strong, /^"10\.\d+\.\d+"$/)
  t.equal(first.etag.replace('W/', ''), strong, 'without a change of the file')
  const br = await becomesStrong(() => at(catalogue, '/a.bin').variants[0]?.etag ?? '')
  t.match(br, /^"9\.\d+\.\d+-br"$/, 'and so has what lies next to it')
  const entry = at(catalogue, '/a.bin')
  const ask = (fields: object) => answer(entry, true, fieldsOf(fields))
  t.equal(ask({ ifMatch: strong }).status, 200)
  t.equal(ask({ ifNoneMatch: `W/${strong}` }).status, 304)
  const part = ask({ range: 'bytes=6-', ifRange: strong })
  t.equal(part.status, 206)
  t.equal(await sentOf(part), '6789', 'a download goes on')

  writeFileSync(join(dir, 'a.bin'), 'abcdefghij')
  for (let i = 0; i < MAX_TRIES && at(catalogue, '/a.bin') === entry; i++) await sleep(20)
  const next = at(catalogue, '/a.bin')
  t.equal(answer(next, true, fieldsOf({ range: 'bytes=6-', ifRange: strong })).status, 200)
  const after = await becomesStrong(() => at(catalogue, '/a.bin').etag)
  t.match(after, STRONG)
  t.not(after, strong)
})

t.test('a tag is weak while a second write could have the same time', async (t) => {
  const identity = {
    key: '7.10.20.30',
    contentKey: '7.10.20',
    version: '10.20',
    size: 10,
    mtimeMs: 0,
    unlinked: false,
  }
  const tagOf = (changedMs: number) => versionTag({ ...identity, changedMs })
  t.equal(tagOf(Date.now() + 60_000), 'W/"10.20"', 'of a clock that was set back')
  t.equal(tagOf(Date.now()), 'W/"10.20"')
  t.equal(tagOf(Date.now() - 2000), '"10.20"', 'and nothing of the inode is in it')
})

t.test(
  'of two files with one size and one time of modification each has its own tag',
  async (t) => {
    const dir = temporaryFolder(t)
    const put = (text: string) => {
      writeFileSync(join(dir, '.next'), text)
      // As archives, package managers and build tools do: the time is that of no write.
      utimesSync(join(dir, '.next'), TIME, TIME)
      renameSync(join(dir, '.next'), join(dir, 'a.bin'))
    }
    put(TEN)
    const { catalogue } = await catalogueOf(t, dir, { ceilingBytes: 5, watch: 'auto' })
    const strong = await becomesStrong(() => at(catalogue, '/a.bin').etag)
    const entry = at(catalogue, '/a.bin')
    put('abcdefghij')
    for (let i = 0; i < MAX_TRIES && at(catalogue, '/a.bin') === entry; i++) await sleep(20)
    const after = await becomesStrong(() => at(catalogue, '/a.bin').etag)
    t.match(after, STRONG)
    t.not(after, strong)
    const part = fieldsOf({ range: 'bytes=0-3', ifRange: strong })
    t.equal(answer(at(catalogue, '/a.bin'), true, part).status, 200, 'nothing is spliced')
  },
)

t.test('file() has a strong tag, one for each coding, once a file has lain still', async (t) => {
  const root = await writeTree(temporaryFolder(t), { 'a.txt': TEN, 'a.txt.gz': 'gz of ten!' })
  for (const name of ['a.txt', 'a.txt.gz']) utimesSync(join(root, name), TIME, TIME)
  const services = new Services().provide(PRIVATE_FILES, { native: loadNative(), root })
  const ask = (headers: Record<string, string> = {}) =>
    file(requestOf('GET', '/', { headers, services }), 'a.txt')
  const etagOf = (headers?: Record<string, string>) =>
    ask(headers).headers?.find(([name]) => name === 'ETag')?.[1] ?? ''
  const strong = await becomesStrong(() => etagOf())
  t.match(strong, new RegExp(`^"10\\.${TIME}000000000\\.\\d+"$`))
  const gzip = { 'accept-encoding': 'gzip' }
  const packed = await becomesStrong(() => etagOf(gzip))
  t.match(packed, /^"10\.[\d.]+-gzip"$/, 'of the same size, and no other bytes')
  const rest = { range: 'bytes=6-' }
  t.equal(ask({ ...rest, 'if-range': strong }).status, 206)
  t.equal(ask({ ...rest, 'if-range': strong, ...gzip }).status, 200)
  t.equal(ask({ ...rest, 'if-range': packed, ...gzip }).status, 206)
  t.equal(ask({ 'if-match': strong }).status, 200)
  writeFileSync(join(root, 'a.txt'), 'abcdefghij')
  t.equal(ask({ ...rest, 'if-range': strong }).status, 200)
  t.throws(() => ask({ 'if-match': strong }), { name: 'HttpError', message: 'Precondition Failed' })
})
