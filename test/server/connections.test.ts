/** How many connections are open, whoever has them, and however they end. */
import { once } from 'node:events'
import t from 'tap'
import { text } from '../../src/http/reply.ts'
import { socket } from '../../src/route/socket.ts'
import { path } from '../../src/route/urlconf.ts'
import { authorityOf } from '../support/certificates.ts'
import { dial } from '../support/raw.ts'
import { connect, serveSockets } from '../support/sockets.ts'
import { eventually } from '../support/supervised.ts'
import { dialTls, tlsOf } from '../support/tls.ts'

const own = authorityOf(t).issue('own', ['x.test'])
const PLAIN = 'GET / HTTP/1.1\r\nHost: x.test\r\n\r\n'
/** Its first request is for llhttp. */
const ODD = `\r\n${PLAIN}`

t.test('connections are counted once, on each lane, until they have ended', async (t) => {
  const entries = [path('/', () => text('x')), socket('/chat', { message: () => undefined })]
  const tls = await tlsOf([own])
  for (const lane of ['native', undefined, 'strict'] as const) {
    const server = await serveSockets(t, entries, { tls, ...(lane && { lane }) })
    const open = (http: number, https: number) =>
      eventually(`${http} and ${https} are open on ${lane}`, () => {
        const now = server.connectionCount()
        return now.http === http && now.https === https
      })
    t.strictSame(server.connectionCount(), { http: 0, https: 0 })
    const asked = [await dial(server.port), await dial(server.port)]
    for (const [i, one] of asked.entries()) {
      one.write(i === 0 || lane === 'native' ? PLAIN : ODD)
      await once(one, 'data')
    }
    const silent = await dial(server.port)
    const secure = await dialTls(server.tlsPort ?? 0, { servername: 'x.test' })
    const http2 = await dialTls(server.tlsPort ?? 0, {
      servername: 'x.test',
      ALPNProtocols: ['h2'],
    })
    await open(3, 2)
    if (lane !== 'strict') {
      const chats = [await connect(`${server.url}/chat`), await connect(`${server.url}/chat`)]
      await open(5, 2)
      chats[0]?.close()
      chats[1]?.terminate()
      await open(3, 2)
    }
    asked[0]?.resetAndDestroy()
    asked[1]?.end()
    asked[1]?.resume()
    silent.destroy()
    secure.destroy()
    http2.destroy()
    await open(0, 0)
    await server.close({ graceMs: 0 })
  }
})
