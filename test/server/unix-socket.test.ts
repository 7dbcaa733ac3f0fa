/** What comes by a unix socket: both lanes, WebSockets, and many at a time. */
import { existsSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { text } from '../../src/http/reply.ts'
import { loadNative } from '../../src/native/load.ts'
import { socket } from '../../src/route/socket.ts'
import { path } from '../../src/route/urlconf.ts'
import { listen, type Server } from '../../src/server/server.ts'
import { applicationOf } from '../support/application.ts'
import { folder } from '../support/binary.ts'
import { connect, socketSite } from '../support/sockets.ts'

const skip = loadNative().gate === null && 'unix sockets need the native addon'

const site = socketSite([
  path('/', (req) => text(`${req.remoteAddress} ${req.client.host}\n`)),
  path('/slow', async (req) => text(`${(await req.text()).length} ${req.remoteAddress}\n`), {
    methods: ['POST'],
  }),
  socket('/echo', {
    open: (socket) => void socket.send(socket.request.remoteAddress),
    message: (socket, message) => void socket.send(message),
  }),
])

async function serveAt(t: Test): Promise<Server & { readonly at: string }> {
  // A short path: that of a test's own folder can be too long for a socket.
  const at = join(folder(t, {}), 's')
  const application = applicationOf(site.dispatch, site.options)
  const server = await listen(application, {
    port: 0,
    addresses: [{ path: at, port: 0 }],
    headers: [],
  })
  let closing: Promise<number> | undefined
  const close: Server['close'] = (options) => {
    closing ??= server.close(options)
    return closing
  }
  t.teardown(() => close({ graceMs: 0 }))
  return { ...server, close, at }
}

/** Everything that comes back for these bytes, until the server closes. */
function say(at: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = ''
    const client = createConnection(at, () => client.write(bytes))
    client.setEncoding('utf8').on('data', (chunk) => {
      heard += chunk
    })
    client.on('end', () => client.end(() => resolve(heard))).on('error', reject)
  })
}

const LAST = 'Host: x\r\nConnection: close\r\n\r\n'

t.test('ordinary requests, odd ones and old ones are answered', { skip }, async (t) => {
  const { at, port } = await serveAt(t)
  t.equal(port, 0)
  t.match(await say(at, `GET / HTTP/1.1\r\n${LAST}`), /200 OK[\s\S]*unix: x\n$/)
  t.match(await say(at, `\r\nGET / HTTP/1.1\r\n${LAST}`), /200 OK[\s\S]*unix: x\n$/, 'strict lane')
  t.match(await say(at, 'GET / HTTP/1.0\r\n\r\n'), /200 OK[\s\S]*unix: localhost\n$/)
  t.match(await say(at, 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'), /^HTTP\/1\.1 400 /)
  t.match(await say(at, `POST /slow HTTP/1.1\r\nContent-Length: 3\r\n${LAST}abc`), /3 unix:\n$/)
  const two = `GET / HTTP/1.1\r\nHost: y\r\n\r\nGET / HTTP/1.1\r\n${LAST}`
  t.match(await say(at, two), /unix: y\n[\s\S]*unix: x\n$/)
})

t.test('many at a time are not taken for one another', { skip }, async (t) => {
  const { at } = await serveAt(t)
  const hosts = Array.from({ length: 200 }, (_, i) => `host${i}`)
  const answers = await Promise.all(
    hosts.map((host) => say(at, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)),
  )
  t.ok(answers.every((answer, i) => answer.endsWith(`unix: host${i}\n`)))
})

t.test('WebSockets are opened, and closed when the server stops', { skip }, async (t) => {
  const { at, close } = await serveAt(t)
  const client = await connect(`ws+unix:${at}:/echo`)
  t.equal(await client.next(), 'unix:')
  client.send('hello')
  t.equal(await client.next(), 'hello')
  const closing = close({ graceMs: 1000 })
  t.equal((await client.ended).code, 1001)
  await closing
  t.notOk(existsSync(at))
})
