import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { answer, type FileFields } from '../../src/files/answer.ts'
import type { FileEntry } from '../../src/files/entry.ts'
import { formatHttpDate } from '../../src/http/date.ts'
import {
  catalogueOf,
  etagOf,
  fieldsOf,
  headOf,
  sentOf,
  temporaryFolder,
  writeTree,
} from '../support/catalogue.ts'

const MODIFIED = Date.UTC(2026, 0, 2, 3, 4, 5)
const SAME = formatHttpDate(MODIFIED)
const TEN = '0123456789'
const LONG = TEN.repeat(100)

async function entriesOf(t: Parameters<typeof catalogueOf>[0], more: Record<string, string> = {}) {
  const files = {
    'd/index.html': 'page',
    'a.css': 'x',
    'ten.bin': TEN,
    'long.bin': LONG,
    ...more,
  }
  const dir = await writeTree(temporaryFolder(t), files)
  for (const name of Object.keys(files)) {
    utimesSync(join(dir, name), MODIFIED / 1000, MODIFIED / 1000 + 0.7)
  }
  const { catalogue } = await catalogueOf(t, dir)
  const at = (path: string): FileEntry => {
    const entry = catalogue.lookup(path)
    if (entry === undefined) throw new Error(`no entry at ${path}`)
    return entry
  }
  return { page: at('/d/'), redirect: at('/d'), at }
}

t.test('the heads of a file hold what RFC 9110 wants, and no framing', async (t) => {
  const { page } = await entriesOf(t)
  t.equal(
    headOf(page.ok),
    [
      '200 OK',
      'Content-Type: text/html; charset=utf-8',
      `ETag: ${etagOf('page')}`,
      'Last-Modified: Fri, 02 Jan 2026 03:04:05 GMT',
      'Cache-Control: no-cache',
      'Vary: Accept-Encoding',
      'Accept-Ranges: bytes',
    ].join('\r\n'),
  )
  t.equal(
    headOf(page.notModified),
    [
      '304 Not Modified',
      `ETag: ${etagOf('page')}`,
      'Last-Modified: Fri, 02 Jan 2026 03:04:05 GMT',
      'Cache-Control: no-cache',
      'Vary: Accept-Encoding',
    ].join('\r\n'),
  )
  t.equal(page.notModified.content, null)
  t.equal(page.notModified.length, 0)
  t.equal(page.lastModifiedMs, MODIFIED)
  t.equal(page.lastModified, SAME)
})

t.test('a file of a type that nobody compresses does not vary', async (t) => {
  const { at } = await entriesOf(t)
  t.notMatch(headOf(at('/ten.bin').ok), /Vary/)
  t.equal(answer(at('/ten.bin'), true, fieldsOf({ acceptEncoding: 'identity;q=0' })).status, 200)
})

t.test('a request is answered 200, 304 or 412 by its conditions', async (t) => {
  const { page } = await entriesOf(t)
  const table: [fields: Partial<FileFields>, status: number][] = [
    [{}, 200],
    [{ ifNoneMatch: page.etag }, 304],
    [{ ifNoneMatch: page.etag, ifModifiedSince: SAME }, 304],
    [{ ifNoneMatch: `W/${page.etag}` }, 304],
    [{ ifNoneMatch: `"x", ${page.etag}` }, 304],
    [{ ifNoneMatch: '*' }, 304],
    [{ ifNoneMatch: '"x"' }, 200],
    [{ ifNoneMatch: '"x"', ifModifiedSince: SAME }, 200],
    [{ ifNoneMatch: page.etag.toUpperCase() }, 200],
    [{ ifModifiedSince: SAME }, 304],
    [{ ifModifiedSince: formatHttpDate(MODIFIED + 1000) }, 304],
    [{ ifModifiedSince: formatHttpDate(MODIFIED - 1000) }, 200],
    [{ ifModifiedSince: 'Friday, 02-Jan-26 03:04:05 GMT' }, 304],
    [{ ifModifiedSince: 'now' }, 200],
    [{ ifMatch: page.etag }, 200],
    [{ ifMatch: '*' }, 200],
    [{ ifMatch: '"x"' }, 412],
    [{ ifMatch: `W/${page.etag}` }, 412],
    [{ ifMatch: '"x"', ifNoneMatch: page.etag }, 412],
    [{ ifMatch: page.etag, ifNoneMatch: page.etag }, 304],
    [{ ifMatch: page.etag, ifUnmodifiedSince: formatHttpDate(MODIFIED - 1000) }, 200],
    [{ ifUnmodifiedSince: SAME }, 200],
    [{ ifUnmodifiedSince: formatHttpDate(MODIFIED - 1000) }, 412],
    [{ ifUnmodifiedSince: 'now' }, 200],
  ]
  for (const [fields, status] of table) {
    for (const isGet of [true, false]) {
      const prepared = answer(page, isGet, fieldsOf(fields))
      t.equal(prepared.status, status, JSON.stringify(fields))
      if (status === 200) t.equal(prepared, page.ok)
      if (status === 304) t.equal(prepared, page.notModified)
    }
  }
})

t.test('a redirect has no conditions and no ranges', async (t) => {
  const { redirect } = await entriesOf(t)
  for (const fields of [
    {},
    { ifNoneMatch: '*' },
    { ifNoneMatch: '""' },
    { ifModifiedSince: SAME },
    { ifMatch: '"x"' },
    { range: 'bytes=0-0' },
    { acceptEncoding: 'identity;q=0' },
  ]) {
    t.equal(answer(redirect, true, fieldsOf(fields)).status, 308)
  }
})

t.test('one range is answered with 206 and where it belongs', async (t) => {
  const { at } = await entriesOf(t)
  const entry = at('/ten.bin')
  const prepared = answer(entry, true, fieldsOf({ range: 'bytes=2-4' }))
  t.equal(
    headOf(prepared),
    [
      '206 Partial Content',
      'Content-Type: application/octet-stream',
      'Content-Range: bytes 2-4/10',
      `ETag: ${entry.etag}`,
      `Last-Modified: ${SAME}`,
      'Cache-Control: no-cache',
      'Accept-Ranges: bytes',
    ].join('\r\n'),
  )
  t.equal(prepared.length, 3)
  t.equal(await sentOf(prepared), '234')
  t.equal(await sentOf(answer(entry, true, fieldsOf({ range: 'bytes=-3,9-' }))), '789')
})

t.test('a range that nobody can satisfy is 416 with the length', async (t) => {
  const { at } = await entriesOf(t, { empty: '' })
  for (const [path, range, length] of [
    ['/ten.bin', 'bytes=10-', 10],
    ['/ten.bin', 'bytes=-0', 10],
    ['/empty', 'bytes=0-', 0],
    ['/empty', 'bytes=-1', 0],
  ] as const) {
    const prepared = answer(at(path), true, fieldsOf({ range }))
    t.equal(
      headOf(prepared),
      `416 Range Not Satisfiable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes */${length}`,
    )
    t.equal(await sentOf(prepared), '416 Range Not Satisfiable\n')
    t.equal(prepared.length, 26)
  }
})

t.test('several ranges leave as a multipart whose length is exact', async (t) => {
  const { at } = await entriesOf(t)
  const prepared = answer(at('/long.bin'), true, fieldsOf({ range: 'bytes=990-,0-4' }))
  const [, boundary = ''] =
    /Content-Type: multipart\/byteranges; boundary=(\S+)/.exec(headOf(prepared)) ?? []
  t.notMatch(headOf(prepared), /Content-Range/, 'only its parts have one')
  const body = await sentOf(prepared)
  t.equal(
    body,
    [
      `--${boundary}`,
      'Content-Type: application/octet-stream',
      'Content-Range: bytes 990-999/1000',
      '',
      TEN,
      `--${boundary}`,
      'Content-Type: application/octet-stream',
      'Content-Range: bytes 0-4/1000',
      '',
      '01234',
      `--${boundary}--`,
      '',
    ].join('\r\n'),
  )
  t.equal(prepared.length, body.length)
  const other = headOf(answer(at('/long.bin'), true, fieldsOf({ range: 'bytes=990-,0-4' })))
  t.notMatch(other, boundary, 'nobody can know it beforehand')
})

t.test('where several ranges cost more than the file, the file is sent', async (t) => {
  const { at } = await entriesOf(t)
  const entry = at('/ten.bin')
  t.equal(answer(entry, true, fieldsOf({ range: 'bytes=0-0,5-5' })), entry.ok)
  const long = at('/long.bin')
  t.equal(answer(long, true, fieldsOf({ range: 'bytes=0-400,402-900' })), long.ok)
})

t.test('a Range that says nothing is ignored, and HEAD has none', async (t) => {
  const { at } = await entriesOf(t)
  const entry = at('/ten.bin')
  for (const range of ['bytes=4-2', 'bytes=x', 'lines=0-1', 'bytes=']) {
    t.equal(answer(entry, true, fieldsOf({ range })), entry.ok, range)
  }
  for (const range of ['bytes=0-1', 'bytes=99-']) {
    t.equal(answer(entry, false, fieldsOf({ range })), entry.ok, `HEAD ${range}`)
  }
})

t.test('preconditions come before ranges', async (t) => {
  const { at } = await entriesOf(t)
  const entry = at('/ten.bin')
  const table: [fields: Partial<FileFields>, status: number][] = [
    [{ ifNoneMatch: entry.etag }, 304],
    [{ ifNoneMatch: '"x"' }, 206],
    [{ ifModifiedSince: SAME }, 304],
    [{ ifMatch: '"x"' }, 412],
    [{ ifMatch: entry.etag }, 206],
    [{ ifUnmodifiedSince: SAME }, 206],
    [{ ifUnmodifiedSince: formatHttpDate(MODIFIED - 1000) }, 412],
  ]
  for (const [fields, status] of table) {
    const prepared = answer(entry, true, fieldsOf({ range: 'bytes=0-1', ...fields }))
    t.equal(prepared.status, status, JSON.stringify(fields))
  }
  t.equal(answer(entry, true, fieldsOf({ range: 'bytes=99-', ifMatch: '"x"' })).status, 412)
})

t.test('If-Range gives the part of the same version, else the whole, never 412', async (t) => {
  const { at } = await entriesOf(t)
  const entry = at('/ten.bin')
  const table: [ifRange: string, status: number][] = [
    [entry.etag, 206],
    [SAME, 206],
    [`W/${entry.etag}`, 200],
    ['"x"', 200],
    [formatHttpDate(MODIFIED + 1000), 200],
    ['x', 200],
  ]
  for (const [ifRange, status] of table) {
    const prepared = answer(entry, true, fieldsOf({ range: 'bytes=0-1', ifRange }))
    t.equal(prepared.status, status, ifRange)
    if (status === 200) t.equal(prepared, entry.ok)
    else t.notMatch(headOf(prepared), /Last-Modified/, 'the client has it')
  }
  t.equal(answer(entry, true, fieldsOf({ range: 'bytes=99-', ifRange: '"x"' })), entry.ok)
  t.equal(answer(entry, true, fieldsOf({ range: 'bytes=99-', ifRange: SAME })).status, 416)
  t.equal(
    answer(entry, true, fieldsOf({ ifRange: SAME })),
    entry.ok,
    'without Range it says nothing',
  )
})

t.test('a file from the future was modified when it was read', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { a: 'a' })
  utimesSync(join(dir, 'a'), 4e9, 4e9)
  const before = Math.floor(Date.now() / 1000) * 1000
  const { catalogue } = await catalogueOf(t, dir)
  const entry = catalogue.lookup('/a') as FileEntry
  t.ok(entry.lastModifiedMs >= before && entry.lastModifiedMs <= Date.now())
  t.match(headOf(entry.ok), `Last-Modified: ${formatHttpDate(entry.lastModifiedMs)}\r\n`)
})

t.test('a folder that tells no times has no dates, and no conditions by them', async (t) => {
  const files = { 'ten.bin': TEN, 'a.css': LONG, 'a.css.gz': 'packed', 'large.bin': LONG }
  const dir = await writeTree(temporaryFolder(t), files)
  for (const name of Object.keys(files)) {
    utimesSync(join(dir, name), MODIFIED / 1000, MODIFIED / 1000)
  }
  const mounts = [{ dir, prefix: '/', lastModified: false }]
  const { catalogue } = await catalogueOf(t, dir, { mounts, ceilingBytes: 1000 - 1 })
  const named = catalogue.staticUrl('ten.bin') as string
  t.not(named, '/ten.bin')
  for (const path of ['/ten.bin', named, '/a.css', '/large.bin']) {
    const entry = catalogue.lookup(path) as FileEntry
    const ask = (fields: Partial<FileFields>) => answer(entry, true, fieldsOf(fields))
    for (const reply of [ask({}), ask({ ifNoneMatch: '*' }), ask({ range: 'bytes=0-1' })]) {
      t.notMatch(headOf(reply), /Last-Modified/, path)
    }
    t.equal(ask({ ifNoneMatch: entry.etag }).status, 304, path)
    t.equal(ask({ ifModifiedSince: SAME }).status, 200, path)
    t.equal(ask({ ifUnmodifiedSince: formatHttpDate(MODIFIED - 1000) }).status, 200, path)
    t.equal(ask({ range: 'bytes=0-1', ifRange: SAME }).status, 200, path)
  }
  const css = catalogue.lookup('/a.css') as FileEntry
  t.match(
    headOf(answer(css, true, fieldsOf({ acceptEncoding: 'gzip' }))),
    /Content-Encoding: gzip/,
    'what is packed is still known to be no older',
  )
})

t.test('files and redirects have one shape', async (t) => {
  const { page, redirect, at } = await entriesOf(t)
  t.strictSame(Object.keys(page), Object.keys(redirect))
  const partial = answer(at('/ten.bin'), true, fieldsOf({ range: 'bytes=0-1' }))
  for (const prepared of [redirect.ok, page.notModified, partial]) {
    t.strictSame(Object.keys(page.ok), Object.keys(prepared))
  }
})
