import { join } from 'node:path'
import t from 'tap'
import { debugPage } from '../../../src/commands/dev/debug-page.ts'
import { Trace } from '../../../src/core/trace.ts'
import type { Reply } from '../../../src/http/reply.ts'
import type { Request } from '../../../src/http/request.ts'
import { statement } from '../../../src/model/statement.ts'
import { createTemplates } from '../../../src/template/templates.ts'
import { parseConfig, type SiteConfig } from '../../../src/was/config.ts'
import { temporaryFolder, writeTree } from '../../support/catalogue.ts'
import { requestOf } from '../../support/request.ts'

const CONFIG: SiteConfig = parseConfig({}, { file: '/site/uwas.config.ts', env: {} })

t.test('the page shows the request’s SQL with its times, and no secrets', (t) => {
  statement('all <notes>', { sql: 'select id\nfrom notes where a < 3' })
  const trace = new Trace()
  trace.add('model', performance.now() - 2, 'all <notes>').plan = ['Seq Scan', '  Filter: (a < 3)']
  trace.add('view', performance.now(), '/x')
  const req = requestOf('POST', '/notes?page=2&token=hunter2', {
    trace,
    headers: { cookie: 'session=hunter2', authorization: 'Bearer hunter2', accept: '*/*' },
  })
  const page = debugPage(req, new TypeError('broken <b>'), CONFIG).body as string
  t.match(page, '<h1>TypeError: broken &lt;b&gt;</h1>')
  t.match(page, /<h2>SQL: 1 statement, \d+\.\d\d ms<\/h2>/)
  t.match(page, /\d\.\d\d ms {2}all &lt;notes&gt;\n {13}select id\n {13}from notes where a &lt; 3/)
  t.match(page, /a &lt; 3\n {13}→ Seq Scan\n {13}→ {3}Filter: \(a &lt; 3\)/)
  t.match(page, 'POST /notes')
  t.match(page, 'page = 2')
  t.match(page, 'accept: */*')
  t.match(page, 'cookie: (hidden, 15 characters)')
  t.notMatch(page, 'hunter2')
  t.end()
})

t.test('a request without statements says so', (t) => {
  t.match(debugPage(requestOf('GET', '/'), 'text', CONFIG).body, 'No statement had been answered.')
  t.end()
})

t.test(
  'a template is shown around the tag that failed, at its render and in its reading',
  async (t) => {
    const root = await writeTree(temporaryFolder(t), {
      'templates/notes.mustache': '<h1>Notes</h1>\n<ul>\n<li>{{boddy}} & more</li>\n</ul>\n',
      'broken/notes.mustache': '<h1>Notes</h1>\n{{#open}}\n',
      'other/secret.mustache': 'nobody reads this\n',
    })
    const pageOf = (error: unknown, templates = 'templates') => {
      const config = parseConfig({ templates }, { file: join(root, 'uwas.config.ts'), env: {} })
      return String(debugPage(requestOf('GET', '/'), error, config).body)
    }
    const failed = (work: () => unknown): unknown => {
      try {
        return work()
      } catch (error) {
        return error
      }
    }
    const templates = createTemplates({ dir: join(root, 'templates'), isStrict: true })
    const unknown = failed(() => templates.render('notes', { body: 'x' }))
    const page = pageOf(unknown)
    t.match(page, /<h2>\S+templates\/notes\.mustache:3<\/h2>/)
    t.match(page, '<mark>    3  &lt;li&gt;{{boddy}} &amp; more&lt;/li&gt;</mark>')
    t.match(page, '    1  &lt;h1&gt;Notes&lt;/h1&gt;')
    t.match(pageOf(new Error('around it', { cause: unknown })), 'notes.mustache:3</h2>')
    const unclosed = failed(() => createTemplates({ dir: join(root, 'broken') }))
    t.match(pageOf(unclosed, 'broken'), '<mark>    2  {{#open}}</mark>')
    for (const place of [
      `${root}/other/secret.mustache`,
      `${root}/templates/../other/secret.mustache`,
    ]) {
      t.notMatch(pageOf(new Error(`${place}:1:1`)), 'nobody reads', 'a message names any file')
    }
    t.end()
  },
)

t.test('the configuration is shown without secrets', (t) => {
  const config = parseConfig(
    {
      secrets: ['hunter2 hunter2 hunter2 hunter2 hunter2'],
      database: 'postgres://ann:hunter2@db.example/notes?password=hunter2&sslmode=require',
      limits: { maxBodyBytes: 7000 },
      middleware: [(_: Request, next: () => Reply | Promise<Reply>) => next()],
    },
    { file: '/site/uwas.config.ts', env: {} },
  )
  const page = String(debugPage(requestOf('GET', '/'), new Error('x'), config).body)
  t.match(page, 'limits.maxBodyBytes = 7000')
  t.match(page, 'secrets[0] = (hidden)')
  t.match(page, 'postgres://ann:(hidden)@db.example/notes?password=(hidden)&amp;sslmode=require')
  t.match(page, 'middleware[0] = (function)')
  t.match(page, 'templates = none')
  t.notMatch(page, 'hunter2')
  t.end()
})
