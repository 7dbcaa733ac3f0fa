/** HTTP/2: what takes too long, or more than one request may have. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer } from 'node:tls'
import t, { type Test } from 'tap'
import { type Reply, stream, text } from '../../../src/http/reply.ts'
import type { Request } from '../../../src/http/request.ts'
import { Http2Lane, type Http2Options } from '../../../src/server/http2/http2-lane.ts'
import { NativeLane } from '../../../src/server/native-lane.ts'
import { applicationOf } from '../../support/application.ts'
import { authorityOf } from '../../support/certificates.ts'
import {
  ask2,
  type Fields,
  FLAG,
  frame,
  headers,
  openHttp2,
  rawHttp2,
  TYPE,
  uint32,
  with_,
} from '../../support/http2.ts'

const own = authorityOf(t).issue('own', ['localhost'])

/** The lane with deadlines of its own, behind its own listening socket. */
async function laneOf(
  t: Test,
  deadlines: NonNullable<Http2Options['deadlines']>,
  view: (req: Request) => Reply | Promise<Reply>,
  minSendBytesPerSecond = 0,
) {
  const limits = { minSendBytesPerSecond }
  const lane = new NativeLane(applicationOf(view, { limits }), [])
  const http2 = new Http2Lane(lane, { maxHeaderBytes: 16_384, isFor: () => true, deadlines })
  const server = createServer({
    cert: own.cert,
    key: own.key,
    ALPNProtocols: ['h2'],
    allowHalfOpen: true,
  })
  server.on('secureConnection', (socket) => http2.adopt(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    http2.close()
  })
  return { http2, port: (server.address() as { port: number }).port }
}

t.test('connections without a request, and those that rest, are closed in time', async (t) => {
  const { port } = await laneOf(t, { firstMs: 100, closeMs: 100 }, () => text('x'))
  const silent = await rawHttp2(t, port)
  t.equal(await silent.end(), 0, 'silent from the start')
  const partial = await rawHttp2(t, port)
  partial.send(headers(1).subarray(0, 20))
  await partial.end()
  t.pass('half a head')
  const resting = await laneOf(t, { firstMs: 600_000, idleMs: 100 }, () => text('x'))
  const rests = await rawHttp2(t, resting.port)
  rests.send(headers(1))
  t.equal(await rests.end(), 0)
  t.ok(rests.frames.some(({ type, stream: id }) => type === TYPE.headers && id === 1))
})

t.test('more fields than the strict lane takes are 431', async (t) => {
  const { port } = await laneOf(t, {}, () => text('x'))
  const session = openHttp2(t, port)
  const statuses = []
  for (const count of [256, 257]) {
    const all = Array.from({ length: count }, () => 'y')
    statuses.push((await ask2(session, { ':path': '/', x: all })).status)
  }
  t.strictSame(statuses, [200, 431])
})

t.test(
  'a request that nobody reads has to come in time, a body that is read has not',
  async (t) => {
    const gone = new Set<string>()
    const { port } = await laneOf(t, { requestMs: 100 }, async (req) => {
      req.signal.addEventListener('abort', () => gone.add(req.path))
      if (req.path === '/unread') await sleep(10_000, null, { ref: false })
      return text(req.path === '/read' ? await req.text() : 'early')
    })
    const client = await rawHttp2(t, port)
    const open = (id: number, path: string, ...more: Fields): void => {
      const fields = [...with_(':path', path), ...more]
      client.send(headers(id, fields, FLAG.endHeaders))
    }
    open(1, '/read')
    open(3, '/unread', ['content-length', '0'])
    open(5, '/early')
    for (let i = 0; i < 6; i++) {
      client.send(
        frame(TYPE.data, 0, 1, Buffer.from('x')),
        frame(TYPE.data, 0, 5, Buffer.from('y')),
      )
      await sleep(500)
    }
    client.send(frame(TYPE.data, FLAG.endStream, 1))
    const bodyOf = (id: number) =>
      client.until(({ type, stream }) => type === TYPE.data && stream === id)
    const resetOf = async (id: number) => {
      const reset = await client.until(({ type, stream }) => type === TYPE.reset && stream === id)
      return reset?.payload.readUInt32BE()
    }
    t.equal(String((await bodyOf(1))?.payload), 'xxxxxx')
    t.equal(await resetOf(3), 2, 'INTERNAL_ERROR')
    t.strictSame([...gone], ['/unread'])
    t.equal(String((await bodyOf(5))?.payload), 'early')
    t.equal(await resetOf(5), 0, 'the rest of what has been answered is not waited for for long')
  },
)

t.test('a reply may take longer than a request, which has come with its head', async (t) => {
  const slow = async function* () {
    for (let i = 0; i < 5; i++) {
      yield Buffer.from('a')
      await sleep(500)
    }
  }
  const { port } = await laneOf(t, { requestMs: 100 }, () => stream(slow(), 'text/plain'))
  const { status, body } = await ask2(openHttp2(t, port), { ':path': '/' })
  t.strictSame([status, String(body)], [200, 'aaaaa'])
})

t.test('a reader that takes nothing of a reply is reset, however short it is', async (t) => {
  const endless = async function* () {
    for (;;) yield Buffer.alloc(10_000)
  }
  const view = (req: Request) =>
    req.path === '/' ? text('x'.repeat(9_000)) : stream(endless(), 'text/plain')
  // With a window of nothing (RFC 9113 section 6.5.2) not even a short one leaves.
  const { port, http2 } = await laneOf(t, { tailMs: 100 }, view, 1_000_000)
  for (const path of ['/', '/endless']) {
    const client = await rawHttp2(t, port)
    const INITIAL_WINDOW_SIZE = 4
    const setting = Buffer.concat([Buffer.from([0, INITIAL_WINDOW_SIZE]), uint32(0)])
    client.send(frame(TYPE.settings, 0, 0, setting), headers(1, with_(':path', path)))
    t.ok(await client.until(({ type, stream: id }) => type === TYPE.reset && id === 1), path)
  }
  while (http2.active > 0) await sleep(5)
  t.equal(http2.active, 0)
})

t.test(
  'a connection that nghttp2 has given up is closed once its replies cannot leave',
  async (t) => {
    const waiting: (() => void)[] = []
    const view = () => new Promise<Reply>((resolve) => waiting.push(() => resolve(text('x'))))
    const { port, http2 } = await laneOf(t, { tailMs: 100, closeMs: 100 }, view, 1_000_000)
    const client = await rawHttp2(t, port)
    // Content behind the end: nghttp2 says GOAWAY, Node hears nothing of it and reads no further.
    client.send(headers(1))
    while (waiting.length === 0) await sleep(5)
    client.send(frame(TYPE.data, 0, 1, Buffer.from('x')))
    t.ok(await client.until(({ type }) => type === TYPE.goaway))
    waiting.pop()?.()
    await client.end()
    t.equal(http2.active, 0)
  },
)
