import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createError } from '../../src/core/errors.ts'
import { Reply, text } from '../../src/http/reply.ts'
import { serve } from '../support/application.ts'
import { dial, raw } from '../support/raw.ts'

/** Looks again until `isTrue`, for at most five seconds. */
async function eventually(isTrue: () => boolean): Promise<boolean> {
  for (let i = 0; i < 500 && !isTrue(); i++) await sleep(10)
  return isTrue()
}

t.test('a view that reads the body of a client that goes away gets a coded error', async (t) => {
  const caught: { code?: string; message: string }[] = []
  const { port } = await serve(t, async (req) => {
    try {
      await req.bytes()
    } catch (error) {
      caught.push(error as { code?: string; message: string })
    }
    return text('')
  })
  const socket = await dial(port)
  socket.write('POST / HTTP/1.1\r\nHost: x.test\r\nContent-Length: 10\r\n\r\nabc')
  await sleep(50)
  socket.destroy()
  t.ok(await eventually(() => caught.length === 1))
  t.equal(caught[0]?.code, 'UWAS_ERR_HTTP_BODY_ABORTED')
  t.equal(
    caught[0]?.message,
    'the client went away before its request body had arrived, or the reply left before it was read',
  )
})

t.test('a body of another length than was said cuts the connection and is logged', async (t) => {
  const { port, log } = await serve(t, (req) => {
    const parts = (async function* () {
      yield 'abc'
      if (req.path === '/longer') yield 'defgh'
    })()
    return new Reply(200, 'text/plain', parts, 5)
  })
  for (const path of ['/shorter', '/longer']) {
    const before = log.length
    const { closed, bytes } = await raw(port, `GET ${path} HTTP/1.1\r\nHost: x.test\r\n\r\n`, {
      untilClosed: true,
    })
    t.ok(closed, path)
    t.notMatch(bytes.toString(), 'abcde', 'never as if it were whole')
    t.ok(await eventually(() => log.length > before))
    const values = { problem: path.slice(1), total: 5 }
    const { message } = createError('UWAS_ERR_SERVER_BODY_LENGTH', values)
    t.match(log.slice(before).join('\n'), message)
  }
})
