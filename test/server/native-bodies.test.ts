import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { bytes, json, Reply, stream, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { serve } from '../support/application.ts'
import { dial, raw } from '../support/raw.ts'

const get = (path: string, fields = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: x.test\r\n${fields}\r\n`
const post = (path: string, body: string, fields = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: x.test\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${fields}\r\n${body}`

t.test('a posted body arrives whole, in one piece or byte by byte', async (t) => {
  const { port } = await serve(t, async (req) => {
    await sleep(1)
    return json(await req.json())
  })
  const body = JSON.stringify({ text: '한글 body', n: [1, 2, 3] })
  const request = post('/', body, 'Content-Type: application/json\r\n')
  const whole = await raw(port, request)
  t.equal(whole.responses[0]?.body.toString(), body)

  const socket = await dial(port)
  const answered = new Promise<string>((resolve) => {
    let seen = ''
    socket.on('data', (chunk) => {
      seen += chunk.toString()
      if (seen.includes('"n":[1,2,3]')) resolve(seen)
    })
  })
  for (const byte of Buffer.from(request)) {
    socket.write(Buffer.of(byte))
    await sleep(0)
  }
  t.match(await answered, '한글 body')
  socket.destroy()
})

t.test('a body above the limit is 413 and the connection survives', async (t) => {
  let views = 0
  const count = async (req: Request) => {
    views++
    return text(String((await req.bytes()).length))
  }
  const { port } = await serve(t, count, { limits: { maxBodyBytes: 10 } })
  const request = post('/', 'x'.repeat(11))
  const socket = await dial(port)
  t.teardown(() => socket.destroy())
  let seen = ''
  socket.on('data', (chunk) => {
    seen += chunk
  })
  socket.write(request)
  for (let i = 0; i < 200 && !seen.endsWith('too large\n'); i++) await sleep(5)
  t.match(seen, /^HTTP\/1\.1 413 Content Too Large\r\n/)
  t.equal(views, 0, 'no view sees it')
  socket.write(post('/', 'x'.repeat(10)))
  for (let i = 0; i < 200 && !seen.endsWith('\r\n\r\n10'); i++) await sleep(5)
  t.match(seen, /\r\n\r\n10$/, 'the next request on the same connection is answered')
})

t.test('a stream goes out in chunks, as fast as the client reads', async (t) => {
  let made = 0
  const total = 400
  const { port } = await serve(t, () =>
    stream(
      (async function* () {
        for (; made < total; made++) yield Buffer.alloc(64 * 1024, made % 256)
      })(),
      'application/octet-stream',
    ),
  )
  const socket = await dial(port)
  t.teardown(() => socket.destroy())
  socket.pause()
  socket.write(get('/'))
  await sleep(500)
  t.ok(made < total, `the body waits for its reader (${made} of ${total} chunks made)`)
  let received = 0
  await new Promise<void>((resolve) => {
    let tail = ''
    socket.on('data', (chunk) => {
      received += chunk.length
      tail = (tail + chunk.subarray(-8).toString('latin1')).slice(-5)
      if (tail === '0\r\n\r\n') resolve()
    })
    socket.resume()
  })
  t.ok(received > total * 64 * 1024)
})

t.test('an error in the middle of a stream cuts the connection and is logged', async (t) => {
  const { port, log } = await serve(t, () =>
    stream(
      (async function* () {
        yield 'first part'
        await sleep(5)
        throw new Error('planted')
      })(),
      'text/plain',
    ),
  )
  const { bytes: sent, closed } = await raw(port, get('/'), { untilClosed: true })
  t.ok(closed)
  t.match(sent.toString(), 'first part')
  t.notMatch(sent.toString(), '\r\n0\r\n', 'no fake end')
  t.match(log.join('\n'), /planted/)
})

t.test('a body shorter or longer than its length cuts the connection', async (t) => {
  const { port, log } = await serve(t, (req) => {
    const parts = req.path === '/short' ? ['abc'] : ['abc', 'defgh']
    return new Reply(
      200,
      'text/plain',
      (async function* () {
        yield* parts
      })(),
      5,
    )
  })
  for (const path of ['/short', '/long']) {
    const { closed, responses } = await raw(port, get(path), { untilClosed: true, timeoutMs: 3000 })
    t.ok(closed, path)
    t.equal(responses.length, 0, `${path}: not a complete response`)
  }
  t.match(
    log.join('\n'),
    /shorter than its announced 5 bytes[\s\S]*longer than its announced 5 bytes/,
  )
})

t.test('a sized body waits for a slow reader and arrives byte for byte', async (t) => {
  const part = Buffer.alloc(1024 * 1024)
  for (let i = 0; i < part.length; i++) part[i] = i % 251
  const { port } = await serve(t, (req) =>
    req.path === '/whole'
      ? bytes(
          Buffer.concat([part, part, part, part, part, part, part, part]),
          'application/octet-stream',
        )
      : new Reply(
          200,
          'application/octet-stream',
          (async function* () {
            for (let i = 0; i < 8; i++) yield part
          })(),
          8 * part.length,
        ),
  )
  for (const path of ['/whole', '/parts']) {
    const socket = await dial(port)
    socket.pause()
    socket.write(get(path))
    await sleep(100)
    const chunks: Buffer[] = []
    let size = 0
    let expected = Number.POSITIVE_INFINITY
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk) => {
        chunks.push(chunk)
        size += chunk.length
        if (expected === Number.POSITIVE_INFINITY) {
          expected = Buffer.concat(chunks).indexOf('\r\n\r\n') + 4 + 8 * part.length
        }
        if (size >= expected) resolve()
      })
      socket.resume()
    })
    socket.destroy()
    const all = Buffer.concat(chunks)
    const body = all.subarray(all.indexOf('\r\n\r\n') + 4)
    t.equal(body.length, 8 * part.length, path)
    t.ok(
      [0, 3, 7].every((i) => body.subarray(i * part.length, (i + 1) * part.length).equals(part)),
      path,
    )
  }
})

t.test('a client that goes away fires the signal, ends the stream, and harms nobody', async (t) => {
  let begun = 0
  let returned = 0
  let aborted = 0
  const { port } = await serve(t, async (req) => {
    begun++
    req.signal.addEventListener('abort', () => aborted++)
    if (req.path === '/wait') {
      await sleep(200)
      return text('too late')
    }
    return stream(
      (async function* () {
        try {
          for (;;) {
            yield 'tick\n'
            await sleep(5)
          }
        } finally {
          returned++
        }
      })(),
      'text/plain',
    )
  })
  for (const [i, path] of ['/wait', '/stream'].entries()) {
    const socket = await dial(port)
    const answering = new Promise((resolve) => socket.once('data', resolve))
    socket.write(get(path))
    for (let n = 0; n < 500 && begun <= i; n++) await sleep(5)
    if (path === '/stream') await answering
    socket.destroy()
  }
  for (let i = 0; i < 500 && (aborted < 2 || returned < 1); i++) await sleep(10)
  t.equal(aborted, 2)
  t.equal(returned, 1)
  await sleep(200)
  t.equal((await raw(port, get('/wait'))).responses[0]?.body.toString(), 'too late')
})

t.test('stopping waits for a slow reader of a large string or of large bytes', async (t) => {
  const size = 5 * 1024 * 1024
  const server = await serve(t, async (req) => {
    if (req.path === '/string') return text('x'.repeat(size))
    await sleep(1)
    return bytes(Buffer.alloc(size, 'x'), 'text/plain')
  })
  const sockets = await Promise.all(
    ['/string', '/bytes'].map(async (path) => {
      const socket = await dial(server.port)
      socket.pause()
      socket.write(get(path))
      return socket
    }),
  )
  await sleep(200)
  const closing = server.close({ graceMs: 10_000 })
  await sleep(100)
  for (const socket of sockets) {
    let received = 0
    socket.on('data', (chunk) => {
      received += chunk.length
    })
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.resume()
    await Promise.race([closed, sleep(5000)])
    t.ok(received > size, `${received} bytes of ${size} and a head`)
  }
  t.equal(await closing, 0, 'nothing was cut')
})

t.test(
  'a body that cannot be begun costs its connection only, and nothing stays pending',
  async (t) => {
    const broken = (): Reply =>
      new Reply(200, 'text/plain', {
        [Symbol.asyncIterator]() {
          throw new Error('planted: cannot be begun')
        },
      })
    const server = await serve(t, async (req) => {
      if (req.path === '/ok') return text('ok')
      if (req.path === '/later') await sleep(1)
      return broken()
    })
    for (const path of ['/now', '/later']) {
      const head = await raw(server.port, `HEAD ${path} HTTP/1.1\r\nHost: x\r\n\r\n`, {
        methods: ['HEAD'],
      })
      t.equal(head.responses[0]?.status, 200, 'HEAD sends no body')
      t.ok((await raw(server.port, get(path), { untilClosed: true, timeoutMs: 3000 })).closed)
    }
    t.match(server.log.join('\n'), /planted: cannot be begun/)
    t.equal((await raw(server.port, get('/ok'))).responses[0]?.body.toString(), 'ok')
    const from = performance.now()
    t.equal(await server.close({ graceMs: 20_000 }), 0)
    t.ok(performance.now() - from < 15_000, 'the stop did not wait for ghosts')
  },
)
