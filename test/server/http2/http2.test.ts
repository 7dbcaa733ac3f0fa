/** HTTP/2: the same requests and replies as by HTTP/1.1, with Node's own client. */
import { once } from 'node:events'
import { constants } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { empty, json, type Reply, stream, text } from '../../../src/http/reply.ts'
import type { Request } from '../../../src/http/request.ts'
import { SECURITY_HEADERS } from '../../../src/http/security-headers.ts'
import { serve } from '../../support/application.ts'
import { catalogueOf, temporaryFolder, writeTree } from '../../support/catalogue.ts'
import { authorityOf } from '../../support/certificates.ts'
import { ask2, openHttp2 } from '../../support/http2.ts'
import { dialTls, rawTls, tlsOf } from '../../support/tls.ts'

const authority = authorityOf(t)
const own = authority.issue('own', ['localhost', 'x.test'])
const { NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR } = constants

t.test('files have the same fields and bytes as by HTTP/1.1', async (t) => {
  const css = 'p { color: red }\n'.repeat(400)
  const files = { 'a.css': css, 'b.bin': Buffer.alloc(900_000, 7), 'd/index.html': 'd' }
  const dir = await writeTree(temporaryFolder(t), files)
  const { catalogue } = await catalogueOf(t, dir, { baseHeaders: SECURITY_HEADERS })
  const notFound = (): Reply => text('nothing', { status: 404 })
  const tls = await tlsOf([own], { hsts: 'max-age=60' })
  const { tlsPort } = await serve(t, notFound, { catalogue, tls })
  const session = openHttp2(t, tlsPort)
  const etag = catalogue.lookup('/a.css')?.etag ?? ''
  const requests: [method: string, path: string, fields?: Record<string, string>][] = [
    ['GET', '/a.css'],
    ['HEAD', '/a.css'],
    ['GET', '/a.css', { 'accept-encoding': 'br, gzip' }],
    ['GET', '/a.css', { 'if-none-match': etag }],
    ['GET', '/b.bin', { range: 'bytes=800000-' }],
    ['GET', '/b.bin', { range: 'bytes=0-9,800000-800009' }],
    ['GET', '/a.css', { range: 'bytes=99999-' }],
    ['GET', '/b.bin'],
    ['HEAD', '/b.bin'],
    ['GET', '/d?q'],
    ['GET', '/nothing'],
    ['DELETE', '/a.css'],
    ['BREW', '/a.css'],
  ]
  const statuses = []
  for (const [method, path, fields = {}] of requests) {
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
    const request = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${lines.join('')}\r\n`
    const [old] = (await rawTls(tlsPort, request, { methods: [method] })).responses
    const {
      date: _date,
      connection: _connection,
      'keep-alive': _keep,
      ...headers
    } = old?.headers ?? {}
    const reply = await ask2(session, { ':method': method, ':path': path, ...fields })
    const isMultipart = /multipart/.test(headers['content-type'] ?? '')
    const unmarked = (bytes: Buffer | undefined) =>
      String(bytes).replaceAll(/--[0-9a-f-]{36}/g, '--')
    if (isMultipart) {
      t.equal(unmarked(reply.body), unmarked(old?.body))
      t.equal(reply.headers['content-length'], headers['content-length'])
    } else {
      t.strictSame([reply.status, reply.headers], [old?.status, headers], request)
      t.ok(reply.body.equals(old?.body ?? Buffer.alloc(0)), request)
    }
    t.equal(reply.reset, NGHTTP2_NO_ERROR)
    statuses.push(reply.status)
  }
  t.same(statuses, [200, 200, 200, 304, 206, 206, 416, 200, 200, 308, 404, 404, 501])
})

t.test('a view reads the same request as by HTTP/1.1', async (t) => {
  const view = async (req: Request): Promise<Reply> => {
    const { method, path, search, remoteAddress, secure, client } = req
    const cookies = [req.cookie('a'), req.cookie('b')]
    const all = req.headers.filter(([name]) => name !== 'content-length')
    return json({
      method,
      path,
      search,
      remoteAddress,
      secure,
      client,
      cookies,
      all,
      body: await req.text(),
    })
  }
  const { tlsPort } = await serve(t, view, { tls: await tlsOf([own]) })
  const session = openHttp2(t, tlsPort)
  const target = '/%EA%B8%80?q=1&r'
  const fields = 'X-A: 1\r\nx-a: 2\r\nCookie: a=1; b=2\r\nContent-Length: 5\r\n'
  const request = `POST ${target} HTTP/1.1\r\nHost: localhost\r\n${fields}\r\nhello`
  const [old] = (await rawTls(tlsPort, request)).responses
  const asked = { ':method': 'POST', ':path': target, ':authority': 'localhost', 'x-a': ['1', '2'] }
  const length = { 'content-length': 5 }
  const reply = await ask2(session, { ...asked, cookie: ['a=1', 'b=2'], ...length }, 'hello')
  const expected = JSON.parse(String(old?.body))
  const seen = JSON.parse(String(reply.body))
  t.match(expected, { path: '/글', secure: true, cookies: ['1', '2'], body: 'hello' })
  // A client of HTTP/2 sends each cookie by itself (RFC 9113 section 8.2.3).
  const joined = (all: string[][]) => all.filter(([name]) => name !== 'cookie')
  t.strictSame({ ...seen, all: joined(seen.all) }, { ...expected, all: joined(expected.all) })
  const unsized = await ask2(session, asked, 'hello')
  t.equal(JSON.parse(String(unsized.body)).body, 'hello', 'a body without a length')
})

t.test('replies of all kinds end as they should', async (t) => {
  const pieces = async function* () {
    for (const piece of ['a', '', 'b', 'c'.repeat(200_000)]) yield piece
  }
  const sized = () => {
    const reply = stream(pieces(), 'text/plain', { headers: { 'X-Sized': 'yes' } })
    return Object.assign(reply, { length: 200_002 })
  }
  const views: Record<string, () => Reply | Promise<Reply>> = {
    '/text': () => text('hello'),
    '/large': () => text('x'.repeat(1_000_000)),
    '/late': async () => {
      await sleep(5)
      return text('late')
    },
    '/empty': () => empty(),
    '/nothing': () => text(''),
    '/stream': () => stream(pieces(), 'text/plain'),
    '/sized': sized,
    '/cookies': () => text('c').cookie('a', '1').cookie('b', '2'),
  }
  const dispatch = (req: Request) => views[req.path]?.() ?? text('none', { status: 404 })
  const { tlsPort } = await serve(t, dispatch, { tls: await tlsOf([own]) })
  const session = openHttp2(t, tlsPort)
  for (const path of Object.keys(views)) {
    for (const method of ['GET', 'HEAD']) {
      const request = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`
      const options = { methods: [method], untilClosed: true }
      const [old] = (await rawTls(tlsPort, request, options)).responses
      const reply = await ask2(session, { ':method': method, ':path': path })
      t.equal(reply.status, old?.status, `${method} ${path}`)
      t.ok(reply.body.equals(old?.body ?? Buffer.alloc(0)), `${method} ${path}`)
      t.equal(reply.headers['content-length'], old?.headers['content-length'], `${method} ${path}`)
      t.equal(reply.reset, NGHTTP2_NO_ERROR)
    }
  }
  const { headers } = await ask2(session, { ':path': '/cookies' })
  t.match(headers['set-cookie'], [/^a=1/, /^b=2/])
  t.notOk(headers['connection'] || headers['transfer-encoding'] || headers['keep-alive'])
})

t.test('a hundred requests at once share a connection, each with its own reply', async (t) => {
  const view = async (req: Request) => {
    await sleep(Number(req.query.get('ms')))
    return text(req.path + 'x'.repeat(50_000))
  }
  const { tlsPort } = await serve(t, view, { tls: await tlsOf([own]) })
  const session = openHttp2(t, tlsPort)
  const all = Array.from({ length: 100 }, (_, i) => ask2(session, { ':path': `/${i}?ms=${i % 7}` }))
  for (const [i, { status, body }] of (await Promise.all(all)).entries()) {
    t.equal(status, 200)
    t.equal(String(body), `/${i}${'x'.repeat(50_000)}`)
  }
})

t.test('a reply waits for its reader, and others go on meanwhile', async (t) => {
  let made = 0
  const endless = async function* () {
    for (;;) {
      made += 65_536
      yield Buffer.alloc(65_536)
    }
  }
  let isDone = false
  const view = (req: Request) => {
    if (req.path === '/') return text('quick')
    req.onDone(() => {
      isDone = true
    })
    return stream(endless(), 'text/plain')
  }
  const { tlsPort } = await serve(t, view, { tls: await tlsOf([own]) })
  const session = openHttp2(t, tlsPort)
  const slow = session.request({ ':path': '/endless' })
  slow.on('error', () => {})
  await once(slow, 'response')
  slow.pause()
  let before = -1
  while (made !== before) {
    before = made
    await sleep(100)
  }
  t.ok(made < 4_000_000, `${made} bytes were made for somebody who reads none`)
  t.equal(String((await ask2(session, { ':path': '/' })).body), 'quick')
  slow.close(constants.NGHTTP2_CANCEL)
  while (!isDone) await sleep(5)
  t.ok(isDone, 'the view hears that its client has gone')
})

t.test('a view that is too late for its client hears of it', async (t) => {
  const aborted: string[] = []
  const begun: (() => void)[] = []
  const view = (req: Request) =>
    new Promise<Reply>((resolve) => {
      begun.shift()?.()
      req.signal.addEventListener('abort', () => {
        aborted.push(req.path)
        resolve(text('too late'))
      })
    })
  const { tlsPort, log } = await serve(t, view, { tls: await tlsOf([own]) })
  const session = openHttp2(t, tlsPort)
  const isBegun = new Promise<void>((resolve) => begun.push(resolve))
  const request = session.request({ ':path': '/reset' })
  request.on('error', () => {})
  await isBegun
  request.close(constants.NGHTTP2_CANCEL)
  while (!aborted.includes('/reset')) await sleep(5)
  const isBegunAgain = new Promise<void>((resolve) => begun.push(resolve))
  session.request({ ':path': '/gone' }).on('error', () => {})
  await isBegunAgain
  session.destroy()
  while (!aborted.includes('/gone')) await sleep(5)
  t.strictSame(aborted, ['/reset', '/gone'])
  t.strictSame(log, [])
})

t.test('a reply that breaks off is reset, and does not look whole', async (t) => {
  const broken = async function* () {
    yield 'half of it'
    await sleep(5)
    throw new Error('no more')
  }
  const { tlsPort, log } = await serve(
    t,
    (req) => (req.path === '/' ? text('fine') : stream(broken(), 'text/plain')),
    { tls: await tlsOf([own]) },
  )
  const session = openHttp2(t, tlsPort)
  const reply = await ask2(session, { ':path': '/broken' })
  t.equal(String(reply.body), 'half of it')
  t.equal(reply.reset, NGHTTP2_INTERNAL_ERROR)
  t.match(log, [/failed while it was answered/])
  t.equal((await ask2(session, { ':path': '/' })).status, 200, 'its connection goes on')
})

t.test('bodies: limits, expectations, and what nobody reads', async (t) => {
  const view = async (req: Request) => {
    if (req.path === '/unread') return text('no, thanks')
    return text(String((await req.bytes()).length))
  }
  const limits = { maxBodyBytes: 100_000 }
  const tooLarge = await serve(t, view, { limits, tls: await tlsOf([own]) })
  const session = openHttp2(t, tooLarge.tlsPort)
  const post = (path: string, bytes: number, fields = {}) =>
    ask2(session, { ':method': 'POST', ':path': path, ...fields }, Buffer.alloc(bytes))
  t.equal(String((await post('/', 100_000)).body), '100000')
  t.equal((await post('/', 100_001, { 'content-length': 100_001 })).status, 413)
  t.equal(String((await post('/unread', 90_000)).body), 'no, thanks')
  t.equal((await post('/', 5, { expect: 'a miracle' })).status, 417)
  const request = session.request({ ':method': 'POST', ':path': '/', expect: '100-continue' })
  await once(request, 'continue')
  request.end('hello')
  const [headers] = await once(request, 'response')
  t.equal(headers[':status'], 200)
  t.equal(String(await once(request, 'data')), '5')
})

t.test('a client without HTTP/2, and a server without it, agree on HTTP/1.1', async (t) => {
  const { tlsPort } = await serve(t, () => text('x'), { tls: await tlsOf([own]) })
  const off = await serve(t, () => text('x'), { tls: await tlsOf([own], { http2: false }) })
  const chosen = async (port: number | null, ALPNProtocols: string[]) => {
    const socket = await dialTls(port ?? 0, { ALPNProtocols })
    socket.destroy()
    return socket.alpnProtocol
  }
  t.equal(await chosen(tlsPort, ['http/1.1', 'h2']), 'h2')
  t.equal(await chosen(tlsPort, ['http/1.1']), 'http/1.1')
  t.equal(await chosen(tlsPort, []), false)
  t.equal(await chosen(off.tlsPort, ['h2', 'http/1.1']), 'http/1.1')
  await t.rejects(chosen(tlsPort, ['spdy/3']), 'no protocol in common')
})

t.test('a server that stops says so, answers what has begun and what is on its way', async (t) => {
  const view = async (req: Request) => {
    await sleep(Number(req.query.get('ms')))
    return text(req.path)
  }
  const server = await serve(t, view, { tls: await tlsOf([own]) })
  const session = openHttp2(t, server.tlsPort)
  const begun = ask2(session, { ':path': '/begun?ms=200' })
  await ask2(session, { ':path': '/?ms=0' })
  const told = once(session, 'goaway')
  const closing = server.close({ graceMs: 60_000 })
  const [code, lastStream] = await told
  t.strictSame([code, lastStream], [NGHTTP2_NO_ERROR, 2 ** 31 - 1])
  t.equal(String((await begun).body), '/begun')
  t.equal(await closing, 0)
  if (!session.destroyed) await once(session, 'close')
  await t.rejects(dialTls(server.tlsPort ?? 0), { code: 'ECONNREFUSED' })
})

t.test('large replies to slow readers leave whole when the server stops', async (t) => {
  const server = await serve(t, () => text('x'.repeat(300_000)), { tls: await tlsOf([own]) })
  const session = openHttp2(t, server.tlsPort)
  const request = session.request({ ':path': '/' })
  await once(request, 'response')
  request.pause()
  const closing = server.close({ graceMs: 60_000 })
  await sleep(300)
  let bytes = 0
  request.on('data', (chunk) => {
    bytes += chunk.length
  })
  request.resume()
  await once(request, 'end')
  t.equal(bytes, 300_000)
  await closing
})

t.test('lists that stand twice in a reply are one', async (t) => {
  const view = (): Reply =>
    text('x').append('Content-Language', 'en').append('Content-Language', 'de')
  const { tlsPort } = await serve(t, view, { tls: await tlsOf([own]) })
  const { status, headers } = await ask2(openHttp2(t, tlsPort), { ':path': '/' })
  t.strictSame([status, headers['content-language']], [200, 'en, de'])
})
