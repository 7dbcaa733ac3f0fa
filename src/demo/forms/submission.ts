/**
 * One filled-in form: `URLSearchParams` in, clean values and problems out, and the fingerprint by
 * which a form that is sent twice is known. Used by the views that write.
 */
import { createHash } from 'node:crypto'
import { checkText, cleanText, type TextProblem, type TextRule } from './text.ts'

export const POST_RULES = {
  author: { maxLength: 30, multiline: false },
  title: { maxLength: 80, multiline: false },
  body: { maxLength: 4000, multiline: true },
} as const satisfies Record<string, TextRule>

export const COMMENT_RULES = {
  author: { maxLength: 30, multiline: false },
  comment: { maxLength: 1000, multiline: true },
} as const satisfies Record<string, TextRule>

export type PostField = keyof typeof POST_RULES
export type CommentField = keyof typeof COMMENT_RULES

export interface Submission<K extends string> {
  /** Cleaned values of all fields, valid or not: what the form shows again. */
  readonly values: Record<K, string>
  /** In the order of the fields; empty when everything is fine. */
  readonly problems: Map<K, TextProblem>
  /** The form's hidden token, or a fresh one where none came. */
  readonly token: string
  /**
   * UUID made of token and values: equal when the same form with the same words comes again, so a
   * double click makes one post, and going back to write something else makes another.
   */
  readonly fingerprint: string
}

/** What `describeForm` needs of a submission. */
export type FormState<K extends string> = Pick<Submission<K>, 'values' | 'problems' | 'token'>

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export function isUuid(text: string | null | undefined): text is string {
  return typeof text === 'string' && UUID.test(text)
}

/** A form that nobody has filled in yet, but for what is known already. */
export function blankForm<K extends string>(
  rules: Readonly<Record<K, TextRule>>,
  known: Partial<Record<K, string>>,
): FormState<K> {
  const values = {} as Record<K, string>
  for (const name of Object.keys(rules) as K[]) values[name] = known[name] ?? ''
  return { values, problems: new Map(), token: crypto.randomUUID() }
}

/** Reads the fields that `rules` names; others are ignored, missing ones are empty. */
export function readSubmission<K extends string>(
  form: URLSearchParams,
  rules: Readonly<Record<K, TextRule>>,
): Submission<K> {
  const values = {} as Record<K, string>
  const problems = new Map<K, TextProblem>()
  for (const name of Object.keys(rules) as K[]) {
    values[name] = cleanText(form.get(name) ?? '', rules[name])
    const problem = checkText(values[name], rules[name])
    if (problem !== undefined) problems.set(name, problem)
  }
  const sent = form.get('token')
  const token = isUuid(sent) ? sent : crypto.randomUUID()
  return { values, problems, token, fingerprint: fingerprintOf(token, Object.values(values)) }
}

/** A UUID of version 8 (RFC 9562 section 5.8) from a hash of token and values. */
function fingerprintOf(token: string, values: readonly string[]): string {
  const hex = createHash('sha256')
    .update(JSON.stringify([token, ...values]))
    .digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
