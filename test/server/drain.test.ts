import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { text } from '../../src/http/reply.ts'
import { loadNative } from '../../src/native/load.ts'
import { serve } from '../support/application.ts'
import { dial } from '../support/raw.ts'

const skip = loadNative().gate === null && 'without the addon there is no gate'

t.test('clients that ask again and again are told to close when the server stops', async (t) => {
  const server = await serve(t, () => text('at once'))
  const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
  const clients = await Promise.all(Array.from({ length: 6 }, () => dial(server.port)))
  const last = clients.map(async (socket) => {
    let reply = ''
    let lost = true
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      reply = chunk.toString()
      lost = false
      if (/connection: close/i.test(reply)) return
      setTimeout(() => {
        lost = true
        socket.write(request)
      }, 1)
    })
    socket.write(request)
    await new Promise((resolve) => socket.once('close', resolve))
    return { reply, lost }
  })
  await sleep(50)
  await server.close({ graceMs: 5000 })
  for (const { reply, lost } of await Promise.all(last)) {
    t.match(reply, /connection: close/i)
    t.notOk(lost, 'no request was left without its reply')
  }
})

t.test('a client of the strict lane may end its half and wait', { skip }, async (t) => {
  const { port } = await serve(t, async () => {
    await sleep(50)
    return text('waited for')
  })
  const socket = await dial(port)
  let seen = ''
  socket.on('data', (chunk) => {
    seen += chunk
  })
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.end('GET / HTTP/1.0\r\n\r\n')
  await closed
  t.match(seen, /waited for$/)
})
