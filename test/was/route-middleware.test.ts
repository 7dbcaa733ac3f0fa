import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createLog } from '../../src/core/log.ts'
import { text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import type { Middleware } from '../../src/http/view.ts'
import { compileUrls } from '../../src/route/compile.ts'
import type { UrlConf } from '../../src/route/entry.ts'
import { include, path, urlconf } from '../../src/route/urlconf.ts'
import { currentRequest } from '../../src/was/context.ts'
import { createDispatcher, type DispatchOptions } from '../../src/was/dispatch.ts'
import { createErrorPages } from '../../src/was/error-pages.ts'
import { requestOf } from '../support/request.ts'

let order: string[] = []

const noting =
  (name: string): Middleware =>
  (_req, next) => {
    order.push(name)
    return next()
  }

function dispatcherOf(conf: UrlConf, options: Partial<DispatchOptions> = {}) {
  return createDispatcher({
    urls: compileUrls(conf),
    middleware: [noting('site')],
    errorPages: createErrorPages({ log: createLog(() => {}) }),
    maxBodyBytes: 1024,
    viewTimeoutMs: 0,
    fileMethods: () => undefined,
    ...options,
  })
}

const view = (req: Request) => text(req.path)

t.test('middleware of the site, of includes and of the path run in that order', async (t) => {
  const inner = urlconf(
    path('/one', view, { middleware: [noting('a'), noting('b')] }),
    path('/two', view),
  )
  const { dispatch } = dispatcherOf(
    urlconf(
      include('/x', urlconf(include('/y', inner, { middleware: [noting('inner')] })), {
        middleware: [noting('outer'), noting('outer 2')],
      }),
      path('/plain', view),
    ),
  )
  const ordered = async (path: string) => {
    order = []
    const reply = dispatch(requestOf('GET', path))
    t.notOk(reply instanceof Promise, 'what is synchronous stays so')
    return order
  }
  t.strictSame(await ordered('/x/y/one'), ['site', 'outer', 'outer 2', 'inner', 'a', 'b'])
  t.strictSame(await ordered('/x/y/two'), ['site', 'outer', 'outer 2', 'inner'])
  t.strictSame(await ordered('/plain'), ['site'])
  t.strictSame(await ordered('/x/y/none'), ['site'], '404 is nobody’s route')
})

t.test('a middleware of a route may answer itself, or fail, like any other', async (t) => {
  const { dispatch } = dispatcherOf(
    urlconf(
      path('/closed', view, { middleware: [() => text('no', { status: 403 })] }),
      path('/broken', view, {
        middleware: [
          () => {
            throw new Error('on purpose')
          },
        ],
      }),
    ),
  )
  t.equal((await dispatch(requestOf('GET', '/closed'))).status, 403)
  t.equal((await dispatch(requestOf('GET', '/broken'))).status, 500)
  const wrong = { code: 'UWAS_ERR_CORE_INVALID_OPTION', message: /middleware has to be a list/ }
  t.throws(() => path('/', view, { middleware: noting('x') as never }), wrong)
  t.throws(() => path('/', view, { middleware: ['x'] as never }), wrong)
  t.throws(() => include('/', urlconf(), { middleware: [1] as never }), wrong)
})

t.test('code finds its request without being given it, where the site wants that', async (t) => {
  const deep = async () => {
    await sleep(5)
    return currentRequest().path
  }
  const conf = urlconf(path('/<str:name>', async () => text(await deep())))
  const { dispatch } = dispatcherOf(conf, { hasContext: true })
  const names = Array.from({ length: 20 }, (_, i) => `/n${i}`)
  const bodies = await Promise.all(
    names.map(async (name) => (await dispatch(requestOf('GET', name))).body),
  )
  t.strictSame(bodies, names, 'each its own')
  t.throws(currentRequest, {
    code: 'UWAS_ERR_WAS_NO_CONTEXT',
    message: /^there is no current request here: .* requestContext: true in the configuration$/,
  })
  const without = await dispatcherOf(conf).dispatch(requestOf('GET', '/a'))
  t.equal(without.status, 500)
})

t.test('a slash is set right for GET and HEAD, and never for a POST', async (t) => {
  const conf = urlconf(
    path('/posts/', { get: view, post: view }),
    path('/about', { get: view, post: view }),
  )
  const statusOf = async (method: string, path: string, trailingSlash?: 'strict') => {
    const urls = compileUrls(conf, trailingSlash === undefined ? {} : { trailingSlash })
    const { dispatch } = dispatcherOf(conf, { urls })
    const reply = await dispatch(requestOf(method, `${path}?a=1`))
    const location = reply.headers?.find(([name]) => name === 'Location')?.[1] ?? ''
    return `${reply.status} ${location}`.trim()
  }
  t.equal(await statusOf('GET', '/posts'), '308 /posts/?a=1')
  t.equal(await statusOf('HEAD', '/about/'), '308 /about?a=1')
  t.equal(await statusOf('POST', '/posts'), '404')
  t.equal(await statusOf('POST', '/about/'), '404')
  t.equal(await statusOf('GET', '/posts', 'strict'), '404')
  t.equal(await statusOf('GET', '/posts/', 'strict'), '200')
})
