/** The form that puts a note on the board: signed by the account, or by the name that a guest gives. */
import { cache, type FormContext, formView, type Reply, type Request, redirect, user } from 'uwas'
import { noteForm, postForm } from '../forms/forms.ts'
import { fingerprintOf } from '../forms/submission.ts'
import { speakerOf } from '../i18n/language.ts'
import { insertPost } from '../models/posts.ts'
import { page } from '../page.ts'
import { url } from '../urls.ts'
import { byReader } from './by-reader.ts'
import { nameOf, rememberName } from './visitor.ts'

const asMember = formView({
  form: noteForm,
  initial: () => ({ token: crypto.randomUUID() }),
  show,
  async save(req, values): Promise<Reply> {
    const member = await user(req)
    if (member === undefined) return redirect(url('write'))
    const { title, body } = values
    return add(req, { ...sent(values), author: member.name, title, body, ownerId: member.id })
  },
})

const asGuest = formView({
  form: postForm,
  initial: (req) => ({ author: nameOf(req), token: crypto.randomUUID() }),
  show,
  async save(req, values): Promise<Reply> {
    const { author, title, body } = values
    const reply = await add(req, { ...sent(values), author, title, body, ownerId: null })
    return rememberName(req, reply, author)
  },
})

export const write = byReader(asMember, asGuest)

function sent(values: object): { submission: string } {
  return { submission: fingerprintOf(values) }
}

async function add(req: Request, note: Parameters<typeof insertPost.one>[1]): Promise<Reply> {
  const { id } = await insertPost.one(req, note)
  cache(req).invalidate('notes')
  return redirect(url('post', { id }))
}

function show(req: Request, form: FormContext, status: number): Promise<Reply> {
  const { t } = speakerOf(req)
  const title = form.summary === '' ? t.form.title : `${form.summary} – ${t.form.title}`
  const data = {
    title,
    heading: t.form.title,
    current: 'write' as const,
    form: { ...form, submit: t.form.send },
  }
  return page(req, 'posts/write', data, status)
}
