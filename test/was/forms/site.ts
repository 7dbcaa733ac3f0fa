/** A site of forms: of every kind of field, of files, of a table. Served to the tests of this folder. */
import type { Test } from 'tap'
import { z } from 'zod'
import { invalid } from '../../../src/http/http-error.ts'
import { json } from '../../../src/http/reply.ts'
import { column } from '../../../src/model/table/columns.ts'
import { table } from '../../../src/model/table/table.ts'
import * as pg from '../../../src/model/types.ts'
import { path, urlconf } from '../../../src/route/urlconf.ts'
import { createTestClient, type TestClient } from '../../../src/testing/test-client.ts'
import type { UserConfig } from '../../../src/was/config.ts'
import { form } from '../../../src/was/forms/form.ts'
import { upload } from '../../../src/was/forms/upload-schema.ts'
import { formView } from '../../../src/was/views/generic.ts'
import { temporaryFolder, writeTree } from '../../support/catalogue.ts'

export const notes = table('form_notes', {
  id: column(pg.int, { generated: true }),
  body: column(pg.text, { check: z.string().max(5) }),
  mark: pg.nullable(pg.text),
  isAdmin: pg.bool,
})

const everything = form(
  z.object({
    title: z
      .string()
      .min(2)
      .max(8)
      .regex(/^[a-z ]+$/),
    body: z.string().max(20).optional(),
    mail: z.email(),
    secret: z.string().min(3).optional(),
    stars: z.number().int().gt(0).max(5).default(3),
    price: z.number().min(0.5).multipleOf(0.5).optional(),
    big: z.bigint().optional(),
    colour: z.enum(['red', 'dark-blue']),
    size: z.literal([1, 2]).optional(),
    tags: z.array(z.enum(['a', 'b', 'c'])).max(2),
    when: z.date().min(new Date('2020-01-01T00:00:00Z')).optional(),
    day: z.iso.date().optional(),
    news: z.boolean(),
    terms: z.literal(true),
    ref: z.string().catch('none'),
    note: z.string().nullable(),
  }),
  {
    fields: {
      title: { hint: 'Small letters', autocomplete: 'off' },
      body: { widget: 'textarea', rows: 4 },
      secret: { widget: 'password', autocomplete: 'current-password' },
      size: { widget: 'radio', choices: { 1: 'Small', 2: 'Large' } },
      ref: { widget: 'hidden' },
    },
  },
)

export const words = form(z.object({ name: z.string().max(3), age: z.number('eine Zahl!') }), {
  idPrefix: 'w-',
  words: (req) =>
    req.query.get('lang') === 'de'
      ? {
          labels: { name: 'Name', age: 'Alter' },
          hints: { name: 'Kurz' },
          problem: ({ kind, limit }) => (kind === 'tooLong' ? `hat mehr als ${limit}` : undefined),
          summary: (count) => `${count} Fehler`,
          errorPrefix: 'Fehler:',
          submit: 'Ab',
        }
      : {},
})

const files = form(
  z.object({
    title: z.string(),
    photo: upload({ types: ['image/png', 'image/gif'], maxBytes: 100 }),
    more: z.array(upload()).max(2).optional(),
  }),
)

const urls = urlconf(
  path(
    '/all',
    formView({
      form: everything,
      template: 'form',
      save: async (_req, values) => {
        if (values.title === 'taken')
          throw invalid({ title: 'is taken', other: 'is odd', '': 'no way' })
        return json({ ...values, ...(values.big !== undefined && { big: `${values.big}` }) })
      },
    }),
  ),
  path('/words', formView({ form: words, template: 'form', save: () => '/' })),
  path(
    '/files',
    formView({
      form: files,
      template: 'form',
      save: (_req, { photo, more }) =>
        json({ photo: [photo.fileName, photo.bytes, photo.sniffedType], more: more?.length }),
    }),
  ),
  path('/own', formView({ form: words, template: 'own', save: () => '/' })),
  path('/search', async (req) => json(await words.read(req))),
  path(
    '/note',
    formView({
      form: form(notes, { only: ['body', 'mark'] }),
      template: 'form',
      save: (_req, values) => json(values),
    }),
  ),
)

/** What the form `/all` takes. */
export const GOOD = {
  title: 'hello',
  mail: 'a@example.org',
  stars: '4',
  colour: 'red',
  terms: 'true',
}

/** The site behind a port, until the end of `t`. */
export async function formSite(t: Test, more: UserConfig = {}): Promise<TestClient> {
  const root = await writeTree(temporaryFolder(t), {
    'templates/form.mustache': '{{#form}}{{> uwas/form}}{{/form}}',
    'templates/own.mustache':
      '{{#form.field.name}}[{{id}} {{label}} {{value}} {{error}}]{{/form.field.name}}{{#form.problems}}{{field}}: {{message}} {{/form.problems}}',
  })
  const site: UserConfig = { urls, templates: 'templates', database: false, ...more }
  const client = await createTestClient(site, { root, env: {} })
  t.teardown(() => client.close())
  return client
}
