import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { bytes, stream, text } from '../../src/http/reply.ts'
import { Deadlines, isOverdue, type Watched } from '../../src/server/deadlines.ts'
import type { EngineResponse } from '../../src/server/engine-types.ts'
import { Exchange } from '../../src/server/exchange.ts'
import { serve } from '../support/application.ts'
import { catalogueOf } from '../support/catalogue.ts'
import { dial, parseResponses, raw } from '../support/raw.ts'

const LANES = ['native', 'strict'] as const
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`

/** Waits until `isTrue`, for at most `ms`. */
async function until(isTrue: () => boolean, ms: number): Promise<boolean> {
  for (let waited = 0; waited < ms && !isTrue(); waited += 20) await sleep(20)
  return isTrue()
}

for (const lane of LANES) {
  t.test(
    `a client that sends 50 MB too much before it reads still gets its 413 (${lane})`,
    async (t) => {
      let views = 0
      const { port } = await serve(
        t,
        () => {
          views++
          return text('view')
        },
        { limits: { maxBodyBytes: 1000 }, lane },
      )
      const socket = await dial(port)
      t.teardown(() => socket.destroy())
      socket.pause()
      let failure = ''
      socket.on('error', (error) => {
        failure = error.message
      })
      const part = Buffer.alloc(1024 * 1024, 'x')
      socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${50 * part.length}\r\n\r\n`)
      for (let sent = 0; sent < 50; sent++) {
        if (!socket.write(part)) await new Promise((resolve) => socket.once('drain', resolve))
      }
      const chunks: Buffer[] = []
      socket.on('data', (chunk) => chunks.push(chunk))
      socket.resume()
      const read = () => parseResponses(Buffer.concat(chunks), [], false)
      await until(() => read().length > 0 || failure !== '', 5000)
      t.equal(failure, '')
      t.match(read()[0], { status: 413, body: Buffer.from('too large\n') })
      t.equal(views, 0)
    },
  )

  t.test(`a body of unknown length is refused when it passes the limit (${lane})`, async (t) => {
    const { port } = await serve(
      t,
      async (req) => {
        try {
          return text(String((await req.bytes()).length))
        } catch (error) {
          return text((error as Error).message, { status: (error as { status: number }).status })
        }
      },
      { limits: { maxBodyBytes: 10 }, lane },
    )
    const chunked = (size: number): string =>
      `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n${'x'.repeat(size)}\r\n0\r\n\r\n`
    const { responses } = await raw(port, chunked(11))
    if (lane === 'native') {
      t.equal(responses[0]?.status, 411)
      return
    }
    t.match(responses[0], {
      status: 413,
      body: Buffer.from('the request body is larger than 10 bytes'),
    })
    t.match((await raw(port, chunked(10))).responses[0], { status: 200, body: Buffer.from('10') })
  })

  t.test(`a URL above the limit is 414, one at the limit is answered (${lane})`, async (t) => {
    const { port } = await serve(t, () => text('view'), { limits: { maxUrlBytes: 100 }, lane })
    const at = async (url: string) => (await raw(port, get(url))).responses[0]
    t.equal((await at(`/${'a'.repeat(99)}`))?.status, 200)
    t.equal((await at(`/${'a'.repeat(100)}`))?.status, 414)
    t.equal((await at(`/?${'a'.repeat(98)}`))?.status, 200)
    const long = await at(`/?${'a'.repeat(99)}`)
    t.match(long, { status: 414, reason: 'URI Too Long', headers: { connection: 'close' } })
    t.equal(long?.headers['x-content-type-options'], 'nosniff')
  })

  t.test(`a file's URL has the same limit, at any place of a connection (${lane})`, async (t) => {
    const dir = t.testdir({ 'a.js': 'a' })
    const { catalogue } = await catalogueOf(t, dir)
    const { port } = await serve(t, () => text('view'), {
      catalogue,
      limits: { maxUrlBytes: 100 },
      lane,
    })
    const long = get(`/a.js?${'a'.repeat(95)}`)
    const whole = get(`/a.js?${'a'.repeat(94)}`)
    const first = await raw(port, long)
    t.match(first.responses[0], { status: 414, headers: { connection: 'close' } })
    const { responses } = await raw(port, get('/a.js') + whole + long, { expect: 3 })
    t.same(
      responses.map(({ status }) => status),
      [200, 200, 414],
    )
    t.equal(responses[1]?.body.toString(), 'a')
  })
}

t.test('a client that asks first is told 413, and never to go on', async (t) => {
  const { port, gated } = await serve(t, async (req) => text(String((await req.bytes()).length)), {
    limits: { maxBodyBytes: 10 },
  })
  if (!gated) {
    t.comment('without the gate the engine says 100 before anybody can look')
    return
  }
  const head = (length: number): string =>
    `POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`
  const { bytes: answer } = await raw(port, head(11))
  t.match(answer.toString(), /^HTTP\/1\.1 413 Content Too Large\r\n/)
  const socket = await dial(port)
  t.teardown(() => socket.destroy())
  let seen = ''
  socket.on('data', (chunk) => {
    seen += chunk
  })
  socket.write(head(10))
  t.ok(await until(() => seen === 'HTTP/1.1 100 Continue\r\n\r\n', 2000), 'one at the limit is')
  socket.write('0123456789')
  t.ok(await until(() => seen.endsWith('\r\n\r\n10'), 2000))
})

const LARGE = Buffer.alloc(32 * 1024 * 1024, 'x')
const PARTS = Array.from({ length: 512 }, () => LARGE.subarray(0, 64 * 1024))
async function* parts() {
  yield* PARTS
}

const kinds = {
  'a whole body': () => bytes(LARGE, 'text/plain'),
  'a stream': () => stream(parts(), 'text/plain'),
}

/** Reads 16 KiB every 50 ms for `ms`, then the rest at once. Resolves to whether all of it came. */
async function readsAll(t: Test, port: number, ms: number): Promise<boolean> {
  const socket = await dial(port)
  t.teardown(() => socket.destroy())
  let received = 0
  let isOver = false
  socket.on('error', () => {})
  socket.on('close', () => {
    isOver = true
  })
  socket.pause()
  socket.write(get('/'))
  const from = performance.now()
  while (performance.now() - from < ms) {
    received += (socket.read(16 * 1024) as Buffer | null)?.length ?? 0
    await sleep(50)
  }
  socket.on('data', (chunk) => {
    received += chunk.length
  })
  socket.resume()
  await until(() => isOver || received > LARGE.length, 8000)
  return received > LARGE.length
}

for (const [kind, make] of Object.entries(kinds)) {
  t.test(`who takes ${kind} too slowly is cut; without a limit nobody is`, async (t) => {
    const cut = await serve(t, make, { limits: { minSendBytesPerSecond: 100_000_000 } })
    const free = await serve(t, make)
    const came = await Promise.all([readsAll(t, cut.port, 7500), readsAll(t, free.port, 7500)])
    t.same(came, [false, true])
  })
}

t.test(
  'a reply that takes too long as a whole is cut: an endless stream, a view that waits',
  async (t) => {
    let isReturned = false
    let isAborted = false
    const { port } = await serve(
      t,
      async (req) => {
        if (req.path === '/wait') {
          req.signal.addEventListener('abort', () => {
            isAborted = true
          })
          await new Promise(() => {})
        }
        const events = (async function* () {
          try {
            for (;;) {
              yield 'data: x\n\n'
              await sleep(100)
            }
          } finally {
            isReturned = true
          }
        })()
        return stream(events, 'text/event-stream')
      },
      { limits: { maxResponseSeconds: 1 } },
    )
    const [endless, waiting] = await Promise.all([
      raw(port, get('/'), { untilClosed: true, timeoutMs: 8000 }),
      raw(port, get('/wait'), { untilClosed: true, timeoutMs: 8000 }),
    ])
    t.ok(endless.closed)
    t.match(endless.bytes.toString(), /^HTTP\/1\.1 200 OK\r\n/)
    t.equal(endless.responses.length, 0, 'no end is faked')
    t.ok(waiting.closed)
    t.ok(await until(() => isReturned && isAborted, 2000), 'both views learn of it')
  },
)

const watched = (given: Partial<Watched>, taken = 0): Watched => ({
  startedAt: 0,
  waitedMs: 0,
  waitingSince: 0,
  markBytes: 0,
  markAt: 0,
  retry: null,
  upload: null,
  giveUpUpload: () => {},
  taken: () => taken,
  cut: () => {},
  keep: () => {},
  ...given,
})

t.test(
  'the speed counts after five seconds of waiting for the reader, and then on average',
  (t) => {
    const limits = { minSendBytesPerSecond: 1000, maxResponseSeconds: 0 }
    t.equal(isOverdue(watched({}), limits, 1_000_000), false, 'a slow view')
    t.equal(isOverdue(watched({ waitingSince: 1 }), limits, 5_000), false)
    t.equal(isOverdue(watched({ waitingSince: 1 }), limits, 5_002), true)
    t.equal(isOverdue(watched({ waitedMs: 9_000 }, 9_000), limits, 10_000), false)
    t.equal(isOverdue(watched({ waitedMs: 9_000 }, 8_999), limits, 10_000), true)
    t.equal(
      isOverdue(watched({ waitingSince: 1 }), { ...limits, minSendBytesPerSecond: 0 }, 1e9),
      false,
    )
    t.end()
  },
)

t.test('a stretch of waiting is not paid for by what was taken before', async (t) => {
  const cut: string[] = []
  const limits = {
    minSendBytesPerSecond: 10,
    minReceiveBytesPerSecond: 0,
    maxResponseSeconds: 0,
  }
  const deadlines = new Deadlines(() => limits, { tried: 2500, untried: 20_000 })
  let bytes = 1e9
  const one = (name: string, given: Partial<Watched>): void => {
    const exchange = watched({ retry: () => {}, ...given, cut: () => cut.push(name) })
    deadlines.add(exchange)
    t.teardown(() => deadlines.remove(exchange))
  }
  const waitingSince = performance.now()
  one('still', { waitingSince, taken: () => 1e9 })
  one('too slow', { waitingSince, taken: () => 1e9 + Math.floor((bytes - 1e9) / 5) })
  one('slow', { waitingSince, taken: () => (bytes += 10) })
  one('waits for the site', { taken: () => 1e9 })
  one('nothing can be seen of it', { waitingSince, taken: () => 1e9, retry: null })
  await sleep(7500)
  t.strictSame([...new Set(cut)].sort(), ['still', 'too slow'])
})

t.test('while the event loop stands still no reader is judged', async (t) => {
  const cut: string[] = []
  const limits = { minSendBytesPerSecond: 10, minReceiveBytesPerSecond: 0, maxResponseSeconds: 0 }
  const deadlines = new Deadlines(() => limits)
  let stalledMs = 0
  const { now } = performance
  performance.now = () => now.call(performance) + stalledMs
  t.teardown(() => {
    performance.now = now
  })
  let taken = 0
  for (const [name, retry] of [
    ['gets on', () => (taken = 1e6)],
    ['stands still', () => {}],
  ] as const) {
    const count = (): number => (name === 'gets on' ? taken : 0)
    const exchange = watched({ waitingSince: performance.now(), retry, taken: count, keep: retry })
    deadlines.add({ ...exchange, cut: () => cut.push(name) })
  }
  stalledMs = 6_000
  await sleep(1500)
  t.strictSame([cut, taken], [[], 1e6], 'what they have taken meanwhile is found out first')
  await sleep(1000)
  t.strictSame(cut, ['stands still'])
})

t.test('by default a stretch is a minute, or five where nothing can be tried', (t) => {
  const limits = { minSendBytesPerSecond: 1024, maxResponseSeconds: 0 }
  const retry = (): void => {}
  for (const [given, taken, now, isCut] of [
    [{ retry }, 1e9, 60_000, false],
    [{ retry }, 1e9, 60_001, true],
    [{ retry: null }, 1e9, 300_000, false],
    [{ retry: null }, 1e9, 300_001, true],
    [{ retry, waitingSince: 0 }, 1e9, 60_001, false],
  ] as const) {
    const exchange = watched({ waitingSince: 1, markBytes: 1e9, ...given }, taken)
    t.equal(isOverdue(exchange, limits, now), isCut, `${now}`)
  }
  t.equal(isOverdue(watched({ waitingSince: 1, retry }, 30_719), limits, 5_000), false)
  const part = watched({ waitingSince: 1, retry, markAt: 5 }, 30_720)
  t.equal(isOverdue(part, { ...limits, minSendBytesPerSecond: 1024 }, 20_000), false)
  t.match(part, { markBytes: 30_720, markAt: 20_000 }, 'a new stretch begins')
  t.end()
})

t.test('a minute counts for the engine alone: what Node keeps is not tried again', (t) => {
  const limits = { minSendBytesPerSecond: 0, minReceiveBytesPerSecond: 0, maxResponseSeconds: 0 }
  const deadlines = new Deadlines(() => limits)
  for (const [closesAfterEnd, isTried] of [
    [undefined, true],
    [true, false],
  ] as const) {
    const res = { closesAfterEnd, onWritable: () => res } as unknown as EngineResponse
    const exchange = new Exchange(res, deadlines, false, false)
    exchange.watchWritable(() => {}, true)
    t.equal(exchange.retry !== null, isTried)
    exchange.watchWritable(() => {}, false)
    t.equal(exchange.retry, null)
  }
  t.end()
})

t.test('what was tried for a reader is not tried again for a body that is waited for', (t) => {
  const limits = { minSendBytesPerSecond: 0, minReceiveBytesPerSecond: 0, maxResponseSeconds: 0 }
  const calls: string[] = []
  const res = {
    onWritable: () => res,
    cork: (write: () => void) => {
      calls.push('cork')
      write()
    },
    pause: () => calls.push('pause'),
    resume: () => calls.push('resume'),
  } as unknown as EngineResponse
  const exchange = new Exchange(res, new Deadlines(() => limits), false, false)
  exchange.watchWritable(() => calls.push('try'), true)
  exchange.keep()
  t.strictSame(calls.splice(0), ['cork', 'try'])
  exchange.keep()
  t.strictSame(calls, ['pause', 'resume'], 'the engine’s clock is set back all the same')
  t.end()
})
