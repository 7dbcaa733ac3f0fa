import t from 'tap'
import { text } from '../../src/http/reply.ts'
import type { CachedOptions } from '../../src/route/cached.ts'
import { path } from '../../src/route/urlconf.ts'

const view = () => text('')

t.test('what `cached` cannot mean is told where the route is declared', (t) => {
  const refused: [unknown, string][] = [
    [{}, 'cached: seconds is undefined; it has to be a number from 0 on'],
    [true, 'cached: it has to be { seconds, … }'],
    [{ seconds: -1 }, 'cached: seconds is -1; it has to be a number from 0 on'],
    [
      { seconds: 1, staleSeconds: '5' },
      'cached: staleSeconds is 5; it has to be a number from 0 on',
    ],
    [{ seconds: 1, otherQuery: 'drop' }, 'cached: otherQuery is drop; it is "bypass" or "ignore"'],
    [{ seconds: 1, tags: 'posts' }, 'cached: tags has to be a list of names'],
    [{ seconds: 1, vary: { query: [''] } }, 'cached: query has to be a list of names'],
    [{ seconds: 1, vary: { headers: ['a b'] } }, 'cached: "a b" is no name of a field'],
    [
      { seconds: 1, vary: { headers: ['Cookie'] } },
      'cached: pages do not vary with the field Cookie: the server sees to it by itself',
    ],
  ]
  for (const [cached, told] of refused) {
    t.throws(() => path('/', view, { cached: cached as CachedOptions }), {
      code: 'UWAS_ERR_CORE_INVALID_OPTION',
      message: new RegExp(told.replace(/[{}.*+?()|[\]\\]/g, '\\$&')),
    })
  }
  t.throws(() => path('/', view, { cached: { second: 1 } as unknown as CachedOptions }), {
    code: 'UWAS_ERR_CORE_UNKNOWN_OPTION',
    message: /cached.*"second".*did you mean "seconds"/,
  })
  t.throws(
    () => path('/', view, { cached: { seconds: 1, vary: { cookie: ['a'] } } as CachedOptions }),
    { message: /cached\.vary.*"cookie".*"cookies"/ },
  )
  t.throws(() => path('/', { post: view }, { cached: { seconds: 1 } }), {
    message: /pages of GET are kept, which the route has not/,
  })
  t.throws(() => path('/', { get: view, head: () => text('') }, { cached: { seconds: 1 } }), {
    message: /HEAD is answered from the page; drop its own view/,
  })
  t.end()
})
