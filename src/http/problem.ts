/**
 * Problem details for HTTP APIs (RFC 9457): what an error's reply says to a program. A status and words
 * come in, a JSON text leaves. Called by the error pages.
 */
import { reasonOf } from './status.ts'

export const PROBLEM_TYPE = 'application/problem+json'

/** One thing that is wrong, and where in the request. */
export interface ProblemPlace {
  readonly detail: string
  /** In its JSON body: a JSON pointer as a URI fragment (RFC 6901 section 6). */
  readonly pointer?: string
  /** Of its query or its path: the name. */
  readonly parameter?: string
}

export interface Problem {
  readonly status: number
  /** What happened this time, safe to show; empty for nothing. */
  readonly detail: string
  /** Names this occurrence: a UUID. */
  readonly requestId: string
  /** What is wrong with which field; empty for nothing. */
  readonly problems: Readonly<Record<string, string>>
  /** The same with its place; default none. */
  readonly places?: readonly ProblemPlace[]
}

/**
 * Members `type` (always `about:blank`: the status says what kind of problem it is), `title` (its reason
 * phrase), `errors` where fields are wrong (a JSON pointer to each, RFC 9457 section 3), `status`, `detail` where there is one that says more, and `instance`.
 */
export function problemJson(problem: Problem): string {
  const { status, detail, requestId, problems, places = [] } = problem
  const errors = [...listErrors(problems), ...places]
  const title = reasonOf(status)
  return JSON.stringify({
    type: 'about:blank',
    title,
    status,
    ...(detail === '' || detail === title ? {} : { detail }),
    ...(errors.length === 0 ? {} : { errors }),
    instance: `urn:uuid:${requestId}`,
  })
}

function listErrors(problems: Problem['problems']): ProblemPlace[] {
  return Object.entries(problems).map(([field, detail]) => ({
    detail,
    pointer: pointerOf([field]),
  }))
}

/** Where in JSON a path of keys leads, as a URI fragment. */
export function pointerOf(path: readonly PropertyKey[]): string {
  const parts = path.map((key) => String(key).replaceAll('~', '~0').replaceAll('/', '~1'))
  return `#${parts.map((part) => `/${part}`).join('')}`
}
