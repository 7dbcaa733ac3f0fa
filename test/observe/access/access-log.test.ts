/** The access log of a whole site: who asked for what stands in it, and no secret does. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openBackends } from '../../../src/app.ts'
import { createLog } from '../../../src/core/log.ts'
import { text } from '../../../src/http/reply.ts'
import { path, urlconf } from '../../../src/route/urlconf.ts'
import { parseConfig } from '../../../src/was/config.ts'
import { folder } from '../../support/binary.ts'
import { siteOf } from '../../support/serving.ts'
import { eventually } from '../../support/supervised.ts'

const urls = urlconf(
  path('/', () => text('home\n')),
  path('/posts/<int:id>', () => text('post\n').append('Set-Cookie', 'sid=SECRET1')),
  path('/broken', () => {
    throw new Error('broken')
  }),
)

t.test('every answered request is a line, in whatever format', async (t) => {
  const file = join(folder(t, {}), 'access.log')
  const site = await siteOf(t, { urls, accessLog: { file, format: 'json' } })
  await site.ask('/')
  await site.ask('/posts/7?a=1')
  await site.ask('/nothing')
  await site.ask('/broken')
  const lines = (): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1)
  await eventually('four lines', () => lines().length === 4)
  t.match(
    lines().map((line) => JSON.parse(line)),
    [
      { path: '/', status: 200, bytes: 5, route: '/', worker: 0, complete: true },
      { path: '/posts/7', query: 'a=1', status: 200, route: '/posts/<int:id>' },
      { path: '/nothing', status: 404, route: '' },
      { path: '/broken', status: 500, route: '/broken' },
    ],
  )
  await site.reload({ urls, accessLog: { file, format: 'json' } })
  await site.ask('/')
  await eventually('a reload goes on', () => lines().length === 5)
})

t.test('cookies, credentials and telling parameters stand in no line', async (t) => {
  const file = join(folder(t, {}), 'access.log')
  const format =
    '$request $args $request_uri $http_referer $http_user_agent $http_x_forwarded_for $request_id $route'
  for (const each of ['combined', 'common', 'json', format]) {
    const site = await siteOf(t, { urls, accessLog: { file, format: each, redact: ['ticket'] } })
    await site.ask('/posts/7?token=SECRET2&ticket=SECRET3', [
      'Cookie: sid=SECRET4',
      'Authorization: Bearer SECRET5',
      'Proxy-Authorization: Basic SECRET6',
      'Referer: http://ann:SECRET7@y/?password=SECRET8',
    ])
    await site.backends.logs.access?.close()
  }
  const all = readFileSync(file, 'utf8')
  t.equal(all.split('\n').length, 5)
  t.match(all, /ticket=\*\*\*/)
  t.notMatch(all, /SECRET/)
})

t.test('only a part is written where the configuration says so', async (t) => {
  const file = join(folder(t, {}), 'access.log')
  const sample = [
    { route: '/', share: 0.5 },
    { prefix: '/', share: 0 },
  ]
  const site = await siteOf(t, { urls, accessLog: { file, format: '$status $route', sample } })
  for (let i = 0; i < 4; i++) await site.ask('/')
  await site.ask('/posts/7')
  await site.ask('/broken')
  await site.backends.logs.access?.close()
  t.equal(readFileSync(file, 'utf8'), '200 /\n200 /\n500 /broken\n')
})

t.test(
  'one id names a request on its page, in its field, in the error log and in the access log',
  async (t) => {
    const file = join(folder(t, {}), 'access.log')
    const site = await siteOf(t, { urls, accessLog: { file, format: '$request_id' } })
    const answer = await site.ask('/broken')
    await site.backends.logs.close()
    const id = answer.headers['x-request-id'] ?? ''
    t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    t.match(answer.body.toString(), `Request ${id}`)
    t.match(site.log, [new RegExp(`^uwas: error: GET /broken → 500 \\(request ${id}\\)`)])
    t.equal(readFileSync(file, 'latin1'), `${id}\n`)
  },
)

t.test('a file that cannot be written costs no request', async (t) => {
  const file = join(folder(t, {}), 'nowhere', 'access.log')
  const site = await siteOf(t, { urls, accessLog: file })
  for (let i = 0; i < 10; i++) t.equal((await site.ask('/')).status, 200)
  await eventually('lines are dropped', () => site.backends.logs.access?.dropped === 10)
  t.equal(site.log.length, 1)
  t.match(site.log[0], /^uwas: error: access log .*access\.log: cannot be opened: ENOENT/)
})

t.test('a format that cannot be is told before anything is opened', async (t) => {
  const config = parseConfig(
    { accessLog: { file: 'a', format: '$stats' } },
    { file: join(t.testdir({}), 'uwas.config.ts'), env: {} },
  )
  await t.rejects(
    openBackends(
      config,
      createLog(() => {}),
    ),
    {
      code: 'UWAS_ERR_OBSERVE_LOG_FORMAT',
      message: 'accessLog.format: $stats is no variable; did you mean "status"?',
    },
  )
})
