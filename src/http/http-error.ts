/** What a view throws to answer with an error status: a page or problem details is made of it. */
import { createError, isCodedError } from '../core/errors.ts'
import { checkReplyHeader, type HeaderList } from './headers.ts'
import type { ProblemPlace } from './problem.ts'
import { reasonOf } from './status.ts'

/**
 * Answers the request with `status` (400 to 599). The message is shown to the client, so it must not
 * hold secrets; without one the reason phrase stands. Throws UWAS_ERR_HTTP_ERROR_STATUS, and for
 * `headers` what `Reply.append` throws.
 */
export class HttpError extends Error {
  readonly status: number
  readonly headers: HeaderList
  /** What is wrong with which field of the request; shown to programs (RFC 9457 calls it an extension). */
  readonly problems: Readonly<Record<string, string>>
  /** The same for what is no field alone: a place deep in JSON, a parameter of the query. */
  readonly places: readonly ProblemPlace[]

  constructor(
    status: number,
    message: string = reasonOf(status),
    options: {
      headers?: HeaderList
      problems?: Readonly<Record<string, string>>
      places?: readonly ProblemPlace[]
      cause?: unknown
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HttpError'
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw createError('UWAS_ERR_HTTP_ERROR_STATUS', { status })
    }
    this.status = status
    this.headers = options.headers ?? []
    this.problems = options.problems ?? {}
    this.places = options.places ?? []
    for (const [name, value] of this.headers) checkReplyHeader(name, value)
  }
}

/** 404. Thrown as `throw notFound()`; the message is shown to the client. */
export function notFound(message?: string): HttpError {
  return new HttpError(404, message)
}

/**
 * 422: the request is well-formed and says something that cannot be (RFC 9110 section 15.5.21). `problems`
 * by field, safe to show: `throw invalid({ title: 'is longer than 80 characters' })`.
 */
export function invalid(problems: Readonly<Record<string, string>>): HttpError {
  const message = Object.entries(problems)
    .map(([field, problem]) => `${field} ${problem}`)
    .join('; ')
  return new HttpError(422, message === '' ? undefined : message, { problems })
}

/** The status that an error thrown by a view stands for: its own, else 500. */
export function statusOf(error: unknown): number {
  if (error instanceof HttpError || isCodedError(error)) return error.status
  return 500
}
