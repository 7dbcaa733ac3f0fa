import t from 'tap'
import { text } from '../../src/http/reply.ts'
import { compileUrls } from '../../src/route/compile.ts'
import { listRoutes } from '../../src/route/list.ts'
import { include, path, urlconf } from '../../src/route/urlconf.ts'

const view = () => text('')

t.test('the table of routes has a row for each, in the order of declaration', (t) => {
  const { line } = path('/', view).place
  const api = urlconf(path('/posts/<int:id>', { get: view, delete: view }, { name: 'post' }))
  const compiled = compileUrls(
    urlconf(include('/api', api, { namespace: 'api' }), path('/form', view, { methods: ['POST'] })),
  )
  t.strictSame(listRoutes(compiled), [
    {
      methods: ['GET', 'HEAD', 'DELETE'],
      pattern: '/api/posts/<int:id>',
      name: 'api:post',
      place: `test/route/list.test.ts:${line + 1}`,
    },
    {
      methods: ['POST'],
      pattern: '/form',
      name: '',
      place: `test/route/list.test.ts:${line + 3}`,
    },
  ])
  t.end()
})
