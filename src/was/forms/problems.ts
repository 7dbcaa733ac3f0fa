/**
 * What can be wrong with a field, and the English words for it. A site says it in its own words, per field
 * with zod's messages or for all with `words`. Called by `form.ts`.
 */
import type * as z from 'zod'

/** One thing that is wrong with one field, before it is put into words. */
export interface FormProblem {
  /** Name of the field; empty for the form as a whole. */
  readonly field: string
  readonly kind:
    | 'missing'
    | 'tooShort'
    | 'tooLong'
    | 'tooSmall'
    | 'tooBig'
    | 'tooFew'
    | 'tooMany'
    | 'step'
    | 'number'
    | 'wholeNumber'
    | 'date'
    | 'email'
    | 'url'
    | 'pattern'
    | 'choice'
    | 'fileTooLarge'
    | 'fileType'
    | 'repeated'
    | 'control'
    | 'unreadable'
    | 'wrong'
  /** The bound that was passed, where there is one: characters, the number, the day, bytes. */
  readonly limit?: number | string
  /** Further members of a zod issue's `params`. */
  readonly params?: Readonly<Record<string, unknown>>
}

type Words = (problem: FormProblem) => string

const WORDS: Readonly<Record<FormProblem['kind'], (limit: string) => string>> = {
  missing: () => 'Fill this in.',
  tooShort: (limit) => `Write at least ${limit} characters.`,
  tooLong: (limit) => `Write at most ${limit} characters.`,
  tooSmall: (limit) => `It has to be at least ${limit}.`,
  tooBig: (limit) => `It has to be at most ${limit}.`,
  tooFew: (limit) => `Choose at least ${limit}.`,
  tooMany: (limit) => `Choose at most ${limit}.`,
  step: (limit) => `It has to be a multiple of ${limit}.`,
  number: () => 'Write a number.',
  wholeNumber: () => 'Write a whole number.',
  date: () => 'Write a date and time.',
  email: () => 'Write an address like name@example.org.',
  url: () => 'Write an address like https://example.org/.',
  pattern: () => 'It does not have the form that is asked for.',
  choice: () => 'Choose one of these.',
  fileTooLarge: (limit) => `The file is larger than ${limit} bytes.`,
  fileType: (limit) => `The file has to be one of ${limit}.`,
  repeated: () => 'It was sent more than once.',
  control: () => 'It holds a character that cannot be shown.',
  unreadable: () => 'It holds a character that could not be read.',
  wrong: () => 'This is not right.',
}

export const inEnglish: Words = ({ kind, limit }) => WORDS[kind](String(limit ?? ''))

type Issue = z.core.$ZodRawIssue

/** What an issue of zod is, as a problem of a form. */
export function problemOf(issue: Issue): FormProblem {
  const field = String(issue.path?.[0] ?? '')
  const { kind, limit } = kindOf(issue)
  const params = issue.code === 'custom' ? issue['params'] : undefined
  return {
    field,
    kind,
    ...(limit !== undefined && { limit }),
    ...(params !== undefined && { params: params as Record<string, unknown> }),
  }
}

type Kind = Pick<FormProblem, 'kind' | 'limit'>

function kindOf(issue: Issue): Kind {
  switch (issue.code) {
    case 'invalid_type':
      return { kind: isMissing(issue.input) ? 'missing' : typeKind(String(issue['expected'])) }
    case 'too_small':
    case 'too_big':
      return boundKind(issue)
    case 'not_multiple_of':
      return { kind: 'step', limit: plain(issue['divisor']) }
    case 'invalid_format':
      return { kind: formatKind(String(issue['format'])) }
    case 'invalid_value':
      return { kind: isMissing(issue.input) || issue.input === false ? 'missing' : 'choice' }
    case 'invalid_union':
      return { kind: isMissing(issue.input) ? 'missing' : 'choice' }
    case 'custom':
      return customKind(issue)
    default:
      return { kind: 'wrong' }
  }
}

function isMissing(input: unknown): boolean {
  return input === undefined || input === null
}

function typeKind(expected: string): FormProblem['kind'] {
  if (expected === 'number') return 'number'
  if (expected === 'int' || expected === 'bigint') return 'wholeNumber'
  if (expected === 'date') return 'date'
  return expected === 'boolean' ? 'choice' : 'wrong'
}

function boundKind(issue: Issue): Kind {
  const isSmall = issue.code === 'too_small'
  const limit = plain(isSmall ? issue['minimum'] : issue['maximum'])
  if (issue['origin'] === 'string') return { kind: isSmall ? 'tooShort' : 'tooLong', limit }
  if (issue['origin'] === 'array') return { kind: isSmall ? 'tooFew' : 'tooMany', limit }
  return { kind: isSmall ? 'tooSmall' : 'tooBig', limit }
}

function formatKind(format: string): FormProblem['kind'] {
  if (format === 'email' || format === 'url') return format
  return ['date', 'time', 'datetime'].includes(format) ? 'date' : 'pattern'
}

/** `params.kind` and `params.limit` of a check of the site's own. */
function customKind(issue: Issue): Kind {
  const params = issue['params'] as { kind?: unknown; limit?: unknown } | undefined
  if (typeof params?.kind === 'string' && Object.hasOwn(WORDS, params.kind)) {
    const kind = params.kind as FormProblem['kind']
    return params.limit === undefined ? { kind } : { kind, limit: plain(params.limit) }
  }
  return { kind: isMissing(issue.input) ? 'missing' : 'wrong' }
}

function plain(limit: unknown): number | string {
  if (typeof limit === 'number') return limit
  return limit instanceof Date ? limit.toISOString() : String(limit)
}
