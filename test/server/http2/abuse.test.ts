/** HTTP/2, frame by frame, of clients that mean no good: what is refused, and when a connection ends. */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { empty, Reply, stream, text } from '../../../src/http/reply.ts'
import type { Request } from '../../../src/http/request.ts'
import { Bucket } from '../../../src/server/http2/abuse.ts'
import { serve } from '../../support/application.ts'
import { authorityOf } from '../../support/certificates.ts'
import {
  ask2,
  type Fields,
  FLAG,
  fieldBlock,
  frame,
  HEAD,
  headers,
  openHttp2,
  rawHttp2,
  TYPE,
  uint32,
  with_,
  without,
} from '../../support/http2.ts'

import { dialTls, tlsOf } from '../../support/tls.ts'

const authority = authorityOf(t)
const own = authority.issue('own', ['localhost', 'x.test'])
const other = authority.issue('other', ['other.test'])

const NO_ERROR = 0
const PROTOCOL_ERROR = 1
const REFUSED_STREAM = 7
const CANCEL = 8
const ENHANCE_YOUR_CALM = 11
/** The system may drop the last frame of a connection that is closed while its client still sends. */
const CUT: readonly (number | undefined)[] = [ENHANCE_YOUR_CALM, undefined]

const reset = (id: number): Buffer => frame(TYPE.reset, 0, id, uint32(CANCEL))

async function serving(t: Test, view: (req: Request) => Reply | Promise<Reply>) {
  const server = await serve(t, view, { tls: await tlsOf([own, other]) })
  const isWell = async () => (await ask2(openHttp2(t, server.tlsPort), { ':path': '/well' })).status
  return { ...server, isWell }
}

function objectOf(fields: Fields): Record<string, string | string[]> {
  const all: Record<string, string | string[]> = {}
  for (const [name, value] of fields) {
    all[name] = all[name] === undefined ? value : [all[name] as string | string[], value].flat()
  }
  return all
}

/** Never replies until its client has gone. */
const waits = (req: Request) =>
  new Promise<Reply>((resolve) => {
    req.signal.addEventListener('abort', () => resolve(text('')))
  })

/** Code of the reset of a request; 0 where it is answered, undefined where the connection ends. */
async function resetOf(
  t: Test,
  port: number | null,
  ...frames: Buffer[]
): Promise<number | undefined> {
  const client = await rawHttp2(t, port)
  client.send(...frames)
  const found = await client.until(
    ({ type, stream: id }) => id === 1 && (type === TYPE.headers || type === TYPE.reset),
  )
  return found?.type === TYPE.headers ? 0 : found?.payload.readUInt32BE(0)
}

t.test(
  'heads that HTTP/2 forbids are reset, those that a site must not see are refused',
  async (t) => {
    let seen = 0
    const { tlsPort, isWell } = await serving(t, (req) => {
      if (req.path !== '/well') seen++
      return text('x')
    })
    t.equal(await resetOf(t, tlsPort, headers(1)), 0)
    t.equal(seen, 1)
    const forbidden: Record<string, Fields> = {
      Connection: [...HEAD, ['connection', 'close']],
      'Keep-Alive': [...HEAD, ['keep-alive', 'timeout=5']],
      'Proxy-Connection': [...HEAD, ['proxy-connection', 'x']],
      'Transfer-Encoding': [...HEAD, ['transfer-encoding', 'chunked']],
      Upgrade: [...HEAD, ['upgrade', 'websocket']],
      'TE beyond trailers': [...HEAD, ['te', 'gzip']],
      'a name in capitals': [...HEAD, ['X-A', 'b']],
      'no method': without(':method'),
      'a bad host': with_(':authority', 'a b'),
      'no scheme': without(':scheme'),
      'no path': without(':path'),
      'an empty path': with_(':path', ''),
      'a path twice': [...HEAD.slice(0, 3), [':path', '/a'], [':path', '/b']],
      'an unknown pseudo-field': [[':what', 'x'], ...HEAD],
      'a pseudo-field of replies': [[':status', '200'], ...HEAD],
      'a pseudo-field behind others': [['x-a', 'b'], ...HEAD],
      'Host twice': [...without(':authority'), ['host', 'localhost'], ['host', 'x.test']],
      'Content-Length twice': [...HEAD, ['content-length', '0'], ['content-length', '1']],
      'Content-Length that is no number': [...HEAD, ['content-length', '1x']],
      'content that does not come': [...HEAD, ['content-length', '5']],
    }
    for (const [what, fields] of Object.entries(forbidden)) {
      t.equal(await resetOf(t, tlsPort, headers(1, fields)), PROTOCOL_ERROR, what)
    }
    const refused: Record<string, [number, Fields]> = {
      'Host of another site than :authority': [400, [...HEAD, ['host', 'x.test']]],
      'user information': [400, with_(':authority', 'me@localhost')],
      'another scheme': [421, with_(':scheme', 'http')],
      'a host of another certificate': [421, with_(':authority', 'other.test')],
      CONNECT: [
        501,
        [
          [':method', 'CONNECT'],
          [':authority', 'localhost:80'],
        ],
      ],
      'an unknown method': [501, with_(':method', 'BREW')],
      'an expectation': [417, [...HEAD, ['expect', 'miracles']]],
      'a path with a bad escape': [400, with_(':path', '/%ff')],
    }
    const session = openHttp2(t, tlsPort)
    for (const [what, [status, fields]] of Object.entries(refused)) {
      const reply = await ask2(session, objectOf(fields))
      t.equal(reply.status, status, `${what} (reset ${reply.reset})`)
    }
    t.equal(seen, 1, 'no view has seen any of them')
    const accepted: Record<string, Fields> = {
      'TE: trailers': [...HEAD, ['te', 'trailers']],
      'Host in place of :authority': [...without(':authority'), ['host', 'localhost']],
      'Host beside it, alike': [...HEAD, ['host', 'LOCALHOST']],
      'OPTIONS *': [[':method', 'OPTIONS'], ...HEAD.slice(1, 3), [':path', '*']],
    }
    for (const [what, fields] of Object.entries(accepted)) {
      t.equal(await resetOf(t, tlsPort, headers(1, fields)), 0, what)
    }
    t.equal(await isWell(), 200)
  },
)

t.test('a field that HTTP/2 forbids and nghttp2 only leaves out is seen by nobody', async (t) => {
  const seen: string[] = []
  const { tlsPort } = await serving(t, (req) => {
    seen.push(...req.headers.map(([name]) => name))
    return text('x')
  })
  for (const [name, value] of [
    ['x-a', 'b\r\nx-c: d'],
    ['x-a', 'b\0c'],
    ['x a', 'b'],
    ['', 'b'],
  ] as const) {
    await resetOf(t, tlsPort, headers(1, [...HEAD, [name, value]]))
  }
  t.strictSame([...new Set(seen)], ['host'])
})

t.test('a request without any host is refused', async (t) => {
  let seen = 0
  const { tlsPort } = await serving(t, () => {
    seen++
    return text('x')
  })
  t.equal(await resetOf(t, tlsPort, headers(1, without(':authority'))), PROTOCOL_ERROR)
  t.equal(seen, 0)
})

t.test('content beyond its Content-Length, and trailers', async (t) => {
  const bodies: string[] = []
  const { tlsPort } = await serving(t, async (req) => {
    bodies.push(await req.text())
    return text('x')
  })
  const post = [...with_(':method', 'POST'), ['content-length', '3']] as Fields
  const data = (bytes: string, flags: number) => frame(TYPE.data, flags, 1, Buffer.from(bytes))
  const begin = headers(1, post, FLAG.endHeaders)
  t.equal(await resetOf(t, tlsPort, begin, data('abcd', FLAG.endStream)), PROTOCOL_ERROR)
  t.equal(await resetOf(t, tlsPort, begin, data('ab', FLAG.endStream)), PROTOCOL_ERROR)
  const trailers = headers(1, [['x-sum', '1']])
  t.equal(await resetOf(t, tlsPort, begin, data('abc', 0), trailers), 0)
  t.strictSame(bodies, ['abc'])
})

t.test(
  'who resets request after request is cut off, before much work is done for it',
  async (t) => {
    let begun = 0
    const { tlsPort, isWell } = await serving(t, (req) => {
      if (req.path === '/well') return text('well')
      begun++
      return waits(req)
    })
    const client = await rawHttp2(t, tlsPort)
    for (let i = 0; i < 3000; i++) client.send(headers(2 * i + 1), reset(2 * i + 1))
    t.ok(CUT.includes(await client.end()))
    t.ok(begun < 1500, `${begun} views were begun`)
    t.equal(await isWell(), 200)
  },
)

t.test('who makes the server reset its requests is cut off, too', async (t) => {
  let begun = 0
  const { tlsPort, isWell } = await serving(t, (req) => {
    if (req.path === '/well') return text('well')
    begun++
    return waits(req)
  })
  const WINDOW_UPDATE = 8
  const PRIORITY = 2
  // CVE-2025-8671: what is an error of its stream alone.
  const mistakes: Record<string, (id: number) => Buffer> = {
    'a window of nothing': (id) => frame(WINDOW_UPDATE, 0, id, uint32(0)),
    'a window beyond all': (id) => frame(WINDOW_UPDATE, 0, id, uint32(0x7fff_ffff)),
    'content behind the end': (id) => frame(TYPE.data, 0, id, Buffer.from('x')),
    'a stream below itself': (id) =>
      frame(PRIORITY, 0, id, Buffer.concat([uint32(id), Buffer.from([0])])),
  }
  for (const [what, mistake] of Object.entries(mistakes)) {
    begun = 0
    const client = await rawHttp2(t, tlsPort)
    for (let i = 0; i < 3000; i++) client.send(headers(2 * i + 1), mistake(2 * i + 1))
    await client.until(({ type }) => type === TYPE.goaway)
    t.ok(begun < 1500, `${what}: ${begun} views were begun`)
  }
  t.equal(await isWell(), 200)
})

t.test('who resets replies that have begun is cut off, whatever code it says', async (t) => {
  let begun = 0
  const { tlsPort, isWell } = await serving(t, (req) => {
    begun++
    if (req.path === '/well') return text('well')
    return req.path === '/never' ? waits(req) : text('x'.repeat(1_000_000))
  })
  for (const code of [NO_ERROR, CANCEL]) {
    for (const path of ['/large', '/never']) {
      begun = 0
      const client = await rawHttp2(t, tlsPort)
      for (let lot = 0; lot < 6; lot++) {
        const ids = Array.from({ length: 80 }, (_, i) => 2 * (80 * lot + i) + 1)
        client.send(...ids.map((id) => headers(id, with_(':path', path))))
        // A connection that has been cut begins no more.
        for (let i = 0; i < 40 && begun < 80 * (lot + 1); i++) await sleep(5)
        client.send(...ids.map((id) => frame(TYPE.reset, 0, id, uint32(code))))
      }
      await client.end()
      t.ok(begun < 400, `${path}, ${code}: ${begun} views were begun`)
    }
  }
  t.equal(await isWell(), 200)
})

t.test('replies that leave whole are not counted, with and without content', async (t) => {
  const parts = async function* () {
    for (let i = 0; i < 3; i++) yield Buffer.alloc(1000)
  }
  const { tlsPort } = await serving(t, (req) => {
    if (req.path === '/204') return empty()
    if (req.path === '/304') return new Reply(304, null, null)
    return req.path === '/parts' ? stream(parts(), 'text/plain') : text('x'.repeat(100_000))
  })
  const session = openHttp2(t, tlsPort)
  for (const path of ['/204', '/304', '/parts', '/large']) {
    for (const method of ['GET', 'HEAD', 'POST']) {
      for (let i = 0; i < 5; i++) {
        const ask = () => ask2(session, { ':path': path, ':method': method })
        const replies = await Promise.all(Array.from({ length: 60 }, ask))
        t.ok(
          replies.every(({ reset }) => reset === NO_ERROR),
          `${method} ${path}`,
        )
      }
    }
  }
  t.notOk(session.closed)
})

t.test('a browser that leaves a page with all its requests open is not', async (t) => {
  const { tlsPort } = await serving(t, (req) => (req.path === '/' ? text('x') : waits(req)))
  const session = openHttp2(t, tlsPort)
  const open = Array.from({ length: 100 }, (_, i) => session.request({ ':path': `/${i}` }))
  for (const request of open) request.on('error', () => {}).close(CANCEL)
  t.equal((await ask2(session, { ':path': '/' })).status, 200)
})

t.test('floods of what has to be answered end the connection', async (t) => {
  const { tlsPort, isWell } = await serving(t, () => text('x'))
  const floods: Record<string, Buffer> = {
    PING: frame(TYPE.ping, 0, 0, Buffer.alloc(8)),
    SETTINGS: frame(TYPE.settings, 0, 0),
  }
  for (const [what, one] of Object.entries(floods)) {
    const client = await rawHttp2(t, tlsPort)
    for (let i = 0; i < 3000; i++) client.send(one)
    t.ok(CUT.includes(await client.end()), what)
  }
  t.equal(await isWell(), 200)
})

t.test('a head that never ends, or is too long, ends the connection or the request', async (t) => {
  let seen = 0
  const { tlsPort, isWell } = await serving(t, () => {
    seen++
    return text('x')
  })
  const client = await rawHttp2(t, tlsPort)
  client.send(headers(1, HEAD, FLAG.endStream))
  const more = frame(TYPE.continuation, 0, 1, fieldBlock([['x-a', 'b'.repeat(100)]]))
  for (let i = 0; i < 3000; i++) client.send(more)
  t.not(await client.end(), 0, 'CONTINUATION after CONTINUATION')
  const empty = await rawHttp2(t, tlsPort)
  empty.send(headers(1, HEAD, FLAG.endStream))
  for (let i = 0; i < 3000; i++) empty.send(frame(TYPE.continuation, 0, 1))
  t.not(await empty.end(), 0, 'empty ones')
  t.equal(seen, 0)
  const session = openHttp2(t, tlsPort)
  await ask2(session, { ':path': '/' })
  const { status, reset: code } = await ask2(session, { ':path': '/', 'x-a': 'b'.repeat(40_000) })
  t.ok(status === 431 || code !== 0, `${status} ${code}`)
  t.equal(seen, 1)
  t.equal(await isWell(), 200)
})

t.test('a flood of empty DATA ends the connection', async (t) => {
  const { tlsPort, isWell } = await serving(t, (req) =>
    req.path === '/well' ? text('x') : waits(req),
  )
  const client = await rawHttp2(t, tlsPort)
  client.send(headers(1, with_(':method', 'POST'), FLAG.endHeaders))
  for (let i = 0; i < 3000; i++) client.send(frame(TYPE.data, 0, 1))
  await client.end()
  t.equal(await isWell(), 200)
})

t.test('requests beyond a hundred at once are refused, and may be sent again', async (t) => {
  let begun = 0
  const { tlsPort, isWell } = await serving(t, (req) => {
    if (req.path === '/well') return text('well')
    begun++
    return waits(req)
  })
  const all = Array.from({ length: 101 }, (_, i) => headers(2 * i + 1))
  const early = await rawHttp2(t, tlsPort)
  early.send(...all)
  const refusal = await early.until(({ type }) => type === TYPE.reset)
  t.strictSame([refusal?.stream, refusal?.payload.readUInt32BE(0)], [201, REFUSED_STREAM])
  const knowing = await rawHttp2(t, tlsPort)
  await knowing.until(({ type, flags }) => type === TYPE.settings && flags === 0)
  knowing.send(frame(TYPE.settings, FLAG.ack, 0), ...all)
  await knowing.end()
  t.ok(begun <= 200, 'who has been told the limit, and goes beyond it, is cut off')
  t.equal(await isWell(), 200)
})

t.test('what is no HTTP/2 behind its name is cut', async (t) => {
  const { tlsPort, isWell } = await serving(t, () => text('x'))
  for (const bytes of [
    'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
    '\0\0\0\0\0\0\0\0\0',
    'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n',
  ]) {
    const socket = await dialTls(tlsPort ?? 0, { ALPNProtocols: ['h2'] })
    socket.on('error', () => {})
    socket.resume().write(bytes)
    await new Promise((resolve) => socket.once('close', resolve))
  }
  t.equal(await isWell(), 200)
})

t.test('a bucket holds its burst, and fills at its pace', async (t) => {
  const bucket = new Bucket({ burst: 3, perSecond: 2 })
  t.strictSame(
    [0, 0, 0, 0].map((at) => bucket.take(at)),
    [true, true, true, false],
  )
  const again = new Bucket({ burst: 3, perSecond: 2 })
  t.ok(Array.from({ length: 50 }, (_, i) => again.take(i * 500)).every(Boolean))
})
