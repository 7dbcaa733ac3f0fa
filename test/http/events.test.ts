import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { EventQueue, encodeEvent, events, type ServerEvent } from '../../src/http/events.ts'
import { serve } from '../support/application.ts'
import { dial } from '../support/raw.ts'
import { requestOf } from '../support/request.ts'

t.test('an event is written line by line, and can be no other event', (t) => {
  t.equal(
    encodeEvent('one\ntwo\r\nthree\rfour'),
    'data: one\ndata: two\ndata: three\ndata: four\n\n',
  )
  t.equal(
    encodeEvent({ event: 'note', id: '7', retry: 100, data: { a: '한\n' } }),
    'event: note\nid: 7\nretry: 100\ndata: {"a":"한\\n"}\n\n',
  )
  t.equal(encodeEvent(''), 'data: \n\n')
  t.equal(encodeEvent({ data: undefined }), 'data: null\n\n')
  const wrong = { code: 'UWAS_ERR_HTTP_EVENT' }
  t.throws(() => encodeEvent({ data: '', event: 'a\ndata: x' }), {
    ...wrong,
    message: /the field event of an event is "a\\ndata: x"; it has to be one line/,
  })
  t.throws(() => encodeEvent({ data: '', id: 'a\0' }), wrong)
  t.throws(() => encodeEvent({ data: '', retry: 1.5 }), wrong)
  t.end()
})

async function read(reply: ReturnType<typeof events>): Promise<string> {
  let all = ''
  for await (const chunk of reply.body as AsyncIterable<string>) all += chunk
  return all
}

t.test('silence is filled with comments, and a source that fails ends the stream', async (t) => {
  async function* slow(): AsyncGenerator<ServerEvent> {
    await sleep(120)
    yield { data: 'late' }
    throw new Error('broken')
  }
  const reply = events(requestOf('GET', '/'), slow(), { heartbeatMs: 50 })
  t.equal(reply.type, 'text/event-stream')
  t.equal(reply.compress, false)
  t.strictSame(reply.headers, [
    ['Cache-Control', 'no-store'],
    ['X-Accel-Buffering', 'no'],
  ])
  let seen = ''
  await t.rejects(
    (async () => {
      for await (const chunk of reply.body as AsyncIterable<string>) seen += chunk
    })(),
    { message: 'broken' },
  )
  t.match(seen, /^: open\n\n(:\n\n)+data: late\n\n$/)
})

t.test('a queue is for one client, and cuts it off when too much waits', async (t) => {
  const queue = new EventQueue(3)
  for (const event of ['a', 'b']) t.equal(queue.push(event), true)
  queue.end()
  t.equal(queue.push('c'), false)
  t.equal(await read(events(requestOf('GET', '/'), queue)), ': open\n\ndata: a\n\ndata: b\n\n')

  const full = new EventQueue(3)
  for (const event of ['a', 'b', 'c']) full.push(event)
  t.equal(full.push('d'), false)
  t.equal(full.length, 0, 'nothing is held for it')
  await t.rejects(read(events(requestOf('GET', '/'), full)), {
    code: 'UWAS_ERR_HTTP_EVENTS_SLOW',
    message: 'the client is cut off: 3 events wait for it already',
  })
})

for (const lane of ['native', 'strict'] as const) {
  t.test(
    `a client that goes away ends its source; a server that stops ends all (${lane})`,
    async (t) => {
      const ended: string[] = []
      async function* endless(name: string): AsyncGenerator<string> {
        try {
          yield name
          await new Promise(() => {})
        } finally {
          ended.push(name)
        }
      }
      const queues: EventQueue[] = []
      const { port, close } = await serve(
        t,
        (req) => {
          if (req.path !== '/queue') return events(req, endless(req.path))
          const queue = new EventQueue()
          queues.push(queue)
          return events(req, queue)
        },
        { lane },
      )
      const open = async (path: string) => {
        const socket = await dial(port)
        let seen = ''
        socket.on('data', (chunk) => {
          seen += chunk
        })
        let isClosed = false
        socket.on('close', () => {
          isClosed = true
        })
        socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
        for (let i = 0; i < 300 && !seen.includes(': open'); i++) await sleep(10)
        return { socket, seen: () => seen, isClosed: () => isClosed }
      }
      const queue = await open('/queue')
      t.match(queue.seen(), /content-type: text\/event-stream/i)
      queues[0]?.push({ data: 'x' })
      for (let i = 0; i < 300 && !queue.seen().includes('data: x'); i++) await sleep(10)
      t.match(queue.seen(), 'data: x\n\n')
      queue.socket.destroy()
      for (let i = 0; i < 300 && queues[0]?.push('y'); i++) await sleep(10)
      t.equal(queues[0]?.push('y'), false, 'the source is told')

      const staying = await open('/staying')
      const from = performance.now()
      t.equal(await close({ graceMs: 5000 }), 0, 'no reply is cut')
      t.ok(performance.now() - from < 4000)
      for (let i = 0; i < 300 && !staying.isClosed(); i++) await sleep(10)
      t.match(staying.seen(), /\r\n0\r\n\r\n$/, 'the stream ends as it should')
    },
  )
}
