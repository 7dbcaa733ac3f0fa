import t from 'tap'
import { bytes, empty, html, json, Reply, redirect, stream, text } from '../../src/http/reply.ts'

t.test('a field that a reply has once cannot be added twice, and can be replaced', async (t) => {
  for (const name of ['ETag', 'Location', 'Content-Type', 'last-modified', 'Retry-After']) {
    const reply = text('x').append(name, 'a')
    t.throws(() => reply.append(name.toUpperCase(), 'b'), {
      code: 'UWAS_ERR_HTTP_HEADER_TWICE',
      message: `header ${name.toUpperCase()} is there twice, and a reply has one (RFC 9110 section 5.3); header() replaces it, append() adds`,
    })
    t.strictSame(reply.header(name, 'c').headers, [[name, 'c']])
  }
  const lists = text('x').append('Link', '</a>').append('Link', '</b>').append('Vary', 'A')
  t.equal(lists.append('Vary', 'B').headers?.length, 4)
})

t.test('the makers set status, type and fields', async (t) => {
  t.match(html('<p>'), { status: 200, type: 'text/html; charset=utf-8', body: '<p>' })
  t.match(text('a', { status: 201, headers: { 'X-A': 'b' } }), {
    status: 201,
    headers: [['X-A', 'b']],
  })
  t.match(json({ a: 1 }), { type: 'application/json', body: '{"a":1}' })
  t.match(empty(), { status: 204, type: null, body: null })
  t.match(bytes(new Uint8Array(2), 'image/png'), { type: 'image/png' })
  t.throws(() => json(undefined), { message: 'json(): undefined has no JSON form' })
})

t.test('header replaces a field of any case, append keeps both', async (t) => {
  const reply = text('a').append('X-A', '1').append('x-a', '2')
  t.same(reply.headers, [
    ['X-A', '1'],
    ['x-a', '2'],
  ])
  t.same(reply.header('X-a', '3').headers, [['X-a', '3']])
})

t.test('what could split a reply or contradict its framing is refused', async (t) => {
  for (const value of ['a\r\nSet-Cookie: x', 'a\n', 'a\0', ' a', '한']) {
    t.throws(
      () => text('').header('X-A', value),
      { code: 'UWAS_ERR_HTTP_HEADER_VALUE', message: /^value of header X-A / },
      value,
    )
  }
  for (const name of ['', 'a b', 'a:', 'ä', 'a\r\n']) {
    t.throws(
      () => text('').header(name, 'x'),
      { code: 'UWAS_ERR_HTTP_HEADER_NAME', message: /is not a token/ },
      name,
    )
  }
  for (const name of ['Content-Length', 'transfer-encoding', 'Date', 'Connection']) {
    t.throws(() => text('').header(name, '1'), { code: 'UWAS_ERR_HTTP_HEADER_OWNED' }, name)
  }
  t.throws(() => bytes(new Uint8Array(), 'a\r\nb'), { code: 'UWAS_ERR_HTTP_HEADER_VALUE' })
  t.throws(() => stream((async function* () {})(), 'a\nb'), { code: 'UWAS_ERR_HTTP_HEADER_VALUE' })
})

t.test('a status outside 200 to 599 is refused', async (t) => {
  for (const status of [0, 100, 199, 600, 200.5, Number.NaN]) {
    t.throws(() => new Reply(status, null, null), {
      code: 'UWAS_ERR_HTTP_STATUS',
      message: `status ${status} is not a whole number from 200 to 599`,
    })
  }
})

t.test('a redirect stays on the site unless it is said to leave it', async (t) => {
  t.match(redirect('/a?b=한 c'), { status: 303, headers: [['Location', '/a?b=%ED%95%9C%20c']] })
  t.match(redirect('/a', { status: 308 }), { status: 308 })
  for (const location of [
    '//evil.test',
    '/\\evil.test',
    'https://evil.test',
    'a',
    '',
    'javascript:x',
    '\t//evil.test',
    '/.//evil.test',
    '/x/..//evil.test',
    '/./\\evil.test',
    '/%2E//evil.test',
    '/x\\.%2e\\/evil.test?',
  ]) {
    t.throws(() => redirect(location), { code: 'UWAS_ERR_HTTP_REDIRECT' }, location)
  }
  for (const location of ['/.well-known/x', '/a/../b', '/a//b', '/?next=/.//evil.test', '/%09/x']) {
    t.match(redirect(location), { headers: [['Location', location]] })
  }
  t.match(redirect('https://other.test/', { external: true }), {
    headers: [['Location', 'https://other.test/']],
  })
  t.notMatch(redirect('/a\r\nX: y').headers?.[0]?.[1], /[\r\n]/)
})

t.test('a type or a body that cannot be sent is refused where the reply is made', async (t) => {
  for (const type of [{ type: 'text/csv' }, undefined, 5] as unknown as string[]) {
    t.throws(() => bytes(new Uint8Array(), type), {
      code: 'UWAS_ERR_HTTP_HEADER_VALUE',
      message: /^value of header Content-Type is no text/,
    })
  }
  t.throws(() => new Reply(200, 'text/plain\r\nX: 1', 'a'), { code: 'UWAS_ERR_HTTP_HEADER_VALUE' })
  for (const body of [{}, 5, undefined, () => {}]) {
    t.throws(() => new Reply(200, 'text/plain', body as never), {
      code: 'UWAS_ERR_HTTP_BODY_KIND',
      message: `the body of a reply is of type ${typeof body}; it has to be a string, a Uint8Array, an async iterable or null`,
    })
  }
})
