/** Clients that fall silent, and clients that never end what they began. Takes the engine's shortest time-out. */
import { connect as connectDeaf } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Socket } from '../../src/http/socket.ts'
import { socket } from '../../src/route/socket.ts'
import { connect, frame, handshake, openRaw, PING, serveSockets, TEXT } from '../support/sockets.ts'

t.setTimeout(120_000)
t.jobs = 8

const IDLE = { idleTimeoutSeconds: 8 }

t.test(
  'a client that answers pings stays, one that does not is cut',
  { buffered: true },
  async (t) => {
    const ends: unknown[] = []
    const server = await serveSockets(t, [
      socket('/<slug:who>', { close: (s, code) => void ends.push([s.params.who, code]) }, IDLE),
    ])
    const alive = await connect(`${server.url}/alive`)
    let pings = 0
    alive.on('ping', () => pings++)
    const dead = await openRaw(server.port, '/dead')
    await dead.closed
    t.ok(
      dead.frames().some(({ opcode }) => opcode === PING),
      'it was asked',
    )
    t.strictSame(ends, [['dead', 1006]])
    t.ok(pings > 0)
    t.equal(alive.readyState, alive.OPEN)
    alive.terminate()
  },
)

t.test('without pings silence alone is enough', { buffered: true }, async (t) => {
  const ends: number[] = []
  const server = await serveSockets(t, [
    socket('/', { close: (_s, code) => void ends.push(code) }, { ...IDLE, sendPings: false }),
  ])
  const silent = await openRaw(server.port, '/')
  await silent.closed
  t.strictSame(silent.frames(), [])
  t.strictSame(ends, [1006])
})

t.test(
  'a client that ignores a close, or never ends its frame, is let go',
  { buffered: true },
  async (t) => {
    let open = 0
    const server = await serveSockets(t, [
      socket(
        '/<slug:how>',
        {
          open(socket) {
            open++
            if (socket.params.how === 'deaf') socket.close(4000, 'bye')
          },
          close: () => void open--,
        },
        IDLE,
      ),
    ])
    const deaf = connectDeaf({ port: server.port, host: '127.0.0.1', allowHalfOpen: true })
    let isGone = false
    deaf.on('error', () => {
      isGone = true
    })
    deaf.write(handshake('/deaf'))
    let farewell = Buffer.alloc(0)
    deaf.on('data', (chunk) => {
      farewell = Buffer.concat([farewell, chunk])
    })
    await new Promise((resolve) => deaf.once('end', resolve))
    t.ok(farewell.subarray(-5).equals(Buffer.from('\x0f\xa0bye', 'latin1')), 'it was told')
    const half = await openRaw(server.port, '/half')
    half.send(frame(TEXT, 'x'.repeat(100)).subarray(0, 50))
    await half.closed
    t.equal(open, 0)
    for (let i = 0; i < 100 && !isGone; i++) {
      deaf.write(frame(PING))
      await sleep(200)
    }
    t.ok(isGone, 'the server has let go of the connection')
  },
)

t.test('pings whose answers nobody reads do not fill the memory', { buffered: true }, async (t) => {
  let own: Socket | undefined
  const server = await serveSockets(t, [
    socket(
      '/',
      {
        open(socket) {
          own = socket
        },
      },
      { maxBackpressureBytes: 100_000 },
    ),
  ])
  const client = await openRaw(server.port, '/')
  client.socket.pause()
  const many = Buffer.concat(Array.from({ length: 5_000 }, () => frame(PING, 'x'.repeat(125))))
  let most = 0
  for (let i = 0; i < 60; i++) {
    await new Promise((resolve) => client.socket.write(many, resolve))
    most = Math.max(most, own?.bufferedBytes ?? 0)
  }
  t.ok(most > 0, 'more than the kernel holds')
  t.ok(most <= 100_000 + 64 * 1024 + 127, `${most} bytes`)
  client.socket.destroy()
})
