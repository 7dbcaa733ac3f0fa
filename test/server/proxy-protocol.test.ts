/** Connections that a balancer hands on by the PROXY protocol: in clear, by TLS and by HTTP/2; and who may not. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import t from 'tap'
import { text } from '../../src/http/reply.ts'
import { loadNative } from '../../src/native/load.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { ProxyHeaders, ProxySenders } from '../../src/server/proxy-senders.ts'
import { listen } from '../../src/server/server.ts'
import { openTls } from '../../src/server/tls/open-tls.ts'
import type { UserConfig } from '../../src/was/config.ts'
import { authorityOf } from '../support/certificates.ts'
import { frame, HEAD, headers, TYPE } from '../support/http2.ts'
import { dial, raw } from '../support/raw.ts'
import { siteOf } from '../support/serving.ts'

const { certFile, keyFile } = authorityOf(t).issue('own', ['localhost', 'x.test'])
const V1 = 'PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n'
const V2 = Buffer.concat([
  Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
  Buffer.from([0x21, 0x11, 0, 12, 192, 0, 2, 7, 10, 0, 0, 1, 1, 2, 3, 4]),
])
const GET = 'GET / HTTP/1.1\r\nHost: x.test\r\n\r\n'
const skip = loadNative().gate === null && 'the addon has no gate here'

const site = (t: Parameters<typeof siteOf>[0], config: UserConfig) =>
  siteOf(t, {
    urls: urlconf(path('/', (req) => text(`${req.client.address} ${req.client.scheme}`))),
    database: false,
    tls: { port: 0, redirect: false, certificates: [{ certFile, keyFile }] },
    ...config,
  })

const bodies = ({ responses }: { responses: readonly { body: Buffer }[] }) =>
  responses.map(({ body }) => String(body))

t.test(
  'in clear views see the client, in one piece, in many, and request after request',
  { skip },
  async (t) => {
    const { server } = await site(t, { proxyProtocol: ['loopback'] })
    for (const [header, address] of [
      [Buffer.from(V1), '192.0.2.1'],
      [V2, '192.0.2.7'],
    ] as const) {
      const whole = Buffer.concat([header, Buffer.from(GET + GET)])
      const expected = [`${address} http`, `${address} http`]
      t.strictSame(bodies(await raw(server.port, whole, { methods: ['GET', 'GET'] })), expected)
      const socket = await dial(server.port)
      socket.setNoDelay(true)
      for (const byte of header) {
        socket.write(Buffer.from([byte]))
        await sleep(0)
      }
      t.strictSame(bodies(await raw(0, GET, { socket })), [`${address} http`])
    }
    t.strictSame(bodies(await raw(server.port, GET)), ['127.0.0.1 http'], 'a look at our health')
    const unknown = await raw(server.port, `PROXY UNKNOWN\r\n${GET}`)
    t.strictSame(bodies(unknown), ['127.0.0.1 http'])
    const bad = await raw(server.port, `PROXY TCP4 x\r\n${GET}`, { untilClosed: true })
    t.strictSame(bad.responses, [])
  },
)

/** TLS behind a header, on a connection of its own. */
async function secure(port: number | null, header: string | Buffer, ALPNProtocols: string[]) {
  const below = await dial(port ?? 0)
  below.write(header)
  const socket = connectTls({
    socket: below,
    servername: 'x.test',
    rejectUnauthorized: false,
    ALPNProtocols,
  })
  await once(socket, 'secureConnect')
  return socket
}

t.test('by TLS too, before its handshake, with either protocol', async (t) => {
  const { server } = await site(t, { proxyProtocol: ['127.0.0.1'] })
  for (const [header, address] of [
    [V1, '192.0.2.1'],
    [V2, '192.0.2.7'],
    ['', '127.0.0.1'],
  ] as const) {
    const socket = await secure(server.tlsPort, header, ['http/1.1'])
    t.strictSame(bodies(await raw(0, GET, { socket })), [`${address} https`])
    const other = await secure(server.tlsPort, header, ['h2'])
    other.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    other.write(Buffer.concat([frame(TYPE.settings, 0, 0), headers(1, HEAD)]))
    let seen = ''
    while (!seen.includes(' https')) seen += String((await once(other, 'data'))[0])
    t.match(seen, `${address} https`)
    other.destroy()
  }
})

t.test('two connections from one port of a balancer have each its own client', async (t) => {
  const { app } = await site(t, { proxyProtocol: ['127.0.0.1'] })
  const tls = await openTls(app.config.tls, app.log)
  const addresses = ['127.0.0.1', '127.0.0.2'].map((host) => ({ host, port: 0 }))
  const own = tls === null ? null : { ...tls, addresses }
  const server = await listen(app, { host: '127.0.0.1', port: 0, headers: [], tls: own })
  t.teardown(() => server.close({ graceMs: 0 }))
  const below: Socket[] = []
  for (const [i, header] of [V1, V2].entries()) {
    const socket = connect({
      host: addresses[i]?.host ?? '',
      port: server.tlsPorts[i] ?? 0,
      localAddress: '127.0.0.1',
      localPort: below[0]?.localPort ?? 0,
    })
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
    socket.write(header)
    below.push(socket)
  }
  t.equal(below[0]?.localPort, below[1]?.localPort)
  // Both headers have been read by now, or are before it.
  await sleep(200)
  for (const [i, address] of ['192.0.2.1', '192.0.2.7'].entries()) {
    const options = { socket: below[i] as Socket, servername: 'x.test', rejectUnauthorized: false }
    const socket = connectTls(options)
    await once(socket, 'secureConnect')
    t.strictSame(bodies(await raw(0, GET, { socket })), [`${address} https`])
  }
})

t.test('of somebody else it is an error, and nobody is believed', async (t) => {
  for (const proxyProtocol of [undefined, ['10.0.0.0/8']]) {
    const { server } = await site(t, { proxyProtocol })
    for (const header of [Buffer.from(V1), V2]) {
      const bytes = Buffer.concat([header, Buffer.from(GET)])
      for (const port of [server.port, server.tlsPort ?? 0]) {
        const { responses, closed } = await raw(port, bytes, { untilClosed: true })
        t.ok(closed)
        t.ok(responses.every(({ status }) => status >= 400))
      }
    }
    t.strictSame(bodies(await raw(server.port, GET)), ['127.0.0.1 http'])
  }
})

t.test('a network that is none is told', async (t) => {
  t.throws(() => new ProxySenders(['10.0.0.0/99']), {
    code: 'UWAS_ERR_SERVER_PROXY_NETWORK',
    message:
      'proxyProtocol: "10.0.0.0/99" is no network; write an address, a network like 10.0.0.0/8, "loopback" or "private"',
  })
})

t.test(
  'a header that does not end, and a client that goes before its end, are let go of',
  async (t) => {
    const server = createServer().listen(0, '127.0.0.1')
    t.teardown(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const pair = async (): Promise<[Socket, Socket]> => {
      const [[accepted], client] = await Promise.all([once(server, 'connection'), dial(port)])
      client.on('error', () => {})
      return [accepted as Socket, client.resume()]
    }
    const hasty = new ProxyHeaders(50)
    const [slow, client] = await pair()
    hasty.read(slow, () => t.fail('it has no whole header'))
    client.write('PROXY TCP4 ')
    await once(client, 'close')
    while (hasty.waiting > 0) await sleep(5)
    const patient = new ProxyHeaders(600_000)
    const [left, gone] = await pair()
    patient.read(left, () => t.fail('it has no whole header'))
    gone.end('PROXY')
    while (patient.waiting > 0) await sleep(5)
    const [waits, last] = await pair()
    patient.read(waits, () => t.fail('it has no whole header'))
    patient.close()
    await once(last, 'close')
    t.equal(patient.waiting, 0)
  },
)
