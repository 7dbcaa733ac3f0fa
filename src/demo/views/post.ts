/** One note with its comments, and the form that adds one. */
import {
  can,
  type FormContext,
  formView,
  notFound,
  type Reply,
  type Request,
  redirect,
  user,
} from 'uwas'
import { commentForm, replyForm } from '../forms/forms.ts'
import { fingerprintOf } from '../forms/submission.ts'
import { formatCount, formatMoment, formatNumber } from '../i18n/format.ts'
import { languageOfText, speakerOf } from '../i18n/language.ts'
import { addComment, type NewComment, newestComments } from '../models/comments.ts'
import { findLike } from '../models/likes.ts'
import { mayEdit, postById } from '../models/posts.ts'
import { page } from '../page.ts'
import { url } from '../urls.ts'
import { byReader } from './by-reader.ts'
import { describeAuthor, describeComment } from './describe.ts'
import { tellComments } from './live.ts'
import { nameOf, rememberName, visitorOf } from './visitor.ts'

/** A note with more comments shows the newest. */
const SHOWN_COMMENTS = 200

type OfPost = Request<{ id: number }>

const asMember = formView({
  form: replyForm,
  initial: () => ({ token: crypto.randomUUID() }),
  show: showPost,
  async save(req: OfPost, values): Promise<Reply> {
    const member = await user(req)
    if (member === undefined) return redirect(url('post', req.params))
    const { name: author, id: ownerId } = member
    return add(req, { submission: fingerprintOf(values), author, body: values.comment, ownerId })
  },
})

const asGuest = formView({
  form: commentForm,
  initial: (req: OfPost) => ({ author: nameOf(req), token: crypto.randomUUID() }),
  show: showPost,
  async save(req: OfPost, values): Promise<Reply> {
    const { author, comment: body } = values
    const submission = fingerprintOf(values)
    return rememberName(req, await add(req, { submission, author, body, ownerId: null }), author)
  },
})

/** GET shows the note; POST is the comment form's: to the new comment, or the form again with its errors. */
export const post = byReader(asMember, asGuest)

async function add(req: OfPost, comment: Omit<NewComment, 'postId'>): Promise<Reply> {
  const postId = req.params.id
  await readablePost(req)
  const id = await addComment(req, { ...comment, postId })
  if (id === undefined) throw notFound()
  tellComments(req, postId)
  return redirect(`${url('post', { id: postId })}#comment-${id}`)
}

/** 404 for one that is not there, and for all but editors where it is hidden. */
async function readablePost(req: OfPost) {
  const row = await postById.maybe(req, { id: req.params.id })
  if (row === undefined || (row.hidden && !can(await user(req), 'posts.hide'))) throw notFound()
  return row
}

async function showPost(
  req: Request<{ id: number }>,
  form: FormContext,
  status: number,
): Promise<Reply> {
  const { id } = req.params
  const speaker = speakerOf(req)
  const { lang, t } = speaker
  const [member, visitor] = await Promise.all([user(req), visitorOf(req)])
  const [row, comments, like] = await Promise.all([
    readablePost(req),
    newestComments.all(req, { postId: id, limit: SHOWN_COMMENTS }),
    visitor === undefined ? undefined : findLike.maybe(req, { postId: id, visitor }),
  ])
  const data = {
    title: form.summary === '' ? row.title : `${form.summary} – ${row.title}`,
    post: {
      title: row.title,
      body: row.body,
      lang: languageOfText(row.title) ?? '',
      author: describeAuthor(row.author, row.ownerId),
      time: formatMoment(lang, row.createdAt),
      likes: formatNumber(lang, row.likeCount),
      liked: like !== undefined,
      likeHref: url('like', { id }),
      hidden: row.hidden,
      editHref: mayEdit(member, row) && !row.hidden && url('edit', { id }),
      hideHref: can(member, 'posts.hide') && url('hide', { id }),
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
