/** Notes changed by who wrote them, and hidden by editors. */
import { authorize, cache, formView, notFound, type Reply, type Request, redirect } from 'uwas'
import { noteForm } from '../forms/forms.ts'
import { speakerOf } from '../i18n/language.ts'
import { changePost, hidePost, mayEdit, postById } from '../models/posts.ts'
import { page } from '../page.ts'
import { url } from '../urls.ts'

type OfPost = Request<{ id: number }>

export const edit = formView({
  form: noteForm,
  async initial(req: OfPost) {
    const { title, body } = await ownPost(req)
    return { title, body, token: crypto.randomUUID() }
  },
  show(req: OfPost, form, status) {
    const { t } = speakerOf(req)
    const title = form.summary === '' ? t.form.change : `${form.summary} – ${t.form.change}`
    const data = { title, heading: t.form.change, form: { ...form, submit: t.form.save } }
    return page(req, 'posts/write', data, status)
  },
  async save(req: OfPost, { title, body }): Promise<Reply> {
    const { owner } = await ownPost(req)
    const { id } = req.params
    await changePost.run(req, { id, ownerId: owner.id, title, body })
    cache(req).invalidate('notes')
    return redirect(url('post', { id }))
  },
})

/** The form says which of the two is wanted, as that of a like does. */
export async function hide(req: OfPost): Promise<Reply> {
  const { id } = req.params
  const hidden = (await req.form()).get('hidden') === 'yes'
  if ((await hidePost.run(req, { id, hidden })) === 0) throw notFound()
  cache(req).invalidate('notes')
  return redirect(url('post', { id }))
}

/** 404 for a note that is not there, or hidden; 403 for somebody else's. */
async function ownPost(req: OfPost) {
  const post = await postById.maybe(req, { id: req.params.id })
  if (post === undefined || post.hidden) throw notFound()
  return { ...post, owner: await authorize(req, mayEdit, post) }
}
