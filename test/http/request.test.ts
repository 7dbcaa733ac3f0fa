import t from 'tap'
import { requestOf } from '../support/request.ts'

t.test('text, JSON and forms are read by their type', async (t) => {
  const json = { 'content-type': 'application/json; charset=utf-8' }
  t.same(await requestOf('POST', '/', { headers: json, content: '{"a":[1]}' }).json(), { a: [1] })
  const problem = { 'content-type': 'application/problem+json' }
  t.same(await requestOf('POST', '/', { headers: problem, content: '1' }).json(), 1)
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const fields = await requestOf('POST', '/', {
    headers: form,
    content: 'a=1&a=2&b=%ED%95%9C+x',
  }).form()
  t.same([fields.getAll('a'), fields.get('b')], [['1', '2'], '한 x'])
  t.equal(await requestOf('POST', '/', { content: '안녕' }).text(), '안녕')
  t.equal((await requestOf('GET', '/').bytes()).length, 0)
})

t.test('a body of another type is 415, a malformed one 400', async (t) => {
  const plain = requestOf('POST', '/', { headers: { 'content-type': 'text/plain' }, content: '{}' })
  await t.rejects(plain.json(), {
    code: 'UWAS_ERR_HTTP_BODY_TYPE',
    status: 415,
    message: 'the request body is text/plain; expected application/json',
  })
  await t.rejects(requestOf('POST', '/', { content: 'a=1' }).form(), {
    code: 'UWAS_ERR_HTTP_BODY_TYPE',
    message: 'the request body is of no type; expected application/x-www-form-urlencoded',
  })
  const headers = { 'content-type': 'application/json' }
  await t.rejects(requestOf('POST', '/', { headers, content: '{"a":' }).json(), {
    code: 'UWAS_ERR_HTTP_BODY_MALFORMED',
    status: 400,
    message: /^the request body cannot be read as JSON: /,
  })
  await t.rejects(
    requestOf('POST', '/', { headers, content: new Uint8Array([0x22, 0xff, 0x22]) }).json(),
    {
      code: 'UWAS_ERR_HTTP_BODY_MALFORMED',
      message: 'the request body cannot be read as JSON: it is not UTF-8',
    },
  )
})

t.test('query, cookies and fields are read by name', async (t) => {
  const headers = { cookie: 'a=1; b="two"; a=3; c=%ED%95%9C; broken', 'x-y': 'z' }
  const req = requestOf('GET', '/p?q=1&q=2&r', { headers })
  t.same(req.query.getAll('q'), ['1', '2'])
  t.equal(req.query.get('r'), '')
  t.same(
    [req.cookie('a'), req.cookie('b'), req.cookie('c'), req.cookie('d')],
    ['1', 'two', '한', undefined],
  )
  t.equal(req.header('X-Y'), 'z')
  t.match(req.id, /^[0-9a-f-]{36}$/)
  t.equal(req.id, req.id)
})

t.test('the signal fires once the client has gone, also for those who ask later', async (t) => {
  const early = requestOf('GET', '/')
  const { signal } = early
  t.notOk(signal.aborted)
  early.markAborted()
  t.ok(signal.aborted)
  const late = requestOf('GET', '/')
  late.markAborted()
  t.ok(late.signal.aborted)
})
