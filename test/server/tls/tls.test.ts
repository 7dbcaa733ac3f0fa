/** A site by TLS: the same answers as in clear, its certificates, and whoever speaks something else. */
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { json, type Reply, stream, text } from '../../../src/http/reply.ts'
import type { Request } from '../../../src/http/request.ts'
import { SECURITY_HEADERS } from '../../../src/http/security-headers.ts'
import { NativeLane } from '../../../src/server/native-lane.ts'
import { Certificates } from '../../../src/server/tls/certificates.ts'
import { TlsFront } from '../../../src/server/tls/tls-front.ts'
import { applicationOf, serve } from '../../support/application.ts'
import { catalogueOf, temporaryFolder, writeTree } from '../../support/catalogue.ts'
import { authorityOf } from '../../support/certificates.ts'
import { dial, raw } from '../../support/raw.ts'
import { dialTls, rawTls, tlsOf } from '../../support/tls.ts'

const authority = authorityOf(t)
const own = authority.issue('own', ['x.test', '*.x.test', 'localhost'])
const other = authority.issue('other', ['other.test'])

const get = (path: string, fields = '', host = 'x.test'): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`

t.test('files have the same fields and bytes as in clear', async (t) => {
  const files = {
    'a.css': 'p { color: red }',
    'b.bin': Buffer.alloc(900_000, 7),
    'd/index.html': 'd',
  }
  const dir = await writeTree(temporaryFolder(t), files)
  const { catalogue } = await catalogueOf(t, dir, { baseHeaders: SECURITY_HEADERS })
  const etag = catalogue.lookup('/a.css')?.etag
  const requests: [method: string, request: string][] = [
    ['GET', get('/a.css')],
    ['HEAD', get('/a.css').replace('GET', 'HEAD')],
    ['GET', get('/a.css', `If-None-Match: ${etag}\r\n`)],
    ['GET', get('/b.bin', 'Range: bytes=800000-\r\n')],
    ['GET', get('/a.css', 'Range: bytes=99-\r\n')],
    ['GET', get('/b.bin')],
    ['GET', get('/d?q')],
    ['GET', get('/nothing')],
  ]
  const notFound = (): Reply => text('nothing', { status: 404 })
  const { port, tlsPort } = await serve(t, notFound, { catalogue, tls: await tlsOf([own]) })
  const statuses = []
  for (const [method, request] of requests) {
    const options = { methods: [method] }
    const [clear, secure] = await Promise.all([
      raw(port, request, options),
      rawTls(tlsPort, request, options),
    ])
    const seen = [clear, secure].map(({ responses: [response] }) => {
      const { date, connection, 'keep-alive': keep, ...headers } = response?.headers ?? {}
      return { ...response, headers }
    })
    t.same(seen[1], seen[0], request)
    statuses.push(secure.responses[0]?.status)
  }
  t.same(statuses, [200, 200, 304, 206, 416, 200, 308, 404])
})

t.test('a view knows that its request came by TLS', async (t) => {
  const view = async (req: Request) => {
    const { secure, client, method } = req
    return json({ secure, client, method, body: await req.text() })
  }
  const { port, tlsPort } = await serve(t, view, { tls: await tlsOf([own]) })
  const post = `POST / HTTP/1.1\r\nHost: x.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`
  const [secure] = (await rawTls(tlsPort, post)).responses
  t.same(JSON.parse(String(secure?.body)), {
    secure: true,
    client: { address: '127.0.0.1', scheme: 'https', host: 'x.test' },
    method: 'POST',
    body: 'abc',
  })
  const [clear] = (await raw(port, get('/'))).responses
  t.match(JSON.parse(String(clear?.body)), { secure: false, client: { scheme: 'http' } })
})

t.test('HSTS stands in every reply by TLS, and in none in clear', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.css': 'p { color: red }' })
  const { catalogue } = await catalogueOf(t, dir, { baseHeaders: SECURITY_HEADERS })
  const hsts = 'max-age=31536000; includeSubDomains'
  const tls = await tlsOf([own], { hsts })
  const { port, tlsPort } = await serve(t, () => text('view'), { catalogue, tls })
  const etag = catalogue.lookup('/a.css')?.etag
  const bad = 'GET / HTTP/1.1\r\n\r\n'
  const all = [
    get('/a.css'),
    get('/a.css', `If-None-Match: ${etag}\r\n`),
    get('/view'),
    bad,
    'GARBAGE\r\n\r\n',
  ]
  for (const request of all) {
    const [secure] = (await rawTls(tlsPort, request)).responses
    t.equal(secure?.headers['strict-transport-security'], hsts, request)
    t.equal(secure?.headers['x-content-type-options'], 'nosniff', request)
    const [clear] = (await raw(port, request)).responses
    t.notOk(clear?.headers['strict-transport-security'], request)
  }
  const [wrong] = (await raw(tlsPort as number, get('/'))).responses
  t.equal(wrong?.status, 400)
  t.notOk(wrong?.headers['strict-transport-security'], 'what was not asked by TLS')
})

async function certificateFor(
  port: number | null,
  servername: string,
): Promise<string | undefined> {
  const socket = await dialTls(port ?? 0, servername === '' ? {} : { servername })
  const { CN } = socket.getPeerCertificate().subject
  socket.destroy()
  return [CN].flat()[0]
}

t.test('each name gets its certificate; no name, and an unknown one, the first', async (t) => {
  const { tlsPort } = await serve(t, () => text('x'), { tls: await tlsOf([own, other]) })
  const expected = {
    'x.test': 'own',
    'A.X.test': 'own',
    'other.test': 'other',
    'who.test': 'own',
    '': 'own',
  }
  for (const [name, file] of Object.entries(expected))
    t.equal(await certificateFor(tlsPort, name), file, name)
})

t.test('with refusal an unknown name, and none, get no handshake', async (t) => {
  const tls = await tlsOf([own, other], { refusesUnknown: true })
  const { tlsPort } = await serve(t, () => text('x'), { tls })
  t.equal(await certificateFor(tlsPort, 'A.X.test'), 'own')
  t.equal(await certificateFor(tlsPort, 'other.test'), 'other')
  await t.rejects(certificateFor(tlsPort, 'who.test'))
  await t.rejects(certificateFor(tlsPort, ''))
  const numbered = authority.issue('numbered', ['n.test', 'IP:127.0.0.1'])
  const byAddress = await tlsOf([own, numbered], { refusesUnknown: true })
  const server = await serve(t, () => text('x'), { tls: byAddress })
  t.equal(await certificateFor(server.tlsPort, ''), 'numbered')
  await t.rejects(certificateFor(server.tlsPort, 'who.test'))
  const { responses } = await rawTls(server.tlsPort, get('/'), { tls: { servername: 'x.test' } })
  t.match(responses, [{ status: 200 }], 'others are served as before')
})

t.test('a server tells when its certificates end', async (t) => {
  const short = authority.issue('short', ['IP:127.0.0.1'], { from: -1, to: 5 })
  const server = await serve(t, () => text('x'), { tls: await tlsOf([own, short]) })
  const ends = server.certificateEnds()
  t.strictSame(
    ends.map(({ file, name, days }) => [file, name, Math.round(days)]),
    [
      [own.certFile, 'x.test', 90],
      [short.certFile, '', 5],
    ],
  )
  for (const { file, endsMs } of ends) {
    t.equal(endsMs, Date.parse(new X509Certificate(readFileSync(file)).validTo))
  }
  t.strictSame((await serve(t, () => text('x'))).certificateEnds(), [])
})

t.test('the whole chain is sent, and a client that knows the root alone believes it', async (t) => {
  const { tlsPort } = await serve(t, () => text('hello'), { tls: await tlsOf([own]) })
  const asked = request({
    port: tlsPort,
    host: '127.0.0.1',
    servername: 'x.test',
    ca: authority.root,
  })
  asked.setHeader('Host', 'x.test')
  asked.end()
  const [response] = await once(asked, 'response')
  t.equal(response.statusCode, 200)
  response.resume()
})

t.test('versions and ciphers are those of the policy', async (t) => {
  const open = async (policy: 'modern' | 'intermediate') => {
    const certificates = await Certificates.load([own], policy)
    const { tlsPort } = await serve(t, () => text('x'), {
      tls: await tlsOf([own], { certificates }),
    })
    return (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3', ciphers?: string) =>
      dialTls(tlsPort as number, {
        minVersion: version,
        maxVersion: version,
        ciphers: ciphers ?? 'DEFAULT@SECLEVEL=0',
      }).then(
        (socket) => {
          const { name } = socket.getCipher()
          const protocol = socket.getProtocol()
          socket.destroy()
          return `${protocol} ${name}`
        },
        (error) => error.code ?? error.message,
      )
  }
  const intermediate = await open('intermediate')
  t.match(await intermediate('TLSv1.3'), /^TLSv1\.3 TLS_/)
  t.match(await intermediate('TLSv1.2'), /^TLSv1\.2 ECDHE-ECDSA-/)
  t.match(await intermediate('TLSv1.1'), /ERR_SSL|ECONNRESET/)
  t.match(await intermediate('TLSv1.2', 'ECDHE-ECDSA-AES128-SHA'), /ERR_SSL|ECONNRESET/)
  const modern = await open('modern')
  t.match(await modern('TLSv1.3'), /^TLSv1\.3 TLS_/)
  t.match(await modern('TLSv1.2'), /ERR_SSL|ECONNRESET/)
})

t.test('a request without TLS is told so, other noise is cut', async (t) => {
  const { tlsPort, port } = await serve(t, () => text('x'), { tls: await tlsOf([own]) })
  const { responses, closed } = await raw(tlsPort as number, get('/'), { untilClosed: true })
  t.match(responses, [{ status: 400, headers: { connection: 'close' } }])
  t.match(String(responses[0]?.body), 'This port speaks TLS: the URL begins with https://')
  t.ok(closed)
  const noise = await raw(tlsPort as number, Buffer.from([0, 1, 2, 3]), { untilClosed: true })
  t.strictSame([noise.closed, noise.bytes.length], [true, 0])
  const broken = Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 0])
  t.ok((await raw(tlsPort as number, broken, { untilClosed: true })).closed)
  await t.rejects(dialTls(port), 'TLS at the port in clear')
  t.match((await raw(port, get('/'))).responses, [{ status: 200 }])
})

async function frontOf(t: Test, handshakeTimeoutMs: number) {
  const application = applicationOf(() => text('x'))
  const clear = new NativeLane(application, [])
  const certificates = await Certificates.load([own], 'modern')
  const front = new TlsFront(
    { clear, secure: clear },
    { certificates, http2: false, maxHeaderBytes: 4096, handshakeTimeoutMs },
  )
  t.teardown(() => front.close())
  return { front, port: await front.listen({ host: '127.0.0.1', port: 0 }) }
}

/** The first record of a client, as it is sent. */
async function clientHello(t: Test): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  void dialTls(port).catch(() => {})
  const [socket] = await once(server, 'connection')
  const [hello] = await once(socket, 'data')
  socket.destroy()
  return hello
}

t.test('silence, half a ClientHello and half a handshake end in time, however many', async (t) => {
  const hello = await clientHello(t)
  const { front, port } = await frontOf(t, 3_000)
  const beginnings = [Buffer.alloc(0), hello.subarray(0, 1), hello.subarray(0, 40), hello]
  const closed = []
  for (let i = 0; i < 100; i++) {
    const socket = await dial(port)
    socket.on('error', () => {})
    socket.resume()
    const bytes = beginnings[i % beginnings.length] as Buffer
    if (bytes.length > 0) socket.write(bytes)
    closed.push(once(socket, 'close'))
  }
  const served = await rawTls(port, get('/'))
  t.match(served.responses, [{ status: 200 }], 'others are served meanwhile')
  await Promise.all(closed)
  while (front.busy() > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  t.equal(front.busy(), 0)
})

t.test('a client that goes before it has said anything is let go of', async (t) => {
  const { front, port } = await frontOf(t, 600_000)
  const socket = connect({ port, host: '127.0.0.1' })
  socket.resume().end()
  await once(socket, 'close')
  while (front.busy() > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  t.equal(front.busy(), 0)
})

t.test('a certificate is good for its own hosts: a request for others is 421', async (t) => {
  const { tlsPort } = await serve(t, () => text('x'), { tls: await tlsOf([own, other]) })
  const ask = async (servername: string | undefined, host: string) => {
    const tls = servername === undefined ? {} : { servername }
    return (await rawTls(tlsPort, get('/', '', host), { tls })).responses[0]?.status
  }
  t.equal(await ask('x.test', 'x.test:8443'), 200)
  t.equal(await ask('x.test', 'A.x.test.'), 200)
  t.equal(await ask('x.test', 'other.test'), 421)
  t.equal(await ask('who.test', 'who.test'), 200, 'the client takes what it was shown')
  t.equal(await ask(undefined, 'other.test'), 200, 'it has named none')
  t.equal(await ask('x.test', 'bad host'), 400)
})

t.test('an absolute target by TLS is of https', async (t) => {
  const { tlsPort, port } = await serve(t, (req) => text(req.path), { tls: await tlsOf([own]) })
  const absolute = (scheme: string) => `GET ${scheme}://x.test/a HTTP/1.1\r\nHost: x.test\r\n\r\n`
  t.match((await rawTls(tlsPort, absolute('https'))).responses, [{ status: 200 }])
  t.match((await rawTls(tlsPort, absolute('http'))).responses, [{ status: 421 }])
  t.match((await raw(port, absolute('https'))).responses, [{ status: 421 }])
})

/** Types of the records that a server sends (RFC 5246 section 6.2.1), until it closes. */
async function recordsOf(port: number | null, request: string): Promise<number[]> {
  const types: number[] = []
  const proxy = createServer((client) => {
    const server = connect({ port: port ?? 0, host: '127.0.0.1' })
    let rest = Buffer.alloc(0)
    server.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk])
      while (rest.length >= 5 && rest.length >= 5 + rest.readUInt16BE(3)) {
        types.push(rest[0] as number)
        rest = rest.subarray(5 + rest.readUInt16BE(3))
      }
    })
    client.pipe(server).pipe(client)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { port: between } = proxy.address() as { port: number }
  const socket = await dialTls(between, { maxVersion: 'TLSv1.2' })
  socket.on('error', () => {})
  socket.resume().write(request)
  await once(socket, 'close')
  proxy.close()
  return types
}

t.test('a reply that breaks off has no close_notify: it does not look whole', async (t) => {
  const ALERT = 21
  const broken = async function* () {
    yield 'half of it'
    await new Promise((resolve) => setImmediate(resolve))
    throw new Error('no more')
  }
  const view = (req: Request) =>
    req.path === '/broken' ? stream(broken(), 'text/plain') : text('all of it')
  const { tlsPort } = await serve(t, view, { tls: await tlsOf([own]) })
  const old = (path: string) => `GET ${path} HTTP/1.0\r\nHost: x.test\r\n\r\n`
  t.ok((await recordsOf(tlsPort, old('/whole'))).includes(ALERT))
  t.notOk((await recordsOf(tlsPort, old('/broken'))).includes(ALERT))
})
