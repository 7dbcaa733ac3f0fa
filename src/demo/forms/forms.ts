/** The board's two forms: a note, and a comment. Their words are in the visitor's language. */
import { type FieldOptions, type FormProblem, type FormWords, form, type Request, z } from 'uwas'
import type { Dictionary } from '../i18n/dictionary.ts'
import { formatCount } from '../i18n/format.ts'
import { speakerOf } from '../i18n/language.ts'
import { words } from './text.ts'

const LENGTHS = { author: 30, title: 80, body: 4000, comment: 1000 } as const

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

function wordsOf(req: Request): FormWords {
  const { lang, t } = speakerOf(req)
  const { author: name, subject, body, comment } = t.form
  const limits = Object.entries(LENGTHS).map(([field, n]) => [
    field,
    formatCount(lang, t.form.limit, n),
  ])
  return {
    labels: { author: name, title: subject, body, comment },
    hints: Object.fromEntries(limits),
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
