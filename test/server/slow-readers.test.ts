/** Readers by their speed: who gets on is let be on every lane, who takes next to nothing is cut. */
import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import { bytes, stream } from '../../src/http/reply.ts'
import { loadNative } from '../../src/native/load.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { authorityOf } from '../support/certificates.ts'
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
  // The engine alone judges readers of a stream of its own lane: nothing is there to be tried again.
  (lane === 'native' ? ['/whole'] : ['/whole', '/stream']).map((target) => ({
    name: `${lane} ${target}`,
    open,
    target,
  })),
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

/** Bytes that have come when the reply is whole, or has ended. */
function readRest(from: Readable, before: number): Promise<number> {
  let count = before
  return new Promise((resolve) => {
    const finish = () => resolve(count)
    from.once('end', finish).once('close', finish)
    from.on('data', (chunk: Buffer) => {
      count += chunk.length
      if (count >= SIZE) finish()
    })
    from.resume()
  })
}

t.test(
  'a reader of 20 KB/s, of a stream of 50 KB/s, gets all of a large reply',
  { skip },
  async (t) => {
    const own = await site(t, 1024)
    await Promise.all(
      all.map(async ({ name, open, target }) => {
        const from = open(own, target)
        t.teardown(() => from.destroy())
        let count = 0
        // Longer than the engine waits for one that takes nothing.
        for (const end = performance.now() + 16_000; performance.now() < end; ) {
          count += await readPart(from)
          await sleep(target === '/whole' ? 3300 : 1300)
        }
        t.ok(count < SIZE / 4, `${name}: ${count} bytes slowly`)
        t.ok((await readRest(from, count)) >= SIZE, name)
      }),
    )
  },
)

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
