/** Readers by their speed: who gets on is let be on every lane, who takes next to nothing is cut. */
import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import { bytes, Reply, stream } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { loadNative } from '../../src/native/load.ts'
import { observerOf } from '../../src/observe/observer.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { authorityOf } from '../support/certificates.ts'
import { listenerOf } from '../support/listener.ts'
import { siteOf, type TestSite } from '../support/serving.ts'
import { eventually } from '../support/supervised.ts'

t.setTimeout(120_000)

const skip = loadNative().gate === null && 'without the addon the kernel takes what it likes'
const { certFile, keyFile } = authorityOf(t).issue('own', ['localhost'])
const SIZE = 16 * 1024 * 1024
const PART = Buffer.alloc(64 * 1024, 'x')

async function* parts() {
  for (let sent = 0; sent < SIZE; sent += PART.length) yield PART
}

async function* cut(body: Buffer) {
  for (let at = 0; at < body.length; at += PART.length) yield body.subarray(at, at + PART.length)
}

async function* one(body: Buffer) {
  yield body
}

const site = (t: Test, minSendBytesPerSecond: number) =>
  siteOf(t, {
    urls: urlconf(
      path('/whole', () => bytes(Buffer.alloc(SIZE, 'x'), 'text/x-test')),
      path('/stream', () => stream(parts(), 'text/x-test')),
    ),
    database: false,
    compression: false,
    tls: { port: 0, redirect: false, certificates: [{ certFile, keyFile }] },
    limits: { minSendBytesPerSecond },
  })

type Open = (site: TestSite, target: string) => Readable

function send(socket: Socket, target: string, version: string): Socket {
  socket.on('error', () => {})
  socket.pause()
  socket.write(`GET ${target} HTTP/${version}\r\nHost: localhost\r\n\r\n`)
  return socket
}

/** What comes of a reply on each lane, not read yet. */
const LANES: Record<string, Open> = {
  native: ({ server }, target) => send(connect(server.port, '127.0.0.1'), target, '1.1'),
  strict: ({ server }, target) => send(connect(server.port, '127.0.0.1'), target, '1.0'),
  tls: ({ server }, target) =>
    send(
      connectTls({ port: server.tlsPort ?? 0, host: '127.0.0.1', rejectUnauthorized: false }),
      target,
      '1.1',
    ),
  'HTTP/2': ({ server }, target) => {
    const options = { rejectUnauthorized: false, settings: { initialWindowSize: 2 ** 30 } }
    const session = connectHttp2(`https://localhost:${server.tlsPort}`, options)
    session.on('error', () => {})
    session.on('connect', () => session.setLocalWindowSize(2 ** 30))
    const request = session.request({ ':path': target })
    request.on('error', () => {})
    request.once('close', () => session.destroy())
    return request.pause()
  },
}

const all = Object.entries(LANES).flatMap(([lane, open]) =>
  ['/whole', '/stream'].map((target) => ({ name: `${lane} ${target}`, open, target })),
)

/** Takes a part of at most 64 KiB. */
function readPart(from: Readable): Promise<number> {
  return new Promise((resolve) => {
    const finish = (count: number): void => {
      from.off('close', onClose)
      resolve(count)
    }
    const onClose = (): void => finish(0)
    from.once('close', onClose)
    from.once('data', (chunk: Buffer) => {
      from.pause()
      finish(chunk.length)
    })
    from.resume()
  })
}

/** Bytes that have come when `size` is reached, or the reply has ended. */
function readUntil(from: Readable, before: number, size: number): Promise<number> {
  let count = before
  return new Promise((resolve) => {
    const finish = () => resolve(count)
    from.once('end', finish).once('close', finish)
    from.on('data', (chunk: Buffer) => {
      count += chunk.length
      if (count >= size) finish()
    })
    from.resume()
  })
}

/** Whether the last chunk comes, and not only the end of the connection. */
function isEnded(from: Readable): Promise<boolean> {
  return new Promise((resolve) => {
    from.once('close', () => resolve(false))
    from.on('data', (chunk: Buffer) => {
      if (chunk.subarray(-5).toString('latin1') === '0\r\n\r\n') resolve(true)
    })
    from.resume()
  })
}

t.test('a reader of 20 KB/s gets all of a large reply', { skip }, async (t) => {
  const own = await site(t, 1024)
  await Promise.all(
    all.map(async ({ name, open, target }) => {
      const from = open(own, target)
      t.teardown(() => from.destroy())
      let count = 0
      // Longer than the engine waits for one that takes nothing.
      for (const end = performance.now() + 16_000; performance.now() < end; ) {
        count += await readPart(from)
        await sleep(3300)
      }
      t.ok(count < SIZE / 4, `${name}: ${count} bytes slowly`)
      t.ok((await readUntil(from, count, SIZE)) >= SIZE, name)
    }),
  )
})

t.test('who takes nothing of a large reply is cut, on every lane', { skip }, async (t) => {
  // So much that it is soon more than what the system takes by itself, up to 4 MB.
  const own = await site(t, 400_000)
  const { server } = own
  for (const { open, target } of all) {
    const from = open(own, target)
    t.teardown(() => from.destroy())
  }
  await eventually('all have begun', () => server.pendingCount() === all.length)
  await eventually('all are cut', () => server.pendingCount() === 0)
  t.equal(server.pendingCount(), 0)
})

t.test('who stands still for a while gets the end too', { skip }, async (t) => {
  const listener = listenerOf()
  const body = (req: Request): Buffer => Buffer.alloc(Number(req.query.get('size')), 'x')
  const urls = urlconf(
    path('/whole', (req) => bytes(body(req), 'text/x-test')),
    path('/sized', (req) => new Reply(200, 'text/x-test', cut(body(req)), body(req).length)),
    path('/stream', (req) => stream(cut(body(req)), 'text/x-test')),
    path('/chunk', (req) => stream(one(body(req)), 'text/x-test')),
  )
  const own = await siteOf(t, { urls, database: false, compression: false })
  own.server.use({ ...own.app, observer: observerOf([listener]) })
  const { port } = own.server
  const begin = (target: string): Socket => {
    const from = send(connect(port, '127.0.0.1'), target, '1.1')
    t.teardown(() => from.destroy())
    return from
  }
  // As much as the system takes, and not the last bytes more.
  const probe = begin(`/whole?size=${SIZE}`)
  await sleep(1500)
  probe.destroy()
  const [{ bodyBytes = 0 } = {}] = await listener.wait(1)
  t.ok(bodyBytes > 64 * 1024 && bodyBytes < SIZE, `${bodyBytes} bytes are taken`)
  const sizes = Array.from({ length: 16 }, (_, i) => bodyBytes + (i - 4) * 6 * 1024)
  const targets = sizes.flatMap((size) =>
    ['/whole', '/sized', '/stream', '/chunk'].map((target) => ({
      target: `${target}?size=${size}`,
      size,
    })),
  )
  const open = targets.map((one) => ({ ...one, from: begin(one.target) }))
  // The system has asked for more, and stands still then.
  const size = 2 * SIZE
  const target = `/chunk?size=${size}`
  const begun = begin(target)
  await readUntil(begun, 0, 3_000_000)
  begun.pause()
  await sleep(16_000)
  t.equal(await isEnded(begun), true, target)
  const missing = await Promise.all(
    open.map(async ({ target, size, from }) => {
      const got = await readUntil(from, 0, size)
      return got >= size ? [] : [`${target}: ${got} bytes`]
    }),
  )
  t.strictSame(missing.flat(), [])
})

for (const waitMs of [0, 3000]) {
  t.test(`an echo comes whole to who reads after ${waitMs} ms`, { skip }, async (t) => {
    const urls = urlconf(
      path('/stream', (req) => stream(req.stream(), 'text/x-test'), { methods: ['POST'] }),
      path(
        '/sized',
        (req) => new Reply(200, 'text/x-test', req.stream(), Number(req.header('content-length'))),
        { methods: ['POST'] },
      ),
    )
    const own = await siteOf(t, {
      urls,
      database: false,
      csrf: false,
      compression: false,
      limits: { maxBodyBytes: 2 ** 30 },
    })
    const size = 48 * 1024 * 1024
    const results = ['/stream', '/sized'].map(async (target) => {
      const from = connect(own.server.port, '127.0.0.1')
      t.teardown(() => from.destroy())
      from.on('error', () => {})
      from.pause()
      const head = `POST ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${size}\r\n\r\n`
      from.write(head)
      for (let sent = 0; sent < size; sent += PART.length) from.write(PART)
      await sleep(waitMs)
      return (await readUntil(from, 0, size)) >= size
    })
    t.strictSame(await Promise.all(results), [true, true])
  })
}
