/** The form that puts a note on the board. */
import { cache, type Reply, type Request, redirect } from 'uwas'
import { describeForm } from '../forms/fields.ts'
import {
  blankForm,
  type FormState,
  POST_RULES,
  type PostField,
  readSubmission,
} from '../forms/submission.ts'
import { insertPost } from '../models/posts.ts'
import { page, speakerOf } from '../page.ts'
import { url } from '../urls.ts'
import { nameOf, rememberName } from './visitor.ts'

export function write(req: Request): Reply {
  return showForm(req, blankForm(POST_RULES, { author: nameOf(req) }), 200)
}

/** The form's POST: to the new note, or the form again with its errors. */
export async function createPost(req: Request): Promise<Reply> {
  const submission = readSubmission(await req.form(), POST_RULES)
  if (submission.problems.size > 0) return showForm(req, submission, 422)
  const { author, title, body } = submission.values
  const post = { submission: submission.fingerprint, author, title, body }
  const { id } = await insertPost.one(req, post)
  cache(req).invalidate('notes')
  return rememberName(req, redirect(url('post', { id })), author)
}

function showForm(req: Request, submission: FormState<PostField>, status: number): Reply {
  const speaker = speakerOf(req)
  const { t } = speaker
  const labels = { author: t.form.author, title: t.form.subject, body: t.form.body }
  const form = {
    ...describeForm(speaker, POST_RULES, labels, submission),
    action: url('write'),
    send: t.form.send,
    cancel: url('list'),
  }
  const title = form.summary === undefined ? t.form.title : `${form.summary} – ${t.form.title}`
  return page(req, 'posts/write', { title, current: 'write', form }, status)
}
