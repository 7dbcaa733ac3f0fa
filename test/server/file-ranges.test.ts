import { randomBytes } from 'node:crypto'
import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readlinkSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { windowsInUse } from '../../src/files/windows.ts'
import { text } from '../../src/http/reply.ts'
import { serve } from '../support/application.ts'
import { catalogueOf, temporaryFolder, writeTree } from '../support/catalogue.ts'
import { dial, raw } from '../support/raw.ts'

const LANES = ['native', 'strict'] as const
const CEILING = 1_000_000
const stored = randomBytes(600_000)
const streamed = randomBytes(24 * 1024 * 1024)
const CANARY = 'GET /small.txt HTTP/1.1\r\nHost: x\r\n\r\n'

async function serveFolder(t: Test, lane: (typeof LANES)[number]) {
  const dir = await writeTree(temporaryFolder(t), {
    'stored.bin': stored,
    'streamed.bin': streamed,
    'small.txt': 'small',
    'app.js': 'the script itself',
    'app.js.gz': 'gzip it is',
  })
  const { catalogue } = await catalogueOf(t, dir, { ceilingBytes: CEILING })
  const path = join(dir, 'streamed.bin')
  const { port, log } = await serve(t, () => text('view', { status: 404 }), { catalogue, lane })
  return { port, log, path, openCount: () => descriptorsOf(path) }
}

function get(path: string, fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`
}

function descriptorsOf(path: string): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
  return links.filter((link) => link === path).length
}

async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    if (condition()) return
    await sleep(5)
  }
  throw new Error('it did not happen')
}

/** The parts of a multipart/byteranges body, by its own boundary. */
function partsOf(type: string, body: Buffer): { range: string; content: Buffer }[] {
  const boundary = /boundary=(\S+)/.exec(type)?.[1] ?? ''
  const parts: { range: string; content: Buffer }[] = []
  let at = body.indexOf(`--${boundary}\r\n`)
  while (at >= 0) {
    const end = body.indexOf('\r\n\r\n', at)
    const next = body.indexOf(`\r\n--${boundary}`, end)
    const range = /Content-Range: (.*)/.exec(body.toString('latin1', at, end))?.[1] ?? ''
    parts.push({ range: range.trim(), content: body.subarray(end + 4, next) })
    at = body.indexOf(`--${boundary}\r\n`, next)
  }
  return parts
}

for (const lane of LANES) {
  t.test(`${lane} lane: a range of a stored or streamed file is those bytes alone`, async (t) => {
    const { port } = await serveFolder(t, lane)
    for (const [path, content] of [
      ['/stored.bin', stored],
      ['/streamed.bin', streamed],
    ] as const) {
      const { length } = content
      for (const [range, start, end] of [
        ['bytes=0-0', 0, 1],
        ['bytes=100-299999', 100, 300_000],
        [`bytes=${length - 10}-`, length - 10, length],
        ['bytes=-300001', length - 300_001, length],
      ] as const) {
        const request = get(path, `Range: ${range}\r\n`)
        const { responses } = await raw(port, request)
        t.equal(responses[0]?.status, 206, `${path} ${range}`)
        t.equal(responses[0]?.headers['content-range'], `bytes ${start}-${end - 1}/${length}`)
        t.equal(responses[0]?.body.equals(content.subarray(start, end)), true)
      }
    }
  })

  t.test(`${lane} lane: several ranges, small or large, arrive as asked`, async (t) => {
    const { port } = await serveFolder(t, lane)
    for (const [path, content] of [
      ['/stored.bin', stored],
      ['/streamed.bin', streamed],
    ] as const) {
      for (const ranges of [
        [
          [400_000, 400_001],
          [5, 10],
        ],
        [
          [300_000, 500_000],
          [0, 100_000],
          [599_000, 599_001],
        ],
      ] as const) {
        const field = ranges.map(([start, end]) => `${start}-${end - 1}`).join(', ')
        const { responses } = await raw(port, get(path, `Range: bytes=${field}\r\n`))
        const [response] = responses
        t.equal(response?.status, 206, `${path} ${field}`)
        t.equal(response?.headers['content-range'], undefined)
        const parts = partsOf(response?.headers['content-type'] ?? '', response?.body ?? stored)
        t.strictSame(
          parts.map(({ range }) => range),
          ranges.map(([start, end]) => `bytes ${start}-${end - 1}/${content.length}`),
        )
        t.equal(
          parts.every(({ content: got }, i) => got.equals(content.subarray(...(ranges[i] ?? [])))),
          true,
        )
      }
    }
  })

  t.test(`${lane} lane: 412, 406 and 416 have a length, and the connection goes on`, async (t) => {
    const { port } = await serveFolder(t, lane)
    for (const [fields, status] of [
      ['If-Match: "x"\r\n', 412],
      ['If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n', 412],
      ['Range: bytes=9999-\r\n', 416],
      ['Accept-Encoding: identity;q=0, br\r\n', 406],
    ] as const) {
      const { responses } = await raw(port, get('/app.js', fields) + CANARY, { expect: 2 })
      t.equal(responses[0]?.status, status)
      t.match(responses[0]?.body.toString(), `the page of ${status}\n`)
      t.equal(responses[1]?.body.toString(), 'small')
      const head = get('/app.js', fields).replace('GET', 'HEAD')
      const only = await raw(port, head + CANARY, { expect: 2, methods: ['HEAD', 'GET'] })
      const wanted = status === 416 ? 200 : status
      t.equal(only.responses[0]?.status, wanted, 'HEAD has no ranges, but conditions')
      t.equal(only.responses[1]?.body.toString(), 'small')
    }
  })

  t.test(`${lane} lane: fields in several lines are one list`, async (t) => {
    const { port } = await serveFolder(t, lane)
    const encoded = await raw(
      port,
      get('/app.js', 'Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n'),
    )
    t.equal(encoded.responses[0]?.headers['content-encoding'], 'gzip')
    const etag = encoded.responses[0]?.headers['etag']
    const fields = `Accept-Encoding: gzip\r\nIf-None-Match: "x"\r\nIf-None-Match: ${etag}\r\n`
    const { responses } = await raw(port, get('/app.js', fields))
    t.equal(responses[0]?.status, 304)
    t.equal(responses[0]?.headers['vary'], 'Accept-Encoding')
    const twice = await raw(port, get('/stored.bin', 'Range: bytes=0-1\r\nRange: bytes=4-5\r\n'))
    t.equal(twice.responses[0]?.status, 200, 'two Range fields are no range')
  })

  t.test(`${lane} lane: lengths and ranges go beyond four gigabytes`, async (t) => {
    const dir = temporaryFolder(t)
    const size = 5 * 2 ** 30
    const fd = openSync(join(dir, 'sparse.bin'), 'w')
    ftruncateSync(fd, size)
    writeSync(fd, 'the end', size - 7)
    closeSync(fd)
    const { catalogue } = await catalogueOf(t, dir)
    const { port } = await serve(t, () => text('view', { status: 404 }), { catalogue, lane })
    const head = await raw(port, get('/sparse.bin').replace('GET', 'HEAD'), { methods: ['HEAD'] })
    t.equal(head.responses[0]?.headers['content-length'], String(size))
    const { responses } = await raw(port, get('/sparse.bin', `Range: bytes=${size - 7}-\r\n`))
    t.equal(responses[0]?.headers['content-range'], `bytes ${size - 7}-${size - 1}/${size}`)
    t.equal(responses[0]?.body.toString(), 'the end')
    const parts = await raw(port, get('/sparse.bin', 'Range: bytes=-3, 0-1\r\n'))
    t.strictSame(
      partsOf(
        parts.responses[0]?.headers['content-type'] ?? '',
        parts.responses[0]?.body ?? stored,
      ).map(({ content }) => content.toString()),
      ['end', '\0\0'],
    )
  })

  t.test(`${lane} lane: slow readers hold a descriptor, and few windows together`, async (t) => {
    const { port, openCount } = await serveFolder(t, lane)
    const sockets: Socket[] = []
    for (let i = 0; i < 20; i++) {
      const socket = await dial(port)
      socket.pause()
      socket.write(get('/streamed.bin'))
      sockets.push(socket)
    }
    await until(() => openCount() === 20)
    await sleep(300)
    await until(() => windowsInUse() <= 8)
    t.equal(openCount(), 20)
    const chunks: Buffer[] = []
    const [first, ...others] = sockets as [Socket, ...Socket[]]
    first.on('data', (chunk) => chunks.push(chunk))
    first.resume()
    await until(() => Buffer.concat(chunks.slice(0, 2)).includes('\r\n\r\n'))
    const head = Buffer.concat(chunks.slice(0, 2)).indexOf('\r\n\r\n') + 4
    await until(
      () => chunks.reduce((sum, { length }) => sum + length, 0) === head + streamed.length,
    )
    t.equal(Buffer.concat(chunks).subarray(head).equals(streamed), true, 'byte for byte')
    for (const socket of others) socket.destroy()
    await until(() => openCount() === 0)
    t.equal(windowsInUse(), 0)
    first.destroy()
  })

  t.test(`${lane} lane: a file that is cut short ends the connection, unpadded`, async (t) => {
    const { port, path, log, openCount } = await serveFolder(t, lane)
    const socket = await dial(port)
    socket.pause()
    socket.write(get('/streamed.bin'))
    await until(() => openCount() === 1)
    await sleep(100)
    truncateSync(path, 20 * 1024 * 1024)
    let received = 0
    socket.on('data', (chunk) => {
      received += chunk.length
    })
    socket.on('error', () => {})
    await new Promise((resolve) => {
      socket.on('close', resolve)
      socket.resume()
    })
    t.ok(received < 20 * 1024 * 1024 + 1000, `${received} bytes came`)
    await until(() => openCount() === 0)
    t.equal(windowsInUse(), 0)
    t.match(log.join('\n'), /sending a file failed.*streamed\.bin changed while it was being sent/s)
  })
}
