import t from 'tap'
import type { Request } from '../../src/http/request.ts'
import { compileUrls } from '../../src/route/compile.ts'
import { urls } from '../types/circle/urls.ts'
import { post } from '../types/circle/views.ts'

t.test('a view makes URLs of the URL conf that imports it', (t) => {
  const req = { params: { id: 7 } } as Request<{ id: number }>
  t.equal(post(req).body, '/posts/7')
  const found = compileUrls(urls).match('GET', '/posts/7')
  t.equal(found?.route?.views.GET, post)
  t.end()
})
