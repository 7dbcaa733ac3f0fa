import { setTimeout as sleep } from 'node:timers/promises'
import { brotliDecompressSync, createGunzip, gunzipSync } from 'node:zlib'
import t from 'tap'
import { createLog } from '../../src/core/log.ts'
import { parseAcceptEncoding } from '../../src/http/accept-encoding.ts'
import { bytes, empty, html, Reply, type ReplyBody, stream, text } from '../../src/http/reply.ts'
import { chooseCoding, createCompress } from '../../src/was/compress.ts'
import { requestOf } from '../support/request.ts'

const PAGE = '<p>안녕, everybody</p>\n'.repeat(100)
const LONG = PAGE.repeat(100)
const compress = createCompress({ minBytes: 1024, types: ['application/x-mine'] }, createLog())
const asked = (accept: string) => requestOf('GET', '/', { headers: { 'accept-encoding': accept } })
const field = (reply: Reply, name: string) =>
  reply.headers?.find(([other]) => other.toLowerCase() === name)?.[1]

function plain(reply: Reply): string {
  const body = reply.body as Uint8Array
  if (reply.coding === 'br') return brotliDecompressSync(body).toString()
  return reply.coding === 'gzip' ? gunzipSync(body).toString() : String(body)
}

const choices: [accept: string, coding: string | null][] = [
  ['', null],
  ['gzip', 'gzip'],
  ['br', 'br'],
  ['gzip, br', 'br'],
  ['gzip, br;q=0.9', 'gzip'],
  ['*', 'br'],
  ['*;q=0', null],
  ['br;q=0, *', 'gzip'],
  ['identity, gzip;q=0.5', null],
  ['identity;q=0, gzip;q=0', null],
  ['identity;q=0.5, gzip;q=0.5', 'gzip'],
  ['deflate, compress', null],
]

for (const [accept, coding] of choices) {
  t.test(`Accept-Encoding ${JSON.stringify(accept)} gets ${coding ?? 'the body as it is'}`, (t) => {
    const { zstd: _, ...accepted } = parseAcceptEncoding(accept)
    t.equal(chooseCoding({ ...accepted, zstd: 0 }), coding)
    t.end()
  })
}

t.test(
  'a page is compressed at once, a long one by other threads; both read the same',
  async (t) => {
    for (const coding of ['br', 'gzip']) {
      const now = compress(asked(coding), html(PAGE))
      t.ok(now instanceof Reply, 'a synchronous view stays synchronous')
      t.match(now, { coding, type: 'text/html; charset=utf-8', status: 200 })
      t.equal(plain(now as Reply), PAGE)
      const later = compress(asked(coding), html(LONG))
      t.notOk(later instanceof Reply)
      t.equal((await later).coding, coding)
      t.equal(plain(await later), LONG)
    }
  },
)

const untouched: [title: string, make: () => Reply][] = [
  ['a short body', () => html('short')],
  ['a type that does not shrink', () => bytes(Buffer.from(PAGE), 'image/png')],
  ['no body', () => empty()],
  ['304', () => Object.assign(new Reply(304, null, null), { compress: false })],
  ['a part', () => new Reply(206, 'text/plain', PAGE)],
  ['encoded already', () => html(PAGE, { headers: { 'Content-Encoding': 'gzip' } })],
  ['no-transform', () => html(PAGE, { headers: { 'Cache-Control': 'max-age=1, No-Transform' } })],
  ['a Content-Range', () => html(PAGE, { headers: { 'content-range': 'bytes 0-1/2' } })],
  [
    'compress: false',
    () => {
      const reply = html(PAGE)
      reply.compress = false
      return reply
    },
  ],
]

for (const [title, make] of untouched) {
  t.test(`stays as it is, and varies by nothing: ${title}`, (t) => {
    const reply = make()
    const { body, headers } = reply
    t.equal(compress(asked('br'), reply), reply)
    t.same([reply.body, reply.headers, reply.coding], [body, headers, null])
    t.end()
  })
}

t.test('a 304 varies as the reply does that it stands for', (t) => {
  for (const coding of ['', 'br']) {
    t.match(compress(asked(coding), new Reply(304, null, null)), { coding: 'identity', body: null })
  }
  t.end()
})

t.test('what would be compressed for another client varies for this one too', (t) => {
  t.match(compress(asked(''), html(PAGE)), { coding: 'identity', body: PAGE })
  t.match(compress(asked('identity;q=0'), html(PAGE)), { coding: 'identity', body: PAGE })
  t.end()
})

t.test('what does not shrink goes as it is', (t) => {
  const noise = crypto.getRandomValues(new Uint8Array(2048))
  t.match(compress(asked('gzip'), bytes(noise, 'text/plain')), { coding: 'identity', body: noise })
  t.end()
})

t.test('a type that the site adds is compressed, its parameters aside', (t) => {
  const reply = compress(asked('gzip'), bytes(Buffer.from(PAGE), 'Application/X-Mine; a=b'))
  t.match(reply, { coding: 'gzip' })
  t.end()
})

t.test('a strong ETag becomes weak, a weak one stays, Accept-Ranges goes', (t) => {
  const tagged = (etag: string) =>
    compress(asked('gzip'), html(PAGE, { headers: { ETag: etag, 'Accept-Ranges': 'bytes' } }))
  t.equal(field(tagged('"a"') as Reply, 'etag'), 'W/"a"')
  t.equal(field(tagged('W/"a"') as Reply, 'etag'), 'W/"a"')
  t.equal(field(tagged('"a"') as Reply, 'accept-ranges'), undefined)
  t.end()
})

t.test('a reply that a view keeps and sends again is not changed for the next client', (t) => {
  const kept = html(PAGE, { headers: { ETag: '"a"' } })
  t.match(compress(asked('gzip'), kept), { coding: 'gzip' })
  t.match(compress(asked(''), kept), { coding: 'identity', body: PAGE })
  t.equal(field(kept, 'etag'), '"a"')
  t.match(compress(asked('br'), kept), { coding: 'br' })
  t.end()
})

async function* chunks(parts: readonly (string | Uint8Array)[], onEnd = (): void => {}) {
  try {
    for (const part of parts) {
      yield part
      await sleep(1)
    }
  } finally {
    onEnd()
  }
}

const iterate = (body: ReplyBody) =>
  (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>

t.test('each chunk of a stream can be read before the next one is made', async (t) => {
  const made: string[] = []
  async function* events() {
    for (const name of ['one', 'two', 'three']) {
      made.push(name)
      yield `data: ${name}\n\n`
    }
  }
  const reply = (await compress(asked('gzip'), stream(events(), 'text/event-stream'))) as Reply
  t.match(reply, { coding: 'gzip', length: null })
  const gunzip = createGunzip()
  let read = ''
  gunzip.on('data', (part) => {
    read += part
  })
  const body = iterate(reply.body)
  for (const name of ['one', 'two', 'three']) {
    const { value } = await body.next()
    await new Promise((resolve) => gunzip.write(value, resolve))
    t.equal(made.at(-1), name, 'the next event has not been made yet')
    t.ok(read.endsWith(`data: ${name}\n\n`), name)
  }
  const last = await body.next()
  await new Promise((resolve) => gunzip.end(last.value as Uint8Array, resolve as () => void))
  t.same(await body.next(), { done: true, value: undefined })
})

t.test('a stream of any chunks reads the same, in every coding', async (t) => {
  const parts = [
    '',
    '한글',
    Buffer.alloc(300_000, 'abc'),
    '',
    crypto.getRandomValues(new Uint8Array(60_000)),
    'end',
  ]
  const whole = Buffer.concat(parts.map((part) => Buffer.from(part as string)))
  for (const coding of ['br', 'gzip']) {
    const reply = (await compress(asked(coding), stream(chunks(parts), 'text/plain'))) as Reply
    const sent: Uint8Array[] = []
    for await (const part of reply.body as AsyncIterable<Uint8Array>) sent.push(part)
    const all = Buffer.concat(sent)
    t.ok((coding === 'br' ? brotliDecompressSync(all) : gunzipSync(all)).equals(whole), coding)
  }
})

t.test('a source that fails, fails the body; one that nobody wants is let go', async (t) => {
  const failing = (async function* () {
    yield 'first'
    throw new Error('lost')
  })()
  const reply = (await compress(asked('br'), stream(failing, 'text/plain'))) as Reply
  const body = iterate(reply.body)
  await body.next()
  await t.rejects(body.next(), { message: 'lost' })
  t.same(await body.next(), { done: true, value: undefined })

  let isOver = false
  const source = chunks(['a', 'b'], () => {
    isOver = true
  })
  const other = iterate(((await compress(asked('br'), stream(source, 'text/plain'))) as Reply).body)
  await other.next()
  await other.return?.()
  t.ok(isOver)
  t.same(await other.next(), { done: true, value: undefined })
})

t.test('a HEAD request gets the coding of its GET', (t) => {
  const head = requestOf('HEAD', '/', { headers: { 'accept-encoding': 'gzip' } })
  t.match(compress(head, text(PAGE)), { coding: 'gzip' })
  t.end()
})
