import t from 'tap'
import { debugPage } from '../../../src/commands/dev/debug-page.ts'
import { Trace } from '../../../src/core/trace.ts'
import { statement } from '../../../src/model/statement.ts'
import { requestOf } from '../../support/request.ts'

t.test('the page shows the request’s SQL with its times, and no secrets', (t) => {
  statement('all <notes>', { sql: 'select id\nfrom notes where a < 3' })
  const trace = new Trace()
  trace.add('model', performance.now() - 2, 'all <notes>')
  trace.add('view', performance.now(), '/x')
  const req = requestOf('POST', '/notes?page=2&token=hunter2', {
    trace,
    headers: { cookie: 'session=hunter2', authorization: 'Bearer hunter2', accept: '*/*' },
  })
  const page = debugPage(req, new TypeError('broken <b>')).body as string
  t.match(page, '<h1>TypeError: broken &lt;b&gt;</h1>')
  t.match(page, /<h2>SQL: 1 statement, \d+\.\d\d ms<\/h2>/)
  t.match(page, /\d\.\d\d ms {2}all &lt;notes&gt;\n {13}select id\n {13}from notes where a &lt; 3/)
  t.match(page, 'POST /notes')
  t.match(page, 'page = 2')
  t.match(page, 'accept: */*')
  t.match(page, 'cookie: (hidden, 15 characters)')
  t.notMatch(page, 'hunter2')
  t.end()
})

t.test('a request without statements says so', (t) => {
  t.match(debugPage(requestOf('GET', '/'), 'text').body, 'No statement had been answered.')
  t.end()
})
