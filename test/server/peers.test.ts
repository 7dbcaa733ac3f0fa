import { connect, type Socket } from 'node:net'
import t from 'tap'
import { text } from '../../src/http/reply.ts'
import type { EngineResponse } from '../../src/server/engine-types.ts'
import { Peers } from '../../src/server/peers.ts'
import { serve } from '../support/application.ts'

t.test('a view knows clients apart that share a port number', async (t) => {
  const { port } = await serve(t, async (req) => {
    await null
    return text(`address ${req.remoteAddress}.`)
  })
  const first = await dialFrom(port, '127.0.0.2', 0)
  const shared = first.localPort ?? 0
  const second = await dialFrom(port, '127.0.0.3', shared)
  t.teardown(() => {
    first.destroy()
    second.destroy()
  })
  for (const [socket, address] of [
    [first, '127.0.0.2'],
    [second, '127.0.0.3'],
    [first, '127.0.0.2'],
  ] as const) {
    const answer = new Promise<string>((resolve) =>
      socket.once('data', (chunk) => resolve(String(chunk))),
    )
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    t.match(await answer, `address ${address}.`)
  }
})

function dialFrom(port: number, localAddress: string, localPort: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress, localPort }, () =>
      resolve(socket),
    )
    socket.once('error', reject)
  })
}

t.test(
  'a port is known until its connection is closed, whatever has its descriptor then',
  async (t) => {
    const open = new Map<number, string>()
    const peers = new Peers({ peerOf: (fd) => open.get(fd) ?? '' })
    const addressOf = (port: number): string =>
      peers.addressOf({ getRemotePort: () => port } as EngineResponse)
    open.set(1, '10.0.0.1 500')
    t.ok(peers.add(1))
    open.set(2, '10.0.0.2 500')
    t.notOk(peers.add(2), 'the first is open')
    t.equal(addressOf(500), '10.0.0.1')
    open.set(1, '10.0.0.9 600')
    t.ok(peers.add(2), 'its descriptor is of another connection')
    t.equal(addressOf(500), '10.0.0.2')
    open.set(2, '2001:db8::1 500')
    t.ok(peers.add(2), 'the same descriptor, a new connection')
    t.equal(addressOf(500), '2001:db8::1')
    t.equal(addressOf(7), '')
  },
)
