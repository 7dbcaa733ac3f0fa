import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createLog } from '../../src/core/log.ts'
import { createCatalogue } from '../../src/files/catalogue.ts'
import { text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { SECURITY_HEADERS } from '../../src/http/security-headers.ts'
import { loadNative } from '../../src/native/load.ts'
import { TraceLog } from '../../src/observe/trace-log.ts'
import { serve } from '../support/application.ts'
import { dial, raw } from '../support/raw.ts'

const big = randomBytes(8 * 1024 * 1024)

const get = (path: string, fields = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`

async function serveFolder(t: Test, traces: TraceLog | null = null) {
  const dir = t.testdir({
    'index.html': '<h1>home</h1>',
    'a.css': 'p { color: red }',
    '한글 이름.txt': '안녕',
    'medium.bin': big.subarray(0, 200_000),
    'big.bin': big,
    docs: { 'index.html': 'docs' },
    '.env': 'SECRET=1',
  })
  const files = await createCatalogue({
    mounts: [{ dir, prefix: '/' }],
    storeDir: join(t.testdirName, '..', 'objects'),
    ceilingBytes: 4 * 1024 * 1024,
    native: loadNative(),
    log: createLog(() => {}),
    baseHeaders: SECURITY_HEADERS,
  })
  t.teardown(() => files.close())
  const view = async (req: Request) => {
    if (req.path === '/late') await sleep(20)
    return text('from a view', { status: 404 })
  }
  return { ...(await serve(t, view, { catalogue: files, traces })), dir }
}

t.test('a file is answered with its type, validators and the security fields', async (t) => {
  const { port } = await serveFolder(t)
  const { responses } = await raw(port, get('/a.css') + get('/') + get('/docs/?x'), { expect: 3 })
  t.match(responses[0], {
    status: 200,
    headers: {
      'content-type': 'text/css; charset=utf-8',
      'content-length': '16',
      etag: /^"[^"]+"$/,
      'last-modified': /GMT$/,
      'x-content-type-options': 'nosniff',
    },
  })
  t.equal(responses[0]?.body.toString(), 'p { color: red }')
  t.equal(responses[1]?.body.toString(), '<h1>home</h1>')
  t.equal(responses[2]?.body.toString(), 'docs')
})

t.test(
  'a file that somebody writes to is 503 for a moment, with one word in the log',
  async (t) => {
    const { port, log, dir } = await serveFolder(t)
    for (const round of [1, 2]) {
      const tries = 8
      appendFileSync(join(dir, 'big.bin'), 'x')
      const { responses } = await raw(port, get('/big.bin').repeat(tries), { expect: tries })
      for (const { status, headers } of responses) {
        t.equal(status, 503)
        t.equal(headers['retry-after'], '1')
      }
      t.equal(responses.length, tries)
      t.equal(log.length, round)
      t.match(log.at(-1), /^uwas: warning: a file could not be sent: \/big\.bin has changed since /)
      for (let i = 0; i < 200; i++) {
        const { responses } = await raw(port, get('/big.bin').replace('GET', 'HEAD'), {
          methods: ['HEAD'],
        })
        if (responses[0]?.headers['content-length'] === String(big.length + round)) break
        await sleep(20)
      }
    }
  },
)

t.test('a client that has the file gets 304 without a length', async (t) => {
  const { port } = await serveFolder(t)
  const first = (await raw(port, get('/a.css'))).responses[0]
  const etag = first?.headers['etag'] ?? ''
  const cases = [
    `If-None-Match: ${etag}\r\n`,
    `If-None-Match: "other", W/${etag}\r\n`,
    'If-None-Match: *\r\n',
    `If-Modified-Since: ${first?.headers['last-modified']}\r\n`,
  ]
  for (const fields of cases) {
    const { responses } = await raw(port, get('/a.css', fields) + get('/a.css'), { expect: 2 })
    t.equal(responses[0]?.status, 304, fields)
    t.equal(responses[0]?.headers['content-length'], undefined)
    t.equal(responses[0]?.headers['etag'], etag)
    t.equal(responses[1]?.status, 200, 'and the connection goes on')
  }
})

t.test('HEAD tells what GET would send, for small, large and streamed files', async (t) => {
  const { port } = await serveFolder(t)
  for (const path of ['/a.css', '/medium.bin', '/big.bin']) {
    const request = `HEAD ${path} HTTP/1.1\r\nHost: x\r\n\r\n${get(path)}`
    const { responses } = await raw(port, request, { expect: 2, methods: ['HEAD', 'GET'] })
    t.same({ ...responses[0]?.headers, date: '' }, { ...responses[1]?.headers, date: '' }, path)
    t.equal(responses[1]?.body.length, Number(responses[0]?.headers['content-length']), path)
  }
})

t.test('names in other scripts and encodings are found, hidden files are not', async (t) => {
  const { port } = await serveFolder(t)
  const encoded = encodeURI('/한글 이름.txt')
  const { responses } = await raw(
    port,
    get(encoded) + get(encoded.toLowerCase()) + get('/%61.css'),
    { expect: 3 },
  )
  t.same(
    responses.map(({ status }) => status),
    [200, 200, 200],
  )
  t.equal(responses[0]?.body.toString(), '안녕')
  for (const path of [
    '/.env',
    '/%2eenv',
    '/docs/../a.css',
    '/docs/%2e%2e/a.css',
    '//a.css',
    '/a.css/',
    '/docs%2findex.html',
    '/..\\a.css',
  ]) {
    t.equal((await raw(port, get(path))).responses[0]?.status, 404, path)
  }
})

t.test('a folder without its slash redirects, with the query kept', async (t) => {
  const { port } = await serveFolder(t)
  const { responses } = await raw(port, get('/docs') + get('/docs?a=1&b=%0d'), { expect: 2 })
  t.same(
    responses.map(({ status }) => status),
    [308, 308],
  )
  t.same(
    responses.map(({ headers }) => headers['location']),
    ['/docs/', '/docs/?a=1&b=%0d'],
  )
})

t.test(
  'large bodies reach a slow reader byte for byte, and one that leaves harms nobody',
  async (t) => {
    const { port } = await serveFolder(t)
    const gone = await dial(port)
    gone.pause()
    gone.write(get('/big.bin'))
    await sleep(50)
    gone.destroy()
    const socket = await dial(port)
    socket.pause()
    socket.write(get('/big.bin'))
    await sleep(200)
    const chunks: Buffer[] = []
    let size = 0
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk) => {
        chunks.push(chunk)
        size += chunk.length
        if (size > big.length) resolve()
      })
      socket.resume()
    })
    socket.destroy()
    const all = Buffer.concat(chunks)
    t.ok(all.subarray(all.indexOf('\r\n\r\n') + 4).equals(big))
  },
)

t.test(
  'Connection: close ends the connection after a file, small, large or not modified',
  async (t) => {
    const { port } = await serveFolder(t)
    for (const path of ['/a.css', '/medium.bin']) {
      for (const value of ['close', 'keep-alive, close']) {
        const { responses } = await raw(port, get(path, `Connection: ${value}\r\n`), {
          timeoutMs: 2000,
        })
        t.equal(responses[0]?.headers['connection'], 'close', `${path} ${value}`)
      }
    }
  },
)

t.test('timings of a file are recorded when the site asks for them', async (t) => {
  const traces = new TraceLog()
  const { port } = await serveFolder(t, traces)
  await raw(port, get('/a.css') + get('/nothing'), { expect: 2 })
  const [last, first] = traces.recent()
  t.match(first, { lane: 'static', method: 'GET', path: '/a.css', status: 200 })
  t.same(
    first?.spans.map(({ step }) => step),
    ['server', 'files', 'reply'],
  )
  t.match(last, { lane: 'view', path: '/nothing', status: 404 })
  t.ok((first?.totalMs ?? 0) >= (first?.spans[0]?.durationMs ?? 1))
})

t.test(
  'a pipeline of large files is answered whole and in order, where a gate looks first',
  async (t) => {
    const { port, gated } = await serveFolder(t)
    if (!gated) {
      t.pass('without the addon there is no gate')
      return
    }
    const [one, small] = [get('/big.bin'), get('/a.css')]
    for (const pipeline of [
      [one, small, one],
      [small, one, small],
      [small, small, one, one],
    ]) {
      const { responses } = await raw(port, pipeline.join(''), {
        expect: pipeline.length,
        timeoutMs: 20_000,
      })
      t.same(
        responses.map(({ status, body }) => [status, body.length]),
        pipeline.map((request) => [200, request === one ? big.length : 16]),
      )
    }
  },
)

t.test('so is one of an apt that sends the next requests later', async (t) => {
  const { port, gated } = await serveFolder(t)
  if (!gated) {
    t.pass('without the addon there is no gate')
    return
  }
  const agent = 'User-Agent: Debian APT-HTTP/1.3 (2.6.1)\r\n'
  const socket = await dial(port)
  const answered = raw(port, get('/big.bin', agent), { expect: 3, timeoutMs: 20_000, socket })
  await sleep(50)
  socket.write(get('/a.css', agent) + get('/big.bin', agent))
  const { responses } = await answered
  t.same(
    responses.map(({ status, body }) => [status, body.length]),
    [
      [200, big.length],
      [200, 16],
      [200, big.length],
    ],
  )
})

t.test('a pipeline whose later requests are for a view is answered in order', async (t) => {
  const { port, gated } = await serveFolder(t)
  if (!gated) {
    t.pass('without the addon there is no gate')
    return
  }
  const { responses } = await raw(port, get('/a.css') + get('/late') + get('/a.css'), { expect: 3 })
  t.same(
    responses.map(({ status }) => status),
    [200, 404, 200],
  )
})
