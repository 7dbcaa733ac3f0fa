import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type FileReader, WINDOW_BYTES, windowsInUse } from '../../src/files/windows.ts'
import { catalogueOf, headOf, temporaryFolder, writeTree } from '../support/catalogue.ts'

const LENGTH = 3 * WINDOW_BYTES + 17
const CONTENT = Buffer.alloc(LENGTH, 'the quick brown fox ')

type T = Parameters<typeof catalogueOf>[0]

async function largeFile(t: T) {
  const dir = await writeTree(temporaryFolder(t), { 'big.bin': CONTENT, 'small.txt': 'small' })
  const test = await catalogueOf(t, dir, { ceilingBytes: 1000 })
  const path = join(dir, 'big.bin')
  const open = (): FileReader => {
    const reader = test.catalogue.lookup('/big.bin')?.open?.()
    if (reader === undefined) throw new Error('not a streamed file')
    return reader
  }
  return { ...test, path, open, openCount: () => descriptorsOf(path) }
}

/** How many descriptors of this process lead to a file, which may have lost its name. */
function descriptorsOf(path: string): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
  return links.filter((link) => link === path || link === `${path} (deleted)`).length
}

async function readFrom(reader: FileReader, position = 0): Promise<Buffer> {
  const parts: Buffer[] = []
  let at = position
  while (at < reader.length) {
    const part = Buffer.from((await reader.read(at, WINDOW_BYTES)) ?? [])
    reader.release()
    at += part.byteLength
    parts.push(part)
  }
  reader.close()
  return Buffer.concat(parts)
}

t.test('a file above the ceiling is sent from its original, in order and whole', async (t) => {
  const { catalogue, open, openCount } = await largeFile(t)
  const entry = catalogue.lookup('/big.bin')
  t.equal(entry?.ok.content, null)
  t.equal(entry?.ok.length, LENGTH)
  t.match(entry?.etag, /^W\/"[\d.]+"$/)
  t.match(headOf(entry?.ok), `\r\nETag: ${entry?.etag}\r\n`)
  t.equal(catalogue.lookup('/small.txt')?.open, null)
  t.strictSame(catalogue.stats, {
    files: 2,
    bytes: LENGTH + 5,
    hashed: 1,
    reused: 0,
    streamed: 1,
  })
  t.equal((await readFrom(open())).equals(CONTENT), true)
  t.equal(openCount(), 0)
})

t.test('reading begins anywhere and gives no more than was asked for', async (t) => {
  const { open } = await largeFile(t)
  const reader = open()
  for (const [position, maxBytes, length] of [
    [0, 1, 1],
    [WINDOW_BYTES - 1, 10, 10],
    [LENGTH - 5, 100, 5],
    [7, LENGTH, WINDOW_BYTES],
  ] as const) {
    const part = await reader.read(position, maxBytes)
    t.equal(part && Buffer.compare(part, CONTENT.subarray(position, position + length)), 0)
    reader.release()
  }
  reader.close()
  const file = open()
  t.equal((await readFrom(file, LENGTH - 300_000)).equals(CONTENT.subarray(-300_000)), true)
})

t.test('far behind four gigabytes it is still the same file', async (t) => {
  const dir = temporaryFolder(t)
  const size = 5 * 2 ** 30
  const end = Buffer.from('the end')
  const fd = openSync(join(dir, 'sparse.bin'), 'w')
  ftruncateSync(fd, size)
  writeSync(fd, end, 0, end.byteLength, size - end.byteLength)
  closeSync(fd)
  const { catalogue } = await catalogueOf(t, dir)
  const entry = catalogue.lookup('/sparse.bin')
  t.equal(entry?.ok.length, size)
  const reader = entry?.open?.()
  if (reader === undefined) throw new Error('not a streamed file')
  t.equal((await readFrom(reader, size - end.byteLength)).toString(), 'the end')
})

t.test('the ceiling itself is still stored', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { at: 'x'.repeat(10), above: 'x'.repeat(11) })
  const { catalogue } = await catalogueOf(t, dir, { ceilingBytes: 10 })
  t.equal(catalogue.lookup('/at')?.open, null)
  t.equal(catalogue.lookup('/above')?.ok.content, null)
})

t.test('many replies at once share few windows, and none of them at a time', async (t) => {
  const { open, openCount } = await largeFile(t)
  const readers = Array.from({ length: 100 }, () => open())
  const first = await Promise.all(
    readers.slice(0, 32).map((reader) => reader.read(0, WINDOW_BYTES)),
  )
  t.equal(windowsInUse(), 32)
  t.equal(new Set(first.map((part) => part?.buffer)).size, 32)
  const late = readers.slice(32).map((reader) => readFrom(reader))
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal(windowsInUse(), 32, 'the others wait for one')
  for (const reader of readers.slice(0, 32)) reader.release()
  const all = await Promise.all([...late, ...readers.slice(0, 32).map((one) => readFrom(one))])
  t.equal(
    all.every((content) => content.equals(CONTENT)),
    true,
  )
  t.equal(openCount(), 0)
  t.equal(windowsInUse(), 0)
})

t.test('closing at any time closes the file and gives the window back', async (t) => {
  const { open, openCount } = await largeFile(t)
  for (const when of ['before', 'between', 'during']) {
    const reader = open()
    t.equal(openCount(), 1, when)
    if (when === 'between') await reader.read(0, 10)
    const reading = when === 'during' ? reader.read(0, 10) : null
    reader.close()
    reader.close()
    if (reading !== null) {
      t.equal(openCount(), 1, 'the kernel may still be writing')
      t.equal(await reading, null)
    }
    t.equal(openCount(), 0, when)
    t.equal(windowsInUse(), 0, when)
  }
})

t.test('a file that is cut short, grows or is written to is not read on', async (t) => {
  const changes: [how: string, change: (path: string) => void][] = [
    ['cut short', (path) => truncateSync(path, 300_000)],
    ['emptied', (path) => truncateSync(path, 0)],
    ['appended to', (path) => appendFileSync(path, 'more')],
    ['rewritten', (path) => writeFileSync(path, Buffer.alloc(LENGTH, 'other'))],
  ]
  for (const [how, change] of changes) {
    const { open, path, openCount } = await largeFile(t)
    const reader = open()
    t.equal((await reader.read(0, WINDOW_BYTES))?.byteLength, WINDOW_BYTES)
    reader.release()
    change(path)
    await t.rejects(
      reader.read(WINDOW_BYTES, WINDOW_BYTES),
      {
        code: 'UWAS_ERR_FILES_CUT_SHORT',
        message: `/big.bin changed while it was being sent; the reply ends at byte 262144 of ${LENGTH}`,
      },
      how,
    )
    reader.close()
    t.equal(openCount(), 0, how)
    t.equal(windowsInUse(), 0, how)
  }
})

t.test('a file that is replaced or removed while it is sent arrives as it was', async (t) => {
  const { open, path } = await largeFile(t)
  for (const change of [
    () => {
      writeFileSync(`${path}.next`, CONTENT)
      renameSync(`${path}.next`, path)
    },
    () => rmSync(path),
  ]) {
    const reader = open()
    const first = Buffer.from((await reader.read(0, WINDOW_BYTES)) ?? [])
    reader.release()
    change()
    const rest = await readFrom(reader, first.byteLength)
    t.equal(Buffer.concat([first, rest]).equals(CONTENT), true)
    await t.resolves(waitUntil(() => canOpen(open) || !statSync(path, { throwIfNoEntry: false })))
  }
})

t.test('a file that changed since the scan is refused once and then found as it is', async (t) => {
  const { catalogue, open, path, openCount } = await largeFile(t)
  writeFileSync(path, Buffer.alloc(5000, 'new'))
  t.throws(() => open(), {
    code: 'UWAS_ERR_FILES_CHANGED',
    status: 503,
    message: '/big.bin has changed since it was looked up; ask again in a moment',
  })
  t.equal(openCount(), 0)
  await waitUntil(() => canOpen(open))
  t.equal(catalogue.lookup('/big.bin')?.ok.length, 5000)
  t.equal((await readFrom(open())).equals(Buffer.alloc(5000, 'new')), true)
})

t.test('a file that is gone is 404, and then no longer in the catalogue', async (t) => {
  const { catalogue, open, path } = await largeFile(t)
  rmSync(path)
  t.throws(() => open(), {
    code: 'UWAS_ERR_FILES_GONE',
    status: 404,
    message: '/big.bin is no longer there',
  })
  await waitUntil(() => catalogue.lookup('/big.bin') === undefined)
})

t.test('a file that has become a link to outside is not opened', async (t) => {
  const { open, path } = await largeFile(t)
  const outside = join(await writeTree(temporaryFolder(t), { secret: CONTENT }), 'secret')
  const stats = statSync(path)
  utimesSync(outside, stats.atime, stats.mtime)
  rmSync(path)
  symlinkSync(outside, path)
  t.throws(() => open(), { code: 'UWAS_ERR_NATIVE_OUTSIDE' })
})

function canOpen(open: () => FileReader): boolean {
  try {
    open().close()
    return true
  } catch {
    return false
  }
}

async function waitUntil(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (condition()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('it did not happen')
}
