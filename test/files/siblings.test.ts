import { rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
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

const ALL = 'gzip, br, zstd'

async function folderOf(t: Parameters<typeof catalogueOf>[0], files: Record<string, string>) {
  const dir = await writeTree(temporaryFolder(t), files)
  for (const name of Object.keys(files)) age(dir, name, 100)
  return dir
}

/** Sets a file's time to so many seconds ago. */
function age(dir: string, name: string, seconds: number): void {
  const time = Math.floor(Date.now() / 1000) - seconds
  utimesSync(join(dir, name), time, time)
}

function get(catalogue: Catalogue, path: string, acceptEncoding = ''): Prepared {
  return answer(catalogue.lookup(path) as FileEntry, true, fieldsOf({ acceptEncoding }))
}

function codingOf(prepared: Prepared): string {
  return /\r\nContent-Encoding: (\S+)/.exec(headOf(prepared))?.[1] ?? ''
}

t.test('a compressed sibling is sent to whoever takes its coding', async (t) => {
  const dir = await folderOf(t, {
    'app.js': 'the script itself',
    'app.js.br': 'brotli',
    'app.js.gz': 'gzip it is',
    'app.js.zst': 'zstandard',
  })
  const { catalogue } = await catalogueOf(t, dir)
  const table: [field: string, coding: string, body: string][] = [
    ['', '', 'the script itself'],
    ['br', 'br', 'brotli'],
    ['gzip', 'gzip', 'gzip it is'],
    ['zstd', 'zstd', 'zstandard'],
    [ALL, 'br', 'brotli'],
    ['gzip, zstd', 'zstd', 'zstandard'],
    ['gzip;q=1, br;q=0.5', 'gzip', 'gzip it is'],
    ['identity, br;q=0.9', '', 'the script itself'],
    ['identity;q=0.5, br;q=0.5', 'br', 'brotli'],
    ['*;q=0.1', 'br', 'brotli'],
    ['br;q=0, *', 'zstd', 'zstandard'],
    ['identity;q=0, gzip', 'gzip', 'gzip it is'],
    ['deflate', '', 'the script itself'],
    ['br;q=2', '', 'the script itself'],
  ]
  for (const [field, coding, body] of table) {
    const prepared = get(catalogue, '/app.js', field)
    t.equal(codingOf(prepared), coding, field)
    t.equal(await sentOf(prepared), body, field)
    t.match(headOf(prepared), /\r\nVary: Accept-Encoding\r\n/, field)
    t.match(headOf(prepared), `\r\nETag: ${etagOf(body)}\r\n`, field)
    t.match(headOf(prepared), /\r\nContent-Type: text\/javascript; charset=utf-8\r\n/, field)
  }
})

t.test('a client that takes no coding at all is told so', async (t) => {
  const dir = await folderOf(t, { 'app.js': 'the script itself', 'app.js.br': 'brotli' })
  const { catalogue } = await catalogueOf(t, dir)
  for (const field of ['*;q=0', 'identity;q=0', 'identity;q=0, gzip', 'gzip, *;q=0, br;q=0']) {
    const prepared = get(catalogue, '/app.js', field)
    t.equal(
      headOf(prepared),
      '406 Not Acceptable\r\nContent-Type: text/plain; charset=utf-8\r\nVary: Accept-Encoding',
      field,
    )
  }
})

t.test('conditions and ranges are about the representation that is chosen', async (t) => {
  const dir = await folderOf(t, { 'app.js': 'the script itself', 'app.js.br': 'brotli' })
  const { catalogue } = await catalogueOf(t, dir)
  const entry = catalogue.lookup('/app.js') as FileEntry
  const ask = (fields: object) => answer(entry, true, fieldsOf({ acceptEncoding: 'br', ...fields }))
  const unchanged = ask({ ifNoneMatch: etagOf('brotli') })
  t.equal(unchanged.status, 304)
  t.match(headOf(unchanged), /\r\nVary: Accept-Encoding/)
  t.match(headOf(unchanged), `\r\nETag: ${etagOf('brotli')}\r\n`)
  t.equal(ask({ ifNoneMatch: entry.etag }).status, 200, 'the tag of another coding')
  t.equal(ask({ ifMatch: entry.etag }).status, 412)
  t.equal(ask({ ifMatch: etagOf('brotli') }).status, 200)
  const part = ask({ range: 'bytes=1-2', ifRange: etagOf('brotli') })
  t.equal(await sentOf(part), 'ro')
  t.match(headOf(part), /\r\nContent-Encoding: br\r\n/)
  t.match(headOf(part), /\r\nContent-Range: bytes 1-2\/6\r\n/)
  t.match(headOf(part), `\r\nETag: ${etagOf('brotli')}\r\n`)
  t.match(headOf(part), /\r\nVary: Accept-Encoding\r\n/)
  t.equal(ask({ range: 'bytes=1-2', ifRange: entry.etag }).status, 200)
  t.match(headOf(ask({ range: 'bytes=6-' })), /\r\nContent-Range: bytes \*\/6\r\nVary/)
  t.equal(ask({ range: 'bytes=0-0,5-5' }).status, 200, 'no multipart of encoded parts')
})

t.test('a date continues no file that has codings, or may come to have them', async (t) => {
  const files = { 'app.js': 'the script itself', 'b.bin': '0123456789' }
  const dir = await folderOf(t, files)
  const { catalogue } = await catalogueOf(t, dir)
  const ask = (path: string, acceptEncoding = '') => {
    const entry = catalogue.lookup(path) as FileEntry
    const ifRange = entry.lastModified
    return answer(entry, true, fieldsOf({ acceptEncoding, range: 'bytes=5-', ifRange }))
  }
  t.equal(ask('/app.js').status, 200, 'a variant may have been there, or come')
  t.equal(ask('/b.bin', 'br').status, 206, 'there is one representation')
  await writeTree(dir, { 'app.js.br': 'brotli', 'b.bin.br': 'other br' })
  await catalogue.refresh()
  for (const path of ['/app.js', '/b.bin']) {
    for (const field of ['', 'br']) t.equal(ask(path, field).status, 200, `${path} ${field}`)
  }
  const whole = ask('/b.bin', 'br')
  t.equal(await sentOf(whole), 'other br', 'all of it, and not the end of another coding')
})

t.test('a sibling is a file of its own as well', async (t) => {
  const dir = await folderOf(t, { 'a.txt': 'plain text', 'a.txt.gz': 'gz', 'b.tar.gz': 'tar' })
  const { catalogue } = await catalogueOf(t, dir)
  for (const field of ['', ALL]) {
    const prepared = get(catalogue, '/a.txt.gz', field)
    t.equal(await sentOf(prepared), 'gz')
    t.match(headOf(prepared), /\r\nContent-Type: application\/gzip\r\n/)
    t.notMatch(headOf(prepared), /Vary|Content-Encoding/)
  }
  t.equal(catalogue.lookup('/b.tar'), undefined, 'a sibling of nothing')
})

t.test('one that is older than its file, or empty, is not used', async (t) => {
  const dir = await folderOf(t, { 'a.css': 'p { color: red }', 'a.css.gz': 'gz', 'a.css.br': '' })
  age(dir, 'a.css.gz', 101)
  const { catalogue } = await catalogueOf(t, dir)
  t.equal(codingOf(get(catalogue, '/a.css', ALL)), '')
  age(dir, 'a.css.gz', 99)
  await catalogue.refresh()
  t.equal(codingOf(get(catalogue, '/a.css', ALL)), 'gzip')
  age(dir, 'a.css', 50)
  await catalogue.refresh()
  t.equal(codingOf(get(catalogue, '/a.css', ALL)), '', 'the file has a new version')
})

t.test('siblings come and go with their files', async (t) => {
  const dir = await folderOf(t, { 'a.bin': 'nobody compresses this', 'i/index.html': 'the index' })
  const { catalogue } = await catalogueOf(t, dir)
  const plain = get(catalogue, '/a.bin', ALL)
  t.notMatch(headOf(plain), /Vary/)
  await writeTree(dir, { 'a.bin.zst': 'zst', 'i/index.html.br': 'br' })
  await catalogue.refresh()
  t.equal(codingOf(get(catalogue, '/a.bin', ALL)), 'zstd')
  t.match(headOf(get(catalogue, '/a.bin')), /\r\nVary: Accept-Encoding\r\n/)
  t.equal(codingOf(get(catalogue, '/i/', ALL)), 'br', 'at every path of the file')
  t.equal(await sentOf(plain), 'nobody compresses this', 'an answer stays what it was')
  rmSync(join(dir, 'a.bin.zst'))
  await catalogue.refresh()
  t.equal(codingOf(get(catalogue, '/a.bin', ALL)), '')
  t.notMatch(headOf(get(catalogue, '/a.bin')), /Vary/)
  rmSync(join(dir, 'i/index.html'))
  await catalogue.refresh()
  t.equal(catalogue.lookup('/i/'), undefined)
  t.equal(await sentOf(get(catalogue, '/i/index.html.br')), 'br')
})

t.test('a fingerprinted URL has the same siblings', async (t) => {
  const dir = await folderOf(t, { 'a.js': 'the script itself', 'a.js.br': 'br' })
  const { catalogue } = await catalogueOf(t, dir)
  const prepared = get(catalogue, catalogue.staticUrl('/a.js') ?? '', ALL)
  t.equal(codingOf(prepared), 'br')
  t.match(headOf(prepared), /\r\nCache-Control: [^\r]*immutable\r\nVary: Accept-Encoding\r\n/)
})

t.test('a file and a sibling above the ceiling are streamed, ranges included', async (t) => {
  const dir = await folderOf(t, { 'a.txt': 'x'.repeat(2000), 'a.txt.gz': 'y'.repeat(1000) })
  const { catalogue } = await catalogueOf(t, dir, { ceilingBytes: 500 })
  const prepared = get(catalogue, '/a.txt', ALL)
  t.equal(prepared.content, null)
  t.equal(await sentOf(prepared), 'y'.repeat(1000))
  t.match(headOf(prepared), /\r\nETag: W\//)
  const entry = catalogue.lookup('/a.txt') as FileEntry
  const part = answer(entry, true, fieldsOf({ acceptEncoding: 'gzip', range: 'bytes=990-' }))
  t.equal(await sentOf(part), 'y'.repeat(10))
  t.equal(
    await sentOf(answer(entry, true, fieldsOf({ range: 'bytes=0-1,-2' }))).then(
      (body) => body.match(/xx/g)?.length,
    ),
    2,
  )
})
