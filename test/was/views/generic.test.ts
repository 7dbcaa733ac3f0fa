import t from 'tap'
import { z } from 'zod'
import { invalid } from '../../../src/http/http-error.ts'
import { DATABASE } from '../../../src/model/database.ts'
import { statement } from '../../../src/model/statement.ts'
import { column } from '../../../src/model/table/columns.ts'
import { table } from '../../../src/model/table/table.ts'
import * as pg from '../../../src/model/types.ts'
import { path, urlconf } from '../../../src/route/urlconf.ts'
import { createTestClient } from '../../../src/testing/test-client.ts'
import { form } from '../../../src/was/forms/form.ts'
import { detailView, formView, listView } from '../../../src/was/views/generic.ts'
import { temporaryFolder, writeTree } from '../../support/catalogue.ts'
import { testDatabaseUrl } from '../../support/postgres.ts'

const notes = table(
  'notes',
  { id: column(pg.int, { generated: true }), body: pg.text, stars: pg.int },
  { orders: { newest: { by: ['id'], descending: true } } },
)

const saveForm = (isWhole: boolean) =>
  formView({
    form: form(z.object({ body: z.string() })),
    template: 'form',
    async save(req, { body }) {
      await notes.insert(req, { body: `${body} 1`, stars: 1 })
      if (!isWhole) throw invalid({ body: 'is taken' })
      await notes.insert(req, { body: `${body} 2`, stars: 2 })
      return '/'
    },
  })
const bodies = statement('generic test bodies', {
  row: { body: pg.text },
  sql: 'select body from notes order by id',
})

const urls = urlconf(
  path('/half', saveForm(false), { atomic: true }),
  path('/whole', saveForm(true), { atomic: true }),
  path(
    '/',
    listView({
      table: notes,
      template: 'list',
      order: 'newest',
      limit: 2,
      extra: () => ({ title: 'T' }),
    }),
  ),
  path('/<int:id>', detailView({ table: notes, template: 'detail' })),
  path(
    '/new',
    formView({
      form: form(
        z.object({
          body: z.string('write something').max(5, 'is too long'),
          stars: z.coerce.number('is no number').int().max(5),
        }),
      ),
      template: 'form',
      initial: () => ({ stars: 3 }),
      async save(req, values) {
        if (values.body === 'taken') throw invalid({ body: 'is taken' })
        if (values.body === 'crash') throw new Error('on purpose')
        const { id } = await notes.insert(req, values)
        return `/${id}`
      },
    }),
  ),
)

t.test('a list, a row and a form are made of a table, a schema and templates', async (t) => {
  const root = await writeTree(temporaryFolder(t), {
    'migrations/0001_notes.sql':
      'create table notes (id bigint generated always as identity primary key, body text not null, stars int not null)',
    'templates/list.mustache': '{{title}}:{{#rows}} {{body}}{{/rows}}{{#next}} {{next}}{{/next}}',
    'templates/detail.mustache': '{{row.id}} {{row.body}} {{row.stars}}',
    'templates/form.mustache':
      '[{{form.field.body.value}}|{{form.field.stars.value}}]{{#form.problems}} {{field}}: {{message}}.{{/form.problems}}',
  })
  const client = await createTestClient(
    { urls, templates: 'templates', migrations: 'migrations' },
    { root, env: { DATABASE_URL: await testDatabaseUrl() } },
  )
  t.teardown(() => client.close())
  const post = (form: Record<string, string>) => client.post('/new', { form })

  t.equal((await client.get('/new')).text, '[|3]')
  for (const body of ['one', 'two', 'a & b']) {
    const saved = await post({ body, stars: '5', other: 'ignored' })
    t.equal(saved.status, 303)
    t.match((await client.follow(saved)).text, /^\d (one|two|a &amp; b) 5$/)
  }
  const first = await client.get('/')
  t.match(first.text, /^T: a &amp; b two \?after=/)
  const next = /\?after=\S+/.exec(first.text)?.[0] ?? ''
  t.equal((await client.get(`/${next}`)).text, 'T: one')
  t.equal((await client.get('/?after=forged')).status, 400)
  t.equal((await client.get('/99')).status, 404)

  const bad = await post({ body: 'too long', stars: 'x' })
  t.equal(bad.status, 422)
  t.equal(bad.text, '[too long|x] body: is too long. stars: is no number.')
  t.equal((await post({ body: '', stars: '1' })).text, '[|1] body: write something.')
  t.equal((await post({ body: 'taken', stars: '1' })).text, '[taken|1] body: is taken.')
  t.equal((await post({ body: 'crash', stars: '1' })).status, 500)
  t.equal((await client.request('DELETE', '/new')).status, 405)
})

t.test(
  'what a form refuses while it is saved is undone in the transaction of its route',
  async (t) => {
    const root = await writeTree(temporaryFolder(t), {
      'migrations/0001_notes.sql':
        'create table notes (id bigint generated always as identity primary key, body text not null, stars int not null)',
      'templates/list.mustache': '',
      'templates/detail.mustache': '',
      'templates/form.mustache': '{{#form.problems}}{{field}}: {{message}}{{/form.problems}}',
    })
    const client = await createTestClient(
      { urls, templates: 'templates', migrations: 'migrations' },
      { root, env: { DATABASE_URL: await testDatabaseUrl() } },
    )
    t.teardown(() => client.close())
    const stored = async () =>
      (await bodies.all(client.services.get(DATABASE))).map(({ body }) => body)
    const refused = await client.post('/half', { form: { body: 'a' } })
    t.equal(refused.status, 422)
    t.equal(refused.text, 'body: is taken')
    t.same(await stored(), [], 'no half of it')
    t.equal((await client.post('/whole', { form: { body: 'b' } })).status, 303)
    t.same(await stored(), ['b 1', 'b 2'])
  },
)
