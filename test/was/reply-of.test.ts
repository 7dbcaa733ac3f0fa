import t from 'tap'
import { text } from '../../src/http/reply.ts'
import { replyOf } from '../../src/was/reply-of.ts'

t.test('a Reply stays what it is', async (t) => {
  const reply = text('a')
  t.equal(replyOf(reply, '/'), reply)
})

t.test('a Response keeps its cookies apart, and its framing is ours', async (t) => {
  const response = new Response('body', {
    headers: { 'Content-Length': '4', 'Content-Type': 'text/x', Connection: 'close' },
  })
  response.headers.append('Set-Cookie', 'a=1')
  response.headers.append('Set-Cookie', 'b=2')
  const reply = replyOf(response, '/')
  t.equal(reply.length, 4)
  t.equal(reply.type, 'text/x')
  t.same(reply.headers, [
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ])
})

t.test('a Response without a body has none', async (t) => {
  const reply = replyOf(new Response(null, { status: 204 }), '/')
  t.equal(reply.body, null)
  t.equal(reply.status, 204)
})

t.test('anything else is an error that names the route', async (t) => {
  for (const [value, shown] of [
    [undefined, 'nothing'],
    ['text', 'a value of type string'],
    [{}, 'a value of type object'],
  ] as const) {
    t.throws(() => replyOf(value as never, '/posts/<int:id>'), {
      code: 'UWAS_ERR_WAS_NOT_A_REPLY',
      message: `the view of /posts/<int:id> returned ${shown}; a view returns a Reply or a Response`,
    })
  }
})

t.test('a Response whose body has been read is an error that names the route', async (t) => {
  const response = new Response('once')
  await response.text()
  t.throws(() => replyOf(response, '/proxy'), {
    code: 'UWAS_ERR_WAS_RESPONSE_USED',
    message:
      'the view of /proxy returned a Response whose body has been read already; return a new one',
  })
})
