/** The strict lane: what may take its time, and what may not. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { parseResponses } from '../support/raw.ts'
import { converse, strictOnly } from '../support/strict.ts'

const get = (path: string, fields = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: x.test\r\n${fields}\r\n`
const chunked = (path: string, body: string, fields = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: x.test\r\nTransfer-Encoding: chunked\r\n${fields}\r\n${body}`

t.test('a head that never ends is 408', async (t) => {
  const port = await strictOnly(t, { headersTimeoutMs: 100 })
  const { seen, closed } = await converse(port, 'GET / HTTP/1.1\r\nHo', () => false)
  const [response] = parseResponses(Buffer.from(seen()), [], closed())
  t.match(response, { status: 408, headers: { connection: 'close' } })
  t.ok(closed())
})

t.test('a body may take its time until it has been answered', async (t) => {
  const port = await strictOnly(t, { requestTimeoutMs: 200 })
  const hasReply = (text: string): boolean => text.endsWith('early')
  const slow = await converse(port, chunked('/', ''), () => true)
  const early = await converse(port, chunked('/early', ''), hasReply)
  const whole = await converse(port, chunked('/early', ''), hasReply)
  whole.socket.write('0\r\n\r\n')
  for (let i = 0; i < 5; i++) {
    slow.socket.write('1\r\nx\r\n')
    early.socket.write('1\r\nx\r\n')
    // Node looks once a second at the deadlines of its own.
    await sleep(500)
  }
  slow.socket.write('0\r\n\r\n')
  whole.socket.write(chunked('/', '5\r\nafter\r\n0\r\n\r\n'))
  await sleep(300)
  t.match(slow.seen(), /^HTTP\/1\.1 200 .*\r\n\r\nxxxxx$/s)
  t.match(early.seen(), /^HTTP\/1\.1 200 .*\r\n\r\nearly$/s)
  t.ok(early.closed(), 'the rest of what has been answered is not waited for any longer')
  t.match(whole.seen(), /early.*\r\n\r\nafter$/s, 'what has come whole goes on')
  for (const { socket } of [slow, whole]) socket.destroy()
})

t.test('a connection that rests too long between requests is closed without a word', async (t) => {
  const port = await strictOnly(t, { keepAliveTimeoutMs: 100 })
  const { seen, closed } = await converse(port, get('/'), () => false)
  t.ok(closed())
  t.equal(seen().match(/HTTP\/1\.1/g)?.length, 1)
})
