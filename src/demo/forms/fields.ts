/** A form as its template wants it: every field with its value, limit and error in the visitor's words. */
import type { Dictionary, Plural } from '../i18n/dictionary.ts'
import { formatCount } from '../i18n/format.ts'
import type { Language } from '../i18n/language.ts'
import type { FormState } from './submission.ts'
import type { TextProblem, TextRule } from './text.ts'

export interface FieldView {
  readonly id: string
  readonly name: string
  readonly label: string
  readonly value: string
  readonly multiline: boolean
  readonly rows: number
  readonly maxLength: number
  readonly limit: string
  /** Value of `autocomplete`. */
  readonly autocomplete: string
  /** Empty when the field is fine. */
  readonly error: string
  /** Ids of the texts that describe the field. */
  readonly describedBy: string
}

export interface FormView {
  readonly token: string
  readonly fields: FieldView[]
  /** How many things are wrong; absent when nothing is. */
  readonly summary?: string
  readonly problems: readonly { readonly id: string; readonly error: string }[]
}

interface FieldErrors {
  readonly empty: string
  readonly long: Plural
  readonly control: string
}

/** `labels` names the fields, in the order in which they are shown. */
export function describeForm<K extends keyof Dictionary['errors']>(
  { lang, t }: { readonly lang: Language; readonly t: Dictionary },
  rules: Readonly<Record<K, TextRule>>,
  labels: Readonly<Record<K, string>>,
  submission: FormState<K>,
): FormView {
  const errors: Readonly<Record<keyof Dictionary['errors'], FieldErrors>> = t.errors
  const fields = (Object.keys(labels) as K[]).map((name) => {
    const problem = submission.problems.get(name)
    const error = problem === undefined ? '' : describeProblem(lang, errors[name], problem)
    return {
      id: name,
      name,
      label: labels[name],
      value: submission.values[name],
      multiline: rules[name].multiline,
      rows: rules[name].maxLength > 1000 ? 12 : 5,
      maxLength: rules[name].maxLength,
      limit: formatCount(lang, t.form.limit, rules[name].maxLength),
      autocomplete: name === 'author' ? 'nickname' : 'off',
      error,
      describedBy: error === '' ? `${name}-hint` : `${name}-error ${name}-hint`,
    }
  })
  const problems = fields.filter((field) => field.error !== '')
  if (problems.length === 0) return { token: submission.token, fields, problems }
  const summary = formatCount(lang, t.form.problems, problems.length)
  return { token: submission.token, fields, problems, summary }
}

function describeProblem(lang: Language, words: FieldErrors, problem: TextProblem): string {
  return problem.kind === 'long' ? formatCount(lang, words.long, problem.by) : words[problem.kind]
}
