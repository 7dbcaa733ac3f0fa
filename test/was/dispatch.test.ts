import t from 'tap'
import { createLog } from '../../src/core/log.ts'
import { Trace } from '../../src/core/trace.ts'
import { HttpError, notFound } from '../../src/http/http-error.ts'
import { Reply, text } from '../../src/http/reply.ts'
import type { Middleware } from '../../src/http/view.ts'
import { compileUrls } from '../../src/route/compile.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { createDispatcher } from '../../src/was/dispatch.ts'
import { createErrorPages } from '../../src/was/error-pages.ts'
import { requestOf } from '../support/request.ts'

const urls = urlconf(
  path('/', () => text('home')),
  path('/posts/<int:id>', (req) => text(`post ${req.params.id + 1}`)),
  path('/async/', async (req) => {
    await null
    return text(`slowly ${req.method}`)
  }),
  path('/form', { get: () => text('form'), post: () => text('posted') }),
  path('/missing', () => {
    throw notFound('no such thing')
  }),
  path('/broken', async () => {
    throw new Error('secret detail')
  }),
  path('/nothing', (() => undefined) as never),
  path(
    '/standard',
    () => new Response('from a Response', { status: 201, headers: { 'X-A': 'b' } }),
  ),
)

function dispatcher(middleware: readonly Middleware[] = []) {
  const log: string[] = []
  const made = createDispatcher({
    urls: compileUrls(urls),
    middleware,
    errorPages: createErrorPages({ log: createLog((line) => log.push(line)) }),
    maxBodyBytes: 1024,
    viewTimeoutMs: 0,
    fileMethods: (asked) => (asked === '/file.txt' ? 'GET, HEAD, OPTIONS' : undefined),
  })
  return { ...made, log }
}

const field = (reply: Reply, name: string): string | undefined =>
  reply.headers?.find(([other]) => other.toLowerCase() === name)?.[1]

t.test('a synchronous view is answered synchronously, with its parameters', (t) => {
  const { dispatch } = dispatcher()
  const reply = dispatch(requestOf('GET', '/posts/41'))
  t.ok(reply instanceof Reply)
  t.match(reply, { status: 200, body: 'post 42' })
  t.end()
})

t.test('an asynchronous view, HEAD and a Response of the web standard are answered', async (t) => {
  const { dispatch } = dispatcher()
  t.match(await dispatch(requestOf('GET', '/async/')), { body: 'slowly GET' })
  t.match(await dispatch(requestOf('HEAD', '/async/')), { body: 'slowly HEAD' })
  const reply = await dispatch(requestOf('GET', '/standard'))
  t.match(reply, { status: 201, type: 'text/plain;charset=UTF-8' })
  t.equal(field(reply, 'x-a'), 'b')
  const parts: Uint8Array[] = []
  for await (const part of reply.body as AsyncIterable<Uint8Array>) parts.push(part)
  t.equal(Buffer.concat(parts).toString(), 'from a Response')
})

t.test('an unknown path is 404, a known one with another method 405 with Allow', async (t) => {
  const { dispatch } = dispatcher()
  t.match(await dispatch(requestOf('GET', '/nowhere')), { status: 404 })
  t.match(await dispatch(requestOf('GET', '/posts/x')), { status: 404 }, 'a failed converter')
  const refused = await dispatch(requestOf('DELETE', '/form'))
  t.equal(refused.status, 405)
  t.equal(field(refused, 'allow'), 'GET, HEAD, POST, OPTIONS')
  const file = await dispatch(requestOf('POST', '/file.txt'))
  t.equal(file.status, 405)
  t.equal(field(file, 'allow'), 'GET, HEAD, OPTIONS')
})

t.test('OPTIONS is answered with what the path allows', async (t) => {
  const { dispatch } = dispatcher()
  for (const [asked, allow] of [
    ['/form', 'GET, HEAD, POST, OPTIONS'],
    ['/file.txt', 'GET, HEAD, OPTIONS'],
  ] as const) {
    const reply = await dispatch(requestOf('OPTIONS', asked))
    t.equal(reply.status, 204)
    t.equal(field(reply, 'allow'), allow)
  }
})

t.test('a missing or superfluous slash redirects GET with its query, never POST', async (t) => {
  const { dispatch } = dispatcher()
  const reply = await dispatch(requestOf('GET', '/async?a=1&b=%20'))
  t.equal(reply.status, 308)
  t.equal(field(reply, 'location'), '/async/?a=1&b=%20')
  t.match(await dispatch(requestOf('POST', '/form/')), { status: 404 })
})

t.test(
  'errors become pages: the message of a wanted one, only the id of an unexpected one',
  async (t) => {
    const { dispatch, log } = dispatcher()
    const missing = await dispatch(requestOf('GET', '/missing'))
    t.match(missing, { status: 404, body: /no such thing/ })
    t.same(log, [], 'a 404 is no failure of the server')
    const request = requestOf('GET', '/broken')
    const broken = await dispatch(request)
    t.equal(broken.status, 500)
    t.match(broken.body, request.id)
    t.notMatch(broken.body, 'secret detail')
    t.match(log[0], 'secret detail')
    t.match(log[0], request.id)
    t.match(await dispatch(requestOf('GET', '/nothing')), { status: 500 })
    t.match(log[1], /the view of \/nothing returned nothing; a view returns a Reply or a Response/)
  },
)

t.test('an error page escapes the message and carries the fields of the error', (t) => {
  const pages = createErrorPages({ log: createLog(() => {}) })
  const error = new HttpError(503, '<b>later</b>', { headers: [['Retry-After', '5']] })
  const reply = pages(requestOf('GET', '/'), error)
  t.match(reply.body, '&lt;b&gt;later&lt;/b&gt;')
  t.equal(field(reply, 'retry-after'), '5')
  t.equal(field(reply, 'cache-control'), 'no-store')
  t.end()
})

t.test(
  'middleware runs in its order around every reply, answers itself, and may fail',
  async (t) => {
    const seen: string[] = []
    const note =
      (name: string): Middleware =>
      async (req, next) => {
        seen.push(`${name} in`)
        const reply = await next()
        seen.push(`${name} out ${reply.status} ${req.path}`)
        return reply.header('X-Seen', name)
      }
    const gate: Middleware = (req, next) => {
      if (req.path === '/async/') return text('stopped', { status: 403 })
      if (req.query.has('fail')) throw new Error('in the middleware')
      return next()
    }
    const { dispatch } = dispatcher([note('outer'), gate, note('inner')])
    const reply = await dispatch(requestOf('GET', '/'))
    t.equal(field(reply, 'x-seen'), 'outer')
    t.same(seen.splice(0), ['outer in', 'inner in', 'inner out 200 /', 'outer out 200 /'])
    t.match(await dispatch(requestOf('GET', '/async/')), { status: 403, body: 'stopped' })
    t.match(await dispatch(requestOf('GET', '/nowhere')), { status: 404 })
    t.match(await dispatch(requestOf('GET', '/broken')), { status: 500 })
    t.match(await dispatch(requestOf('GET', '/?fail')), { status: 500 })
    t.match(seen, ['outer in', 'outer out 403 /async/', 'outer in', 'inner in'])
  },
)

t.test('a trace gets the route, the view and what runs around it', async (t) => {
  const { dispatch } = dispatcher()
  for (const target of ['/posts/1', '/async/']) {
    const trace = new Trace()
    await dispatch(requestOf('GET', target, { trace }))
    t.same(
      trace.spans.map(({ step }) => step),
      ['route', 'view', 'middleware'],
    )
  }
})

t.test('an outage is a line each in the log, a page that fails a plain 500', async (t) => {
  const log: string[] = []
  const pages = createErrorPages({
    log: createLog((line) => log.push(line)),
    debugPage: () => {
      throw new Error('in the debug page')
    },
  })
  t.match(pages(requestOf('GET', '/a'), new HttpError(503, 'away')), { status: 503 })
  t.match(log, [/^uwas: warning: GET \/a → 503 \(request [0-9a-f-]{36}\): away$/])
  t.match(pages(requestOf('GET', '/b'), new Error('bug')), {
    status: 500,
    type: 'text/plain; charset=utf-8',
  })
  t.match(log.at(-1), 'in the debug page')
})

t.test(
  'a converter that throws is an error page, also where its route limits bodies',
  async (t) => {
    const converter = {
      parse(text: string): string {
        if (text === 'none') throw notFound()
        throw new Error('a bug of the converter')
      },
      format: String,
    }
    const log: string[] = []
    const { dispatch, bodyLimit } = createDispatcher({
      urls: compileUrls(
        urlconf(
          path('/<odd:x>', () => text(''), { converters: { odd: converter }, maxBodyBytes: 5 }),
        ),
      ),
      middleware: [async (_req, next) => (await next()).header('X-Around', 'yes')],
      errorPages: createErrorPages({ log: createLog((line) => log.push(line)) }),
      maxBodyBytes: 1024,
      viewTimeoutMs: 0,
      fileMethods: () => undefined,
    })
    const failed = await dispatch(requestOf('GET', '/any'))
    t.equal(failed.status, 500)
    t.equal(field(failed, 'x-around'), 'yes', 'middleware runs around it')
    t.match(log.join(), 'a bug of the converter')
    t.equal((await dispatch(requestOf('GET', '/none'))).status, 404)
    t.equal(
      bodyLimit('GET', '/any', () => ''),
      1024,
    )
  },
)
