/**
 * Problem details for HTTP APIs (RFC 9457): what an error's reply says to a program. A status and words
 * come in, a JSON text leaves. Called by the error pages.
 */
import { reasonOf } from './status.ts'

export const PROBLEM_TYPE = 'application/problem+json'

export interface Problem {
  readonly status: number
  /** What happened this time, safe to show; empty for nothing. */
  readonly detail: string
  /** Names this occurrence: a UUID. */
  readonly requestId: string
  /** What is wrong with which field; empty for nothing. */
  readonly problems: Readonly<Record<string, string>>
}

/**
 * Members `type` (always `about:blank`: the status says what kind of problem it is), `title` (its reason
 * phrase), `errors` where fields are wrong (a JSON pointer to each, RFC 9457 section 3), `status`, `detail` where there is one that says more, and `instance`.
 */
export function problemJson({ status, detail, requestId, problems }: Problem): string {
  const title = reasonOf(status)
  return JSON.stringify({
    type: 'about:blank',
    title,
    status,
    ...(detail === '' || detail === title ? {} : { detail }),
    ...(Object.keys(problems).length === 0 ? {} : { errors: listErrors(problems) }),
    instance: `urn:uuid:${requestId}`,
  })
}

function listErrors(problems: Problem['problems']): { detail: string; pointer: string }[] {
  return Object.entries(problems).map(([field, detail]) => ({
    detail,
    // RFC 6901: of a key only these two characters are written otherwise.
    pointer: `#/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`,
  }))
}
