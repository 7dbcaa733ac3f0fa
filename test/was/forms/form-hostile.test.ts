import t from 'tap'
import { z } from 'zod'
import { form } from '../../../src/was/forms/form.ts'
import { upload } from '../../../src/was/forms/upload-schema.ts'
import { formView } from '../../../src/was/views/generic.ts'
import { formSite, GOOD, notes, words } from './site.ts'

const client = await formSite(t)

t.test('what no browser sends is a problem of its field or 400, and never a 500', async (t) => {
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  const raw = (body: string | Uint8Array, headers: Record<string, string> = type) =>
    client.post('/all', { body, headers })
  t.match((await raw('title=ab&title=ab')).text, '<a href="#title">It was sent more than once.</a>')
  t.match(
    (await raw('title=a%00b')).text,
    '<a href="#title">It holds a character that cannot be shown.</a>',
  )
  t.match(
    (await raw('title=a%EF%BF%BDb')).text,
    '<a href="#title">It holds a character that could not be read.</a>',
  )
  t.match((await raw('title=a%0Ab')).text, 'value="a b"', 'one line')
  t.match((await raw('colour=__proto__')).text, '<a href="#colour">Choose one of these.</a>')
  t.match(
    (await raw('colour=constructor&tags=toString')).text,
    '<a href="#tags">Choose one of these.</a>',
  )
  t.match((await raw('tags=a&tags=b&tags=c')).text, '<a href="#tags">Choose at most 2.</a>')
  t.match((await raw(`big=${'9'.repeat(5000)}`)).text, '<a href="#big">Write a whole number.</a>')
  for (const number of ['0x10', 'Infinity', 'NaN', '1_0', '١', '1e400']) {
    t.match((await raw(`stars=${encodeURIComponent(number)}`)).text, 'href="#stars"', number)
  }
  for (const name of ['__proto__', 'constructor', 'title[]', 'title.x', 'toString', '']) {
    t.equal(
      (await raw(`${encodeURIComponent(name)}=1&${new URLSearchParams(GOOD)}`)).status,
      200,
      name,
    )
  }
  t.equal((await raw('title=%FF%FE')).status, 400)
  t.equal((await raw(new Uint8Array([0x74, 0x3d, 0xff]))).status, 400)
  t.equal((await raw('{}', { 'content-type': 'application/json' })).status, 415)
  t.equal((await raw('&'.repeat(2000))).status, 413)
  t.equal((await raw('x', { 'content-type': 'multipart/form-data' })).status, 400)
  t.equal((await raw('')).status, 422)
})

t.test('a form that cannot be is told when it is declared', async (t) => {
  const told = (make: () => unknown, message: string) =>
    t.throws(make, { code: 'UWAS_ERR_WAS_FORM', message })
  told(() => form(z.string() as never), 'a form: its schema is no z.object()')
  told(
    () => form(z.object({ a: z.string() }), { fields: { b: {} } as never }),
    'a form: unknown field "b"',
  )
  told(
    () => form(z.object({ a: z.string() }), { field: {} } as never),
    'a form: unknown option "field"; did you mean "fields"?',
  )
  told(
    () => form(z.object({ a: z.string() }), { fields: { a: { lable: 'x' } as never } }),
    'a form, field a: unknown option "lable"; did you mean "label"?',
  )
  told(
    () => form(z.object({ a: z.object({}) })),
    'a form: field a has no place in a form: it is neither',
  )
  told(() => form(z.object({ a: z.array(z.string()) })), 'a form: field a has no place in a form')
  told(
    () => form(z.object({ a: z.string() }), { fields: { a: { widget: 'select' } } }),
    'a form: field a: the widget "select" cannot show it; text, textarea',
  )
  told(
    () => form(notes, {} as never),
    'the form of the table form_notes: say with "only" which columns it has',
  )
  told(
    () => form(notes, { only: ['id'] as never }),
    'the form of the table form_notes: it has no column to set "id"; it has body, mark, isAdmin',
  )
  told(
    () => form(z.object({}), { only: ['a'] } as never),
    'a form: "only" is for tables; of a schema take schema.pick()',
  )
  told(
    () => upload({ types: ['text/plain'] }),
    'upload(): "text/plain" cannot be told by a file\'s first bytes',
  )
  told(() => formView({ form: words, save: () => '/' }), 'formView(): it needs a template, or show')
})
