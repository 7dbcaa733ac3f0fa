import {
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { Services } from '../../src/core/services.ts'
import { type FileOptions, file, PRIVATE_FILES } from '../../src/files/send-file.ts'
import { HttpError } from '../../src/http/http-error.ts'
import { text } from '../../src/http/reply.ts'
import { loadNative } from '../../src/native/load.ts'
import { serve } from '../support/application.ts'
import { dial, raw } from '../support/raw.ts'
import { requestOf } from '../support/request.ts'

const LANES = ['native', 'strict'] as const
const LARGE = Buffer.alloc(12 * 1024 * 1024, 'abcdefgh')
const CSS = 'p { color: red }\n'.repeat(100)
const native = loadNative()

function folder(t: Test): string {
  const root = join(t.testdir({}), 'private')
  mkdirSync(join(root, 'sub'), { recursive: true })
  for (const [name, content] of Object.entries({
    'a.txt': '0123456789',
    'large.bin': LARGE,
    'a.css': CSS,
    'a.css.br': brotliCompressSync(CSS),
    'old.css': CSS,
    'old.css.gz': 'stale',
    '.secret': 'x',
    'sub/보고서.pdf': '%PDF',
    '../outside.txt': 'outside',
  })) {
    writeFileSync(join(root, name), content)
  }
  for (const old of ['a.txt', 'old.css.gz']) utimesSync(join(root, old), 1_000_000, 1_000_000)
  symlinkSync('../outside.txt', join(root, 'link.txt'))
  return root
}

const servicesOf = (root: string | null) => new Services().provide(PRIVATE_FILES, { native, root })

async function site(t: Test, lane: (typeof LANES)[number], options: FileOptions = {}) {
  const root = folder(t)
  const services = servicesOf(root)
  const { port, log } = await serve(
    t,
    async (req) => {
      if (req.query.has('late')) await sleep(1)
      try {
        return file(req, decodeURIComponent(req.path), options).cookie('seen', '1')
      } catch (error) {
        const { status, headers } =
          error instanceof HttpError ? error : { status: 500, headers: [] }
        return text(String(error), { status, headers: Object.fromEntries(headers) })
      }
    },
    { lane, services },
  )
  const ask = async (target: string, fields = '', method = 'GET') => {
    const request = `${method} ${target} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`
    return (await raw(port, request, { methods: [method] })).responses[0]
  }
  return { port, ask, root, log }
}

for (const lane of LANES) {
  t.test(
    `a view's file has conditions and ranges, and the view's own fields (${lane})`,
    async (t) => {
      const { ask } = await site(t, lane)
      const whole = await ask('/a.txt')
      t.match(whole, {
        status: 200,
        headers: {
          'content-type': 'text/plain; charset=utf-8',
          'content-length': '10',
          'accept-ranges': 'bytes',
          'cache-control': 'private, no-cache',
          'set-cookie': /^seen=1/,
          'x-content-type-options': 'nosniff',
          etag: /^W\/"/,
        },
        body: Buffer.from('0123456789'),
      })
      const head = await ask('/a.txt?late', '', 'HEAD')
      t.same({ ...head?.headers, date: '' }, { ...whole?.headers, date: '' })
      const etag = `If-None-Match: ${whole?.headers['etag']}\r\n`
      const modified = `If-Modified-Since: ${whole?.headers['last-modified']}\r\n`
      for (const fields of [etag, modified]) {
        const known = await ask('/a.txt', fields)
        t.match(known, { status: 304, headers: { 'set-cookie': /^seen=1/ } })
        t.equal(known?.headers['content-length'], undefined)
      }
      t.match(await ask('/a.txt', 'Range: bytes=2-4\r\n'), {
        status: 206,
        headers: { 'content-range': 'bytes 2-4/10' },
        body: Buffer.from('234'),
      })
      t.match(await ask('/a.txt?late', 'Range: bytes=0-0,-1\r\n'), { status: 200 })
      const dated = `If-Range: ${whole?.headers['last-modified']}\r\nRange: bytes=2-4\r\n`
      t.match(await ask('/a.txt', dated), { status: 200 }, 'its codings share the date')
      t.match(await ask('/a.txt', 'Range: bytes=99-\r\n'), {
        status: 416,
        headers: { 'content-range': 'bytes */10' },
      })
      t.match(await ask('/a.txt', 'If-Match: "other"\r\n'), { status: 412 })
      t.match(await ask('/a.txt', 'If-None-Match: *\r\n', 'DELETE'), { status: 200 })
    },
  )

  t.test(`a large file comes whole, in parts and in several ranges (${lane})`, async (t) => {
    const { ask } = await site(t, lane)
    t.ok((await ask('/large.bin?late'))?.body.equals(LARGE))
    const part = await ask('/large.bin', 'Range: bytes=5000000-9999999\r\n')
    t.ok(part?.body.equals(LARGE.subarray(5_000_000, 10_000_000)))
    const several = await ask('/large.bin', 'Range: bytes=0-1, 8-9\r\n')
    t.match(several?.headers['content-type'], /^multipart\/byteranges; boundary=/)
    t.match(
      several?.body.toString(),
      /bytes 0-1\/12582912\r\n\r\nab\r\n[\s\S]*bytes 8-9\/12582912\r\n\r\nab/,
    )
  })

  t.test(`a compressed sibling goes to who takes it; a stale one never (${lane})`, async (t) => {
    const { ask } = await site(t, lane)
    const br = await ask('/a.css', 'Accept-Encoding: gzip, br\r\n')
    t.match(br?.headers, { 'content-encoding': 'br', vary: 'Accept-Encoding' })
    t.equal(brotliDecompressSync(br?.body ?? '').toString(), CSS)
    const plain = await ask('/a.css')
    t.match(plain?.headers, { vary: 'Accept-Encoding' })
    t.equal(plain?.headers['content-encoding'], undefined)
    t.not(plain?.headers['etag'], br?.headers['etag'])
    const stale = await ask('/old.css', 'Accept-Encoding: gzip\r\n')
    t.equal(stale?.headers['content-encoding'], undefined)
    t.equal(stale?.body.toString(), CSS)
  })

  t.test(`a client that goes away leaves no descriptor behind (${lane})`, async (t) => {
    const { port, root } = await site(t, lane)
    const open = () =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return linkOf(fd).startsWith(root)
        } catch {
          return false
        }
      }).length
    for (const target of ['/large.bin', '/large.bin?late', '/a.txt', '/large.bin']) {
      const socket = await dial(port)
      socket.on('error', () => {})
      socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
      await new Promise((resolve) => socket.once('readable', resolve))
      socket.destroy()
    }
    await raw(port, 'HEAD /large.bin HTTP/1.1\r\nHost: x\r\n\r\n', { methods: ['HEAD'] })
    for (let i = 0; i < 200 && open() > 0; i++) await sleep(10)
    t.equal(open(), 0)
  })

  t.test(`what is no file of the folder is 404, however it is named (${lane})`, async (t) => {
    const { ask } = await site(t, lane)
    for (const target of ['/none', '/sub', '/.secret', '/link.txt', '/a.txt%00', '/a.txt/b']) {
      const status = (await ask(target))?.status
      t.ok(status === 404 || status === 400, `${target}: ${status}`)
    }
  })
}

function linkOf(fd: string): string {
  return readlinkSync(`/proc/self/fd/${fd}`)
}

const asked = (root: string | null, headers: Record<string, string> = {}) =>
  requestOf('GET', '/', { services: servicesOf(root), headers })
const field = (reply: { headers: [string, string][] | null }, name: string) =>
  reply.headers?.find(([other]) => other === name)?.[1]

t.test('paths of a client never leave the folder', (t) => {
  const root = folder(t)
  const paths = [
    '../outside.txt',
    'sub/../../outside.txt',
    '/etc/passwd',
    'sub//x',
    './a.txt',
    '',
    '\0',
    'link.txt',
  ]
  for (const path of paths) {
    t.throws(
      () => file(asked(root), path),
      { name: 'HttpError', message: 'Not Found' },
      JSON.stringify(path),
    )
  }
  t.equal(file(asked(root), '/a.txt').status, 200, 'a slash in front is no root')
  t.end()
})

t.test('a download has a name in its field, other statuses have none', (t) => {
  const root = folder(t)
  const named = (options: FileOptions, headers = {}) =>
    field(file(asked(root, headers), 'sub/보고서.pdf', options), 'Content-Disposition')
  t.equal(named({}), undefined)
  t.equal(
    named({ download: true }),
    `attachment; filename="___.pdf"; filename*=UTF-8''%EB%B3%B4%EA%B3%A0%EC%84%9C.pdf`,
  )
  t.equal(named({ download: 'report 1.pdf' }), 'attachment; filename="report 1.pdf"')
  t.equal(named({ download: 'x' }, { range: 'bytes=0-1' }), 'attachment; filename="x"')
  t.equal(named({ download: 'x' }, { 'if-none-match': '*' }), undefined)
  t.end()
})

t.test('a type and a folder can be given; without any folder it is a mistake of the site', (t) => {
  const root = folder(t)
  const reply = file(asked(null), 'a.txt', { root, type: 'text/x-log' })
  t.match(reply, { status: 200, type: 'text/x-log', compress: false })
  t.throws(() => file(asked(null), 'a.txt'), {
    code: 'UWAS_ERR_FILES_ROOT',
    message: 'file(): the site has no folder of private files; set `privateFiles`, or give a root',
  })
  t.throws(() => file(asked(null), 'a.txt', { root: 'files' }), {
    code: 'UWAS_ERR_FILES_ROOT',
    message:
      'file(): its root "files" is not absolute, so it would depend on where the server was started',
  })
  t.end()
})

t.test('a file that is replaced before it is sent is not sent under the old fields', async (t) => {
  const root = folder(t)
  const { port } = await serve(
    t,
    (req) => {
      const reply = file(req, 'a.txt')
      writeFileSync(join(root, 'a.txt'), 'another content')
      return reply
    },
    { services: servicesOf(root) },
  )
  const { responses } = await raw(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  t.match(responses[0], { status: 503, body: Buffer.from('503 Service Unavailable\n') })
})

for (const lane of LANES) {
  t.test(
    `a request is done when its file has left, or its client has gone (${lane})`,
    async (t) => {
      const root = folder(t)
      let done = 0
      const { port } = await serve(
        t,
        (req) => {
          req.onDone(() => {
            done++
          })
          return file(req, '/large.bin')
        },
        { services: servicesOf(root), lane },
      )
      const get = 'GET / HTTP/1.1\r\nHost: x.test\r\n\r\n'
      const { responses } = await raw(port, get)
      t.equal(responses[0]?.body.byteLength, LARGE.byteLength)
      for (let i = 0; i < 300 && done < 1; i++) await sleep(10)
      t.equal(done, 1)
      const socket = await dial(port)
      socket.write(get)
      await new Promise((resolve) => socket.once('data', resolve))
      socket.destroy()
      for (let i = 0; i < 300 && done < 2; i++) await sleep(10)
      t.equal(done, 2)
    },
  )
}
