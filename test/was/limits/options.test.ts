import t from 'tap'
import { path, urlconf } from '../../../src/route/urlconf.ts'
import { parseConfig } from '../../../src/was/config.ts'

const parse = (raw: unknown) => parseConfig(raw, { file: '/site/uwas.config.ts', env: {} })

t.test('what sheds load is off unless it is set, with defaults for the rest', async (t) => {
  t.equal(parse({ limits: {} }).limits.shed, null)
  t.strictSame(parse({ limits: { shed: { maxEventLoopDelayMs: 100 } } }).limits.shed, {
    maxEventLoopDelayMs: 100,
    maxPoolWaitMs: 0,
    retryAfterSeconds: 10,
  })
  const all = { maxEventLoopDelayMs: 200, maxPoolWaitMs: 500, retryAfterSeconds: 3 }
  t.strictSame(parse({ limits: { shed: all } }).limits.shed, all)
})

t.test('a mistake in it is told before the start', async (t) => {
  const cases: [raw: object, problem: string][] = [
    [{}, 'limits.shed has no limit; give maxEventLoopDelayMs, maxPoolWaitMs or both'],
    [
      { retryAfterSeconds: 3 },
      'limits.shed has no limit; give maxEventLoopDelayMs, maxPoolWaitMs or both',
    ],
    [
      { maxPoolWaitMs: 100 },
      'limits.shed.maxPoolWaitMs is about the database, but database is false; drop one of the two',
    ],
    [{ maxEventLoopDelayMs: 0 }, 'limits.shed.maxEventLoopDelayMs is 0; it has to be at least 1'],
    [
      { maxEventLoopDelay: 100 },
      'unknown key "limits.shed.maxEventLoopDelay"; did you mean "maxEventLoopDelayMs"?',
    ],
  ]
  for (const [shed, problem] of cases) {
    try {
      parse({ database: false, limits: { shed } })
      t.fail(problem)
    } catch (error) {
      t.match(error, { code: 'UWAS_ERR_WAS_CONFIG' })
      t.ok((error as Error).message.includes(`\n  - ${problem}`), (error as Error).message)
    }
  }
})

t.test('a route says by true or false whether it may be refused', async (t) => {
  const view = () => new Response('x')
  t.throws(() => urlconf(path('/', view, { shed: 'no' as never })), {
    code: 'UWAS_ERR_CORE_INVALID_OPTION',
    message: /^path\("\/"\) at \S+: shed is no; it has to be true or false$/,
  })
  t.doesNotThrow(() => urlconf(path('/', view, { shed: false })))
})
