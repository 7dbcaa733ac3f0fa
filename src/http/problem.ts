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
}

/**
 * Members `type` (always `about:blank`: the status says what kind of problem it is), `title` (its reason
 * phrase), `status`, `detail` where there is one that says more, and `instance`.
 */
export function problemJson({ status, detail, requestId }: Problem): string {
  const title = reasonOf(status)
  return JSON.stringify({
    type: 'about:blank',
    title,
    status,
    ...(detail === '' || detail === title ? {} : { detail }),
    instance: `urn:uuid:${requestId}`,
  })
}
