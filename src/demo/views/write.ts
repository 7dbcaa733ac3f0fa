/** The form that puts a note on the board. */
import { cache, formView, type Reply, redirect } from 'uwas'
import { postForm } from '../forms/forms.ts'
import { fingerprintOf } from '../forms/submission.ts'
import { speakerOf } from '../i18n/language.ts'
import { insertPost } from '../models/posts.ts'
import { page } from '../page.ts'
import { url } from '../urls.ts'
import { nameOf, rememberName } from './visitor.ts'

export const write = formView({
  form: postForm,
  initial: (req) => ({ author: nameOf(req), token: crypto.randomUUID() }),
  show(req, form, status) {
    const { t } = speakerOf(req)
    const title = form.summary === '' ? t.form.title : `${form.summary} – ${t.form.title}`
    const data = { title, current: 'write' as const, form: { ...form, submit: t.form.send } }
    return page(req, 'posts/write', data, status)
  },
  async save(req, values): Promise<Reply> {
    const { author, title, body } = values
    const { id } = await insertPost.one(req, {
      submission: fingerprintOf(values),
      author,
      title,
      body,
    })
    cache(req).invalidate('notes')
    return rememberName(req, redirect(url('post', { id })), author)
  },
})
