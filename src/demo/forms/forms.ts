/** The board's forms: notes and comments of guests and members, the door, points. Their words are in the visitor's language. */
import { type FieldOptions, type FormProblem, type FormWords, form, type Request, z } from 'uwas'
import type { Dictionary } from '../i18n/dictionary.ts'
import { formatCount } from '../i18n/format.ts'
import { speakerOf } from '../i18n/language.ts'
import { words } from './text.ts'

const LENGTHS = {
  author: 30,
  title: 80,
  body: 4000,
  comment: 1000,
  name: 30,
  password: 256,
  to: 30,
  amount: 6,
} as const

type Name = keyof typeof LENGTHS

/** Tells one filled-in form from another; one that is no UUID is as good as none. */
const token = z.uuid().catch(() => crypto.randomUUID())

const author = { autocomplete: 'nickname', maxLength: LENGTHS.author }
const hidden: FieldOptions = { widget: 'hidden' }

export const postForm = form(
  z.object({
    token,
    author: words(LENGTHS.author),
    title: words(LENGTHS.title),
    body: words(LENGTHS.body),
  }),
  {
    browserChecks: false,
    words: wordsOf,
    fields: {
      token: hidden,
      author,
      title: { autocomplete: 'off', maxLength: LENGTHS.title },
      body: { widget: 'textarea', rows: 12, maxLength: LENGTHS.body },
    },
  },
)

export const commentForm = form(
  z.object({ token, author: words(LENGTHS.author), comment: words(LENGTHS.comment) }),
  {
    browserChecks: false,
    words: wordsOf,
    fields: {
      token: hidden,
      author,
      comment: { widget: 'textarea', rows: 5, maxLength: LENGTHS.comment },
    },
  },
)

/** What a member writes is signed by the account. */
export const noteForm = form(
  z.object({ token, title: words(LENGTHS.title), body: words(LENGTHS.body) }),
  {
    browserChecks: false,
    words: wordsOf,
    fields: {
      token: hidden,
      title: { autocomplete: 'off', maxLength: LENGTHS.title },
      body: { widget: 'textarea', rows: 12, maxLength: LENGTHS.body },
    },
  },
)

export const replyForm = form(z.object({ token, comment: words(LENGTHS.comment) }), {
  browserChecks: false,
  words: wordsOf,
  fields: { token: hidden, comment: { widget: 'textarea', rows: 5, maxLength: LENGTHS.comment } },
})

export const doorForm = form(
  z.object({ name: words(LENGTHS.name), password: words(LENGTHS.password) }),
  {
    browserChecks: false,
    words: wordsOf,
    fields: {
      name: { autocomplete: 'username', maxLength: LENGTHS.name },
      password: { widget: 'password', autocomplete: 'current-password' },
    },
  },
)

export const pointsForm = form(
  z.object({ token, to: words(LENGTHS.to), amount: words(LENGTHS.amount) }),
  {
    browserChecks: false,
    words: wordsOf,
    fields: {
      token: hidden,
      to: { autocomplete: 'off', maxLength: LENGTHS.to },
      amount: { autocomplete: 'off', maxLength: LENGTHS.amount },
    },
  },
)

function wordsOf(req: Request): FormWords {
  const { lang, t } = speakerOf(req)
  const { author: name, subject, body, comment } = t.form
  const limits = Object.entries(LENGTHS).map(([field, n]) => [
    field,
    formatCount(lang, t.form.limit, n),
  ])
  return {
    labels: {
      author: name,
      title: subject,
      body,
      comment,
      name: t.account.name,
      password: t.account.password,
      to: t.points.to,
      amount: t.points.amount,
    },
    hints: Object.fromEntries(limits.filter(([field]) => field !== 'password')),
    problem: (problem) => say(problem, t, (forms, n) => formatCount(lang, forms, n)),
    summary: (count) => formatCount(lang, t.form.problems, count),
    errorPrefix: t.form.errorPrefix,
  }
}

function say(
  { field, kind, params }: FormProblem,
  t: Dictionary,
  count: (forms: Dictionary['errors'][Name]['long'], n: number) => string,
): string | undefined {
  if (!Object.hasOwn(LENGTHS, field)) return undefined
  const errors = t.errors[field as Name]
  if (kind === 'missing') return errors.empty
  return kind === 'tooLong' ? count(errors.long, Number(params?.['by'])) : errors.control
}
