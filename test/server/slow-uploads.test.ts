/** Bodies of requests by their speed: who sends next to nothing is told 408 on every lane, who gets on is let be. */
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { loadNative } from '../../src/native/load.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { UploadPace } from '../../src/server/upload-pace.ts'
import { authorityOf } from '../support/certificates.ts'
import { parseResponses } from '../support/raw.ts'
import { siteOf, type TestSite } from '../support/serving.ts'

t.setTimeout(120_000)

const skip = loadNative().gate === null && 'without the addon nobody has a chunked body'
const { certFile, keyFile } = authorityOf(t).issue('own', ['localhost'])
/** More than the limit asks for in all of the time of a test. */
const SIZE = 64 * 1024
const AT_ONCE = SIZE / 2

/** What views were told in place of a body. */
const told: { code?: string; message: string }[] = []

const site = (t: Test, minReceiveBytesPerSecond?: number) =>
  siteOf(t, {
    urls: urlconf(
      path('/whole', {
        post: async (req: Request) => {
          const body = await req.bytes().catch((error) => {
            told.push(error)
            throw error
          })
          return text(`${body.length}`)
        },
      }),
      path('/pieces', {
        post: async (req: Request) => {
          let count = 0
          for await (const piece of req.stream()) count += piece.length
          return text(`${count}`)
        },
      }),
    ),
    database: false,
    csrf: false,
    tls: { port: 0, redirect: false, certificates: [{ certFile, keyFile }] },
    limits: minReceiveBytesPerSecond === undefined ? {} : { minReceiveBytesPerSecond },
  })

interface Sending {
  send(bytes: Buffer): void
  end(): void
  /** Status and body of the reply, and whether the connection ended; waits for both. */
  readonly answer: Promise<{ status: number; body: string; isClosed: boolean }>
}

type Open = (site: TestSite, target: string) => Sending

function overHttp1(
  { server }: TestSite,
  target: string,
  field: string,
  isChunked: boolean,
): Sending {
  const socket = connect(server.port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => {})
  socket.write(`POST ${target} HTTP/1.1\r\nHost: localhost\r\n${field}\r\n\r\n`)
  const wrap = (bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
  return {
    send: (bytes) => void socket.write(isChunked ? wrap(bytes) : bytes),
    end: () => void (isChunked && socket.write('0\r\n\r\n')),
    answer: new Promise((resolve) => {
      const finish = (isClosed: boolean): void => {
        const [reply] = parseResponses(Buffer.concat(chunks), ['POST'], isClosed)
        if (reply === undefined && !isClosed) return
        if (reply?.headers['connection'] === 'close' && !isClosed) return
        resolve({ status: reply?.status ?? 0, body: `${reply?.body ?? ''}`, isClosed })
        socket.destroy()
      }
      socket.on('data', () => finish(false))
      socket.on('close', () => finish(true))
    }),
  }
}

function overHttp2({ server }: TestSite, target: string): Sending {
  const session = connectHttp2(`https://localhost:${server.tlsPort}`, { rejectUnauthorized: false })
  session.on('error', () => {})
  const request = session.request({ ':path': target, ':method': 'POST' }, { endStream: false })
  request.on('error', () => {})
  return {
    send: (bytes) => void request.write(bytes),
    end: () => void request.end(),
    answer: new Promise((resolve) => {
      let status = 0
      let body = ''
      request.on('response', ({ ':status': code }) => {
        status = Number(code)
      })
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => resolve({ status, body, isClosed: true }))
      request.on('close', () => {
        resolve({ status, body, isClosed: true })
        session.destroy()
      })
    }),
  }
}

const LANES: Record<string, Open> = {
  native: (site, target) => overHttp1(site, target, `Content-Length: ${SIZE}`, false),
  strict: (site, target) => overHttp1(site, target, 'Transfer-Encoding: chunked', true),
  'HTTP/2': overHttp2,
}
const all = Object.entries(LANES).flatMap(([lane, open]) =>
  ['/whole', '/pieces'].map((target) => ({ name: `${lane} ${target}`, open, target })),
)

t.test('a body that stands still, or comes by the byte, is 408', { skip }, async (t) => {
  const opened = await site(t)
  const began = performance.now()
  const sendings = all.flatMap(({ name, open, target }) =>
    [true, false].map((isStill) => {
      const sending = open(opened, target)
      sending.send(Buffer.alloc(isStill ? 10 : 1))
      const timer = setInterval(() => isStill || sending.send(Buffer.alloc(1)), 500)
      t.teardown(() => clearInterval(timer))
      return { name: `${name} ${isStill ? 'stands still' : 'by the byte'}`, sending }
    }),
  )
  for (const { name, sending } of sendings) {
    const { status, isClosed } = await sending.answer
    t.equal(status, 408, name)
    t.ok(isClosed, `${name}: the rest could come as a request`)
  }
  t.ok(performance.now() - began < 40_000, 'before views have to be ready')
  t.same(opened.log, [], 'nobody here has failed')
  t.equal(told.length, sendings.length / 2)
  t.equal(told[0]?.code, 'UWAS_ERR_HTTP_BODY_SLOW')
  t.equal(
    told[0]?.message,
    'the request body came more slowly than 1024 bytes a second (limits.minReceiveBytesPerSecond), or not at all',
  )
})

t.test(
  'what comes fast enough is read whole, also by bursts and behind a pause',
  { skip },
  async (t) => {
    const opened = await site(t)
    const sendings = all.map(({ name, open, target }) => ({ name, sending: open(opened, target) }))
    for (const { sending } of sendings) sending.send(Buffer.alloc(AT_ONCE))
    // Longer than the engine's own clock lets a connection stand still.
    await sleep(14_000)
    for (let i = 0; i < 4; i++) {
      for (const { sending } of sendings) sending.send(Buffer.alloc((SIZE - AT_ONCE) / 4))
      await sleep(500)
    }
    for (const { name, sending } of sendings) {
      sending.end()
      const { status, body } = await sending.answer
      t.strictSame([status, body], [200, String(SIZE)], name)
    }
  },
)

t.test(
  'a body by Content-Length that may stand still is the engine’s no longer',
  { skip },
  async (t) => {
    const opened = await site(t, 0)
    const sending = (LANES['native'] as Open)(opened, '/whole')
    sending.send(Buffer.alloc(10))
    await sleep(14_000)
    sending.send(Buffer.alloc(SIZE - 10))
    t.match(await sending.answer, { status: 200, body: String(SIZE) })
  },
)

/** A look each second behind `from`, and one at `to`: whether any of them finds it too slow. */
function looks(
  pace: UploadPace,
  received: number,
  isAwaited: boolean,
  [from, to]: readonly [from: number, to: number],
): boolean {
  for (let now = from + 1000; now < to; now += 1000)
    if (pace.isTooSlow(received, isAwaited, 1000, now)) return true
  return pace.isTooSlow(received, isAwaited, 1000, to)
}

t.test('the speed of a body counts on average, and in each stretch of waiting for it', (t) => {
  const pace = new UploadPace(0, 0, { graceMs: 10_000, stretchMs: 20_000 })
  t.equal(looks(pace, 0, true, [0, 10_000]), false, 'a network may stop for a moment')
  t.equal(looks(pace, 0, false, [10_000, 90_000]), false, 'the view makes it wait')
  t.equal(pace.isTooSlow(0, true, 0, 90_500), false, 'no limit')
  t.equal(pace.isTooSlow(10_499, true, 1000, 90_500), true)
  t.equal(pace.isTooSlow(1e6, true, 1000, 90_501), false, 'a stretch begins')
  t.equal(looks(pace, 1e6 + 9_999, true, [90_501, 110_501]), false)
  t.equal(pace.isTooSlow(1e6 + 9_999, true, 1000, 110_502), true, 'too little in all of it')
  t.equal(pace.isTooSlow(1e6 + 10_000, true, 1000, 110_503), false, 'the next one begins')
  t.equal(looks(pace, 1e6 + 10_000, true, [110_503, 130_503]), false)
  t.equal(pace.isTooSlow(1e6 + 10_000, true, 1000, 130_504), true)
  t.end()
})

t.test('while the event loop stands still nobody is waited for', (t) => {
  const pace = new UploadPace(0, 0, { graceMs: 10_000, stretchMs: 20_000 })
  t.equal(pace.isTooSlow(0, true, 1000, 60_000), false, 'what has come is not read yet')
  t.equal(looks(pace, 1, true, [60_000, 68_000]), false, 'two seconds of it count')
  t.equal(pace.isTooSlow(1, true, 1000, 68_001), true)
  t.equal(pace.isTooSlow(1, true, 1000, 70_002), false, 'late again')
  t.equal(pace.isTooSlow(1, true, 1000, 72_002), true, 'as late as a look may be')
  t.end()
})

t.test('a record of TLS that is not whole counts as sent', (t) => {
  const RECORD = 16_000
  const pace = new UploadPace(0, RECORD, { graceMs: 10_000, stretchMs: 20_000 })
  // 1,000 bytes a second, seen every 16 seconds.
  for (let i = 0; i < 5; i++)
    t.equal(looks(pace, i * RECORD, true, [i * RECORD, (i + 1) * RECORD]), false)
  t.equal(pace.isTooSlow(4 * RECORD, true, 1000, 5 * RECORD + 1), true, 'on average')
  t.equal(pace.isTooSlow(1e6, true, 1000, 5 * RECORD + 1), false, 'a stretch begins')
  const end = 5 * RECORD + 32_001
  t.equal(looks(pace, 1e6, true, [5 * RECORD + 1, end]), false, 'half the speed of one record')
  t.equal(pace.isTooSlow(1e6, true, 1000, end + 1), true)
  t.end()
})

t.test('requests that share a connection share its speed', { skip }, async (t) => {
  // Of 4,000 bytes a second each of 12 gets 333.
  const opened = await site(t, 1500)
  const session = connectHttp2(`https://localhost:${opened.server.tlsPort}`, {
    rejectUnauthorized: false,
  })
  t.teardown(() => session.destroy())
  const requests = Array.from({ length: 12 }, () =>
    session.request({ ':path': '/whole', ':method': 'POST' }, { endStream: false }),
  )
  const statuses = requests.map(
    (request) => new Promise((resolve) => request.on('response', (all) => resolve(all[':status']))),
  )
  for (let i = 0; i < 25; i++) {
    for (const request of requests) request.write(Buffer.alloc(333))
    await sleep(1000)
  }
  for (const request of requests) request.end()
  t.strictSame(await Promise.all(statuses), Array(12).fill(200))
})
