/** Rows of the database as templates want them: in the visitor's language, with links and marks. */
import { formatCount, formatMoment, formatNumber } from '../i18n/format.ts'
import type { Speaker } from '../i18n/language.ts'
import { languageOfText } from '../i18n/language.ts'
import { url } from '../urls.ts'

interface CardRow {
  readonly id: number
  readonly author: string
  readonly title: string
  readonly excerpt: string
  readonly likeCount: number
  readonly commentCount: number
  readonly createdAt: Date
  readonly ownerId: number | null
}

interface CommentRow {
  readonly id: number
  readonly author: string
  readonly body: string
  readonly createdAt: Date
  readonly ownerId: number | null
}

/** Colours of avatars; `board.css` has one `.tint-*` for each. */
const TINTS = 5

/** A note in the list. */
export function describeCard({ lang, t }: Speaker, post: CardRow) {
  return {
    href: url('post', { id: post.id }),
    title: post.title,
    excerpt: post.excerpt.replace(/\s+/g, ' '),
    lang: languageOfText(post.title) ?? '',
    author: describeAuthor(post.author, post.ownerId),
    time: formatMoment(lang, post.createdAt),
    likes: {
      n: formatNumber(lang, post.likeCount),
      text: formatCount(lang, t.post.likes, post.likeCount),
    },
    comments: {
      n: formatNumber(lang, post.commentCount),
      text: formatCount(lang, t.post.commentCount, post.commentCount),
    },
  }
}

export function describeComment({ lang }: Speaker, comment: CommentRow) {
  return {
    id: comment.id,
    body: comment.body,
    lang: languageOfText(comment.body) ?? '',
    author: describeAuthor(comment.author, comment.ownerId),
    time: formatMoment(lang, comment.createdAt),
  }
}

/** A name, whether an account stands behind it, with the first letter and the colour of its avatar: the same for the same name. */
export function describeAuthor(name: string, ownerId: number | null) {
  const [first] = new Intl.Segmenter().segment(name)
  let hash = 0
  for (const letter of name) hash = (hash * 131 + (letter.codePointAt(0) ?? 0)) % 65_521
  return {
    name,
    initial: (first?.segment ?? '').toUpperCase(),
    tint: hash % TINTS,
    member: ownerId !== null,
  }
}
