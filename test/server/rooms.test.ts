import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { text } from '../../src/http/reply.ts'
import { socket } from '../../src/route/socket.ts'
import { path } from '../../src/route/urlconf.ts'
import { rooms } from '../../src/was/rooms.ts'
import { raw } from '../support/raw.ts'
import {
  CLOSE,
  type Client,
  connect,
  frame,
  openRaw,
  serveSockets,
  TEXT,
} from '../support/sockets.ts'

const joins = socket('/<slug:room>', {
  open(socket) {
    socket.join(socket.params.room)
    socket.send(`in ${socket.rooms.join()}`)
  },
  message(socket, message) {
    if (message === 'leave') socket.leave(socket.params.room)
    else socket.publish(socket.params.room, message)
    socket.send(`did ${message}`)
  },
})

t.test('what is published reaches the sockets of a room and nobody else', async (t) => {
  const server = await serveSockets(t, [
    path('/publish', (req) => text(String(rooms(req).publish('a', 'from a view')))),
    joins,
  ])
  const [one, two, other] = await Promise.all(
    ['a', 'a', 'b'].map((room) => connect(`${server.url}/${room}`)),
  )
  t.equal(await one?.next(), 'in a')
  t.equal(await two?.next(), 'in a')
  t.equal(await other?.next(), 'in b')
  const { responses } = await raw(server.port, 'GET /publish HTTP/1.1\r\nHost: x\r\n\r\n')
  t.equal(responses[0]?.body.toString(), '2')
  t.equal(await one?.next(), 'from a view')
  t.equal(await two?.next(), 'from a view')
  one?.send('to the others')
  t.equal(await two?.next(), 'to the others')
  t.equal(await one?.next(), 'did to the others', 'it does not come back')
  one?.send('leave')
  t.equal(await one?.next(), 'did leave')
  t.equal(server.rooms.count('a'), 1)
  t.equal(server.rooms.publish('a', new Uint8Array([1, 2])), 1)
  t.strictSame(await two?.next(), Buffer.from([1, 2]))
  one?.send('from outside')
  t.equal(await two?.next(), 'from outside')
  two?.close()
  await two?.ended
  t.equal(server.rooms.count('a'), 0, 'who is gone has left')
  t.equal(server.rooms.publish('a', 'x'), 0)
  other?.send('end')
  t.equal(await other?.next(), 'did end', 'no message of the other room was before it')
  for (const client of [one, other]) client?.terminate()
})

t.test('what is sent and what is published arrive in the order of the calls', async (t) => {
  const server = await serveSockets(t, [
    socket('/', {
      open: (socket) => socket.join('all'),
      message(socket) {
        for (let i = 0; i < 50; i++) {
          socket.send(`${4 * i}`)
          server.rooms.publish('all', `${4 * i + 1}`)
          server.rooms.publish('all', `${4 * i + 2}`)
          socket.send(`${4 * i + 3}`)
        }
        server.rooms.publish('all', 'last')
        socket.close(1000)
      },
    }),
  ])
  const client = await connect(server.url)
  client.send('go')
  for (let i = 0; i < 200; i++) {
    const message = await client.next()
    if (message !== String(i)) t.fail(`${message} came where ${i} should`)
  }
  t.equal(await client.next(), 'last', 'closing does not overtake it')
})

t.test('a room or a message that is none is refused', async (t) => {
  const server = await serveSockets(t, [joins])
  const publish = (room: unknown, message: unknown) => () =>
    server.rooms.publish(room as string, message as string)
  const code = 'UWAS_ERR_HTTP_SOCKET'
  t.throws(publish('', 'x'), { code, message: 'socket.publish: the room is empty; give it a name' })
  t.throws(publish(1, 'x'), {
    code,
    message: 'socket.publish: the room is of type number; give it a name',
  })
  t.throws(publish('a', {}), {
    code,
    message: 'socket.publish: the message is of type object; give a string or a Uint8Array',
  })
  t.throws(() => server.rooms.count(''), { code, message: /^socket\.count: / })
  t.equal(server.rooms.publish('nobody', 'x'), 0)
})

t.test('a thousand sockets get what is published, and leave nothing behind', async (t) => {
  let open = 0
  const server = await serveSockets(t, [
    socket('/', {
      open(socket) {
        open++
        socket.join('all')
      },
      close: () => void open--,
    }),
  ])
  const clients: Client[] = []
  for (let i = 0; i < 10; i++) {
    const some = await Promise.all(Array.from({ length: 100 }, () => connect(server.url)))
    clients.push(...some)
  }
  t.equal(open, 1000)
  t.equal(server.rooms.count('all'), 1000)
  for (let i = 0; i < 3; i++) t.equal(server.rooms.publish('all', `news ${i}`), 1000)
  const got = await Promise.all(
    clients.map(async (client) => [await client.next(), await client.next(), await client.next()]),
  )
  t.ok(got.every((messages) => messages.join() === 'news 0,news 1,news 2'))
  for (const [i, client] of clients.entries()) {
    if (i % 2 === 0) client.terminate()
    else client.close()
  }
  while (open > 0) await sleep(5)
  t.equal(server.rooms.count('all'), 0)
  t.strictSame(server.log, [])
})

for (const slowReaders of ['close', 'drop'] as const) {
  for (const way of ['send', 'publish'] as const) {
    t.test(
      `a reader that is too slow is ${slowReaders === 'close' ? 'closed with 1013' : 'left out'}, by ${way}`,
      async (t) => {
        const ends: unknown[] = []
        let refused = 0
        let drained = 0
        let most = 0
        const part = Buffer.alloc(64 * 1024)
        const server = await serveSockets(t, [
          socket(
            '/',
            {
              message(socket, message) {
                if (message !== 'flood') {
                  socket.send('still here')
                  return
                }
                socket.join('all')
                for (let i = 0; i < 400 && socket.isOpen; i++) {
                  if (way === 'publish') server.rooms.publish('all', part)
                  else if (!socket.send(part)) refused++
                  most = Math.max(most, socket.bufferedBytes)
                }
              },
              drain: () => void drained++,
              close: (_socket, code, reason) => void ends.push([code, reason]),
            },
            { maxBackpressureBytes: 1_000_000, slowReaders },
          ),
        ])
        const slow = await openRaw(server.port, '/')
        const other = await connect(server.url)
        slow.socket.pause()
        slow.send(frame(TEXT, 'flood'))
        other.send('hello')
        while ((await other.next()) !== 'still here') {
          // Everybody else is served meanwhile.
        }
        for (let i = 0; i < 200 && slowReaders === 'close' && ends.length === 0; i++) await sleep(5)
        t.ok(most > 0 && most <= 1_000_000 + 16, `${most} bytes wait at most`)
        if (way === 'send') t.ok(refused > 0)
        if (slowReaders === 'close') {
          t.strictSame(ends[0], [1013, 'the reader is too slow'])
          slow.socket.resume()
          await slow.closed
          const last = slow.frames().at(-1)
          t.equal(last?.opcode, CLOSE, 'the reader hears of it once it has read the rest')
          t.equal(last?.content.readUInt16BE(), 1013)
        } else {
          slow.socket.resume()
          while (drained === 0) await sleep(5)
          slow.send(frame(TEXT, 'and now?'))
          while (slow.frames().at(-1)?.content.toString() !== 'still here') await sleep(5)
          t.ok(slow.frames().length < 400, 'some are missing')
          t.ok(
            slow
              .frames()
              .slice(0, -1)
              .every(({ content }) => content.length === part.length),
            'none in part',
          )
          t.strictSame(ends, [])
        }
        slow.socket.destroy()
        other.terminate()
      },
    )
  }
}
