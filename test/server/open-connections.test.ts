/** Whose a request is, as logs have it: connections of several addresses come and go. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { text } from '../../src/http/reply.ts'
import { loadNative } from '../../src/native/load.ts'
import { observerOf } from '../../src/observe/observer.ts'
import { socket } from '../../src/route/socket.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { OpenConnections } from '../../src/server/open-connections.ts'
import { serve } from '../support/application.ts'
import { listenerOf } from '../support/listener.ts'
import { until } from '../support/postgres.ts'
import { siteOf } from '../support/serving.ts'

const skip = loadNative().gate === null && 'without the addon there is no gate'
const ADDRESSES = ['127.0.0.1', '127.0.0.2', '127.0.0.3']
const HANDSHAKE =
  'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'

async function dialFrom(localAddress: string, port: number): Promise<Socket> {
  const client = connect({ port, host: '127.0.0.1', localAddress, noDelay: true })
  await once(client, 'connect')
  return client
}

/** Resolves when an answer has begun. */
async function ask(client: Socket, target: string, rest = ' HTTP/1.1\r\n'): Promise<void> {
  client.write(`GET ${target}${rest}Host: x\r\n\r\n`)
  await once(client, 'data')
}

t.test('all are of one address until another one comes, and anew when all have gone', async (t) => {
  const open = new OpenConnections()
  const steps: [step: string | null, sole: string][] = [
    ['a', 'a'],
    ['a', 'a'],
    [null, 'a'],
    ['b', ''],
    ['b', ''],
    ['', ''],
    [null, ''],
    [null, ''],
    [null, ''],
    [null, ''],
    ['b', 'b'],
    [null, 'b'],
    ['', ''],
    ['b', ''],
  ]
  for (const [i, [step, sole]] of steps.entries()) {
    if (step === null) open.closed()
    else open.opened(step)
    t.equal(open.sole, sole, `step ${i}`)
  }
  t.equal(open.count, 2)
})

for (const lane of ['gate', 'native'] as const) {
  t.test(`each request has the address that it came from (${lane})`, { skip }, async (t) => {
    const listener = listenerOf()
    const options = lane === 'native' ? { lane } : {}
    const { port } = await serve(t, () => text('a'), { listeners: [listener], ...options })
    const open: { address: string; client: Socket }[] = []
    t.teardown(() => open.map(({ client }) => client.destroy()))
    const expected: string[] = []
    // The same each time.
    let seed = 7
    const random = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % below
    }
    for (let i = 0; i < 400; i++) {
      // There are times of one address, times of several, and times of none.
      const spread = i % 100 < 50 ? 1 : ADDRESSES.length
      const [one] = open.splice(random(open.length || 1), 1)
      if (one !== undefined && (random(3) === 0 || i % 50 === 0)) {
        one.client.end()
        await once(one.client, 'close')
      } else if (one !== undefined) open.push(one)
      if (i % 50 === 0) for (const { client } of open.splice(0)) client.destroy()
      if (open.length < 4) {
        const address = ADDRESSES[(Math.floor(i / 100) + random(spread)) % 3] as string
        open.push({ address, client: await dialFrom(address, port) })
      }
      const { address, client } = open[random(open.length)] as (typeof open)[0]
      await ask(client, `/${i}`)
      expected.push(`/${i} ${address}`)
      if (lane === 'gate' && i % 10 === 0) {
        const strict = await dialFrom('127.0.0.4', port)
        await ask(strict, `/strict/${i}`, ' HTTP/1.0\r\n')
        expected.push(`/strict/${i} 127.0.0.4`)
        strict.destroy()
      }
    }
    const heard = await listener.wait(expected.length)
    t.strictSame(
      heard.map((one) => `${one.path} ${one.address}`),
      expected,
    )
    t.equal(new Set(heard.map(({ address }) => address)).size, lane === 'gate' ? 4 : 3)
  })
}

t.test('the end of a WebSocket is counted once', { skip }, async (t) => {
  const listener = listenerOf()
  const urls = urlconf(
    socket('/chat', { open() {} }),
    path('/', () => text('a')),
  )
  const site = await siteOf(t, { urls, accessLog: '/dev/null' })
  site.server.use({ ...site.app, observer: observerOf([listener]) })
  const { port } = site.server
  const stays = await dialFrom('127.0.0.1', port)
  await ask(stays, '/')
  for (let i = 0; i < 2; i++) {
    const chat = await dialFrom('127.0.0.1', port)
    await ask(chat, '/chat', ` HTTP/1.1\r\n${HANDSHAKE}`)
    chat.destroy()
    await until(() => site.server.connectionCount().http === 1)
  }
  const other = await dialFrom('127.0.0.2', port)
  t.teardown(() => [stays, other].map((client) => client.destroy()))
  await ask(other, '/')
  await ask(stays, '/')
  const heard = await listener.wait(5)
  const addresses = heard.map(({ address }) => address.slice(-1)).join('')
  t.equal(addresses, '11121')
})
