import { setTimeout as sleep } from 'node:timers/promises'
import { Hono } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { streamText } from 'hono/streaming'
import t, { type Test } from 'tap'
import { createLog } from '../../src/core/log.ts'
import { text } from '../../src/http/reply.ts'
import { compileUrls } from '../../src/route/compile.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { createDispatcher } from '../../src/was/dispatch.ts'
import { createErrorPages } from '../../src/was/error-pages.ts'
import { type MountOptions, mount } from '../../src/was/mount.ts'
import { serve } from '../support/application.ts'
import { dial } from '../support/raw.ts'

let aborted = 0

const app = new Hono()
app.get('/', (c) => c.text('root'))
app.get('/users/:id', (c) => c.json({ id: c.req.param('id'), q: c.req.query('q'), url: c.req.url }))
app.post('/echo', async (c) => c.json(await c.req.json(), 201))
app.put('/count', async (c) => c.text(String((await c.req.arrayBuffer()).byteLength)))
app.get('/cookies', (c) => {
  setCookie(c, 'a', '1')
  setCookie(c, 'b', getCookie(c, 'in') ?? 'none')
  return c.text('set')
})
app.get('/stream', (c) =>
  streamText(c, async (stream) => {
    for (const word of ['one ', 'two ', 'three']) {
      await stream.write(word)
      await sleep(5)
    }
  }),
)
app.get('/wait', async (c) => {
  c.req.raw.signal.addEventListener('abort', () => aborted++)
  await sleep(5000)
  return c.text('late')
})
app.get('/broken', () => {
  throw new Error('on purpose')
})
app.delete('/users/:id', (c) => c.body(null, 204))

async function mounted(t: Test, options: MountOptions = {}) {
  const urls = compileUrls(
    urlconf(
      path('/api/own', () => text('own')),
      mount('/api', app.fetch, options),
    ),
  )
  const { dispatch } = createDispatcher({
    urls,
    middleware: [],
    errorPages: createErrorPages({ log: createLog(() => {}) }),
    maxBodyBytes: 1024,
    viewTimeoutMs: 0,
    fileMethods: () => undefined,
  })
  const { port } = await serve(t, dispatch, { limits: { maxBodyBytes: 64 * 1024 * 1024 } })
  return { port, at: (rest: string) => `http://127.0.0.1:${port}/api${rest}` }
}

t.test('a Hono app answers below its prefix as it would by itself', async (t) => {
  const { at, port } = await mounted(t)
  t.equal(await (await fetch(at('/own'))).text(), 'own', 'an earlier route wins')
  t.equal(await (await fetch(at('/'))).text(), 'root')
  t.equal(await (await fetch(at(''))).text(), 'root', 'without the slash it is sent there')
  t.strictSame(await (await fetch(at('/users/7?q=%ED%95%9C'))).json(), {
    id: '7',
    q: '한',
    url: `http://127.0.0.1:${port}/users/7?q=%ED%95%9C`,
  })
  const posted = await fetch(at('/echo'), { method: 'POST', body: '{"a":["한"]}' })
  t.equal(posted.status, 201)
  t.strictSame(await posted.json(), { a: ['한'] })
  const big = new Uint8Array(20 * 1024 * 1024)
  t.equal(await (await fetch(at('/count'), { method: 'PUT', body: big })).text(), `${big.length}`)
  const cookies = await fetch(at('/cookies'), { headers: { cookie: 'x=y; in=here' } })
  t.strictSame(cookies.headers.getSetCookie(), ['a=1; Path=/', 'b=here; Path=/'])
  t.equal(await (await fetch(at('/stream'))).text(), 'one two three')
  t.equal((await fetch(at('/users/7'), { method: 'DELETE' })).status, 204)
  const head = await fetch(at('/users/7'), { method: 'HEAD' })
  t.equal(head.status, 200)
  t.equal(await head.text(), '')
})

t.test('its own 404 and 500 are answers too', async (t) => {
  const { at } = await mounted(t)
  const missing = await fetch(at('/nothing/here'))
  t.equal(missing.status, 404)
  t.equal(await missing.text(), '404 Not Found')
  t.equal((await fetch(at('/broken'))).status, 500)
  t.equal((await fetch(at('/echo'), { method: 'POST', body: '{' })).status, 500)
})

t.test('a handler that wants its prefix gets it', async (t) => {
  const { at } = await mounted(t, { keepsPrefix: true })
  t.equal((await fetch(at('/users/7'))).status, 404)
})

t.test('a client that goes away is told to the handler', async (t) => {
  const { port } = await mounted(t)
  const socket = await dial(port)
  socket.write('GET /api/wait HTTP/1.1\r\nHost: x\r\n\r\n')
  await sleep(100)
  socket.destroy()
  for (let i = 0; i < 300 && aborted === 0; i++) await sleep(10)
  t.equal(aborted, 1)
})

t.test('a mounted application stands where the site mounts it, for messages and lists', (t) => {
  const { routes } = compileUrls(urlconf(mount('/api', app.fetch)))
  t.match(
    routes.map(({ pattern, place }) => [pattern, place.file]),
    [
      ['/api/', /mount\.test\.ts$/],
      ['/api/<path:rest>', /mount\.test\.ts$/],
    ],
  )
  t.end()
})
