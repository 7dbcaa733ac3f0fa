/** One note with its comments, and the form that adds one. */
import { type FormContext, formView, notFound, type Reply, type Request, redirect } from 'uwas'
import { commentForm } from '../forms/forms.ts'
import { fingerprintOf } from '../forms/submission.ts'
import { formatCount, formatMoment, formatNumber } from '../i18n/format.ts'
import { languageOfText, speakerOf } from '../i18n/language.ts'
import { addComment, newestComments } from '../models/comments.ts'
import { findLike } from '../models/likes.ts'
import { postById } from '../models/posts.ts'
import { page } from '../page.ts'
import { url } from '../urls.ts'
import { describeAuthor, describeComment } from './describe.ts'
import { tellComments } from './live.ts'
import { nameOf, rememberName, visitorOf } from './visitor.ts'

/** A note with more comments shows the newest. */
const SHOWN_COMMENTS = 200

/** GET shows the note; POST is the comment form's: to the new comment, or the form again with its errors. */
export const post = formView({
  form: commentForm,
  initial: (req) => ({ author: nameOf(req), token: crypto.randomUUID() }),
  show: showPost,
  async save(req, values): Promise<Reply> {
    const postId = req.params.id
    const { author, comment: body } = values
    const id = await addComment(req, { submission: fingerprintOf(values), postId, author, body })
    if (id === undefined) throw notFound()
    tellComments(req, postId)
    return rememberName(req, redirect(`${url('post', { id: postId })}#comment-${id}`), author)
  },
})

async function showPost(
  req: Request<{ id: number }>,
  form: FormContext,
  status: number,
): Promise<Reply> {
  const { id } = req.params
  const speaker = speakerOf(req)
  const { lang, t } = speaker
  const visitor = visitorOf(req)
  const [row, comments, like] = await Promise.all([
    postById.maybe(req, { id }),
    newestComments.all(req, { postId: id, limit: SHOWN_COMMENTS }),
    visitor === undefined ? undefined : findLike.maybe(req, { postId: id, visitor }),
  ])
  if (row === undefined) throw notFound()
  const data = {
    title: form.summary === '' ? row.title : `${form.summary} – ${row.title}`,
    post: {
      title: row.title,
      body: row.body,
      lang: languageOfText(row.title) ?? '',
      author: describeAuthor(row.author),
      time: formatMoment(lang, row.createdAt),
      likes: formatNumber(lang, row.likeCount),
      liked: like !== undefined,
      likeHref: url('like', { id }),
      liveHref: url('live', { id }),
    },
    commentCount: formatCount(lang, t.post.commentCount, row.commentCount),
    earlier:
      row.commentCount > comments.length &&
      formatCount(lang, t.post.earlier, row.commentCount - comments.length),
    comments: comments.map((one) => describeComment(speaker, one)),
    form: { ...form, action: url('post', { id }), submit: t.post.sendComment },
  }
  return page(req, 'posts/post', data, status)
}
