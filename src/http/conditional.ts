/**
 * Whether a conditional request gets the representation. One function holds the order in which RFC
 * 9110 section 13.2.2 has the preconditions evaluated; whoever answers with validators calls it.
 */
import { parseHttpDate } from './date.ts'
import { matchesEtag } from './etag.ts'

/** Precondition fields of a request as sent; the empty string for a field that it does not have. */
export interface Preconditions {
  readonly ifMatch: string
  readonly ifUnmodifiedSince: string
  readonly ifNoneMatch: string
  readonly ifModifiedSince: string
}

/** What the current representation is known by. */
export interface Validators {
  /** The whole tag with its quotes, `W/` in front when weak; empty where there is none. */
  readonly etag: string
  /** Last modification in milliseconds, whole seconds; NaN where it is not known. */
  readonly lastModifiedMs: number
}

/** `proceed`: do it. `notModified`: 304, the client has it. `failed`: 412, the client meant another one. */
export type Verdict = 'proceed' | 'notModified' | 'failed'

/** A date says which version it was once this much time had passed since (section 8.8.2.2). */
const STRONG_DATE_MS = 1000

/** For a representation that exists. `isRead`: the method is GET or HEAD. */
export function evaluatePreconditions(
  conditions: Preconditions,
  current: Validators,
  isRead: boolean,
): Verdict {
  const { ifMatch, ifUnmodifiedSince, ifNoneMatch, ifModifiedSince } = conditions
  if (ifMatch !== '') {
    if (!matchesEtag(ifMatch, current.etag, 'strong')) return 'failed'
  } else if (ifUnmodifiedSince !== '') {
    if (isModifiedSince(ifUnmodifiedSince, current)) return 'failed'
  }
  if (ifNoneMatch !== '') {
    if (!matchesEtag(ifNoneMatch, current.etag)) return 'proceed'
    return isRead ? 'notModified' : 'failed'
  }
  if (isRead && ifModifiedSince !== '') {
    return isUnmodifiedSince(ifModifiedSince, current) ? 'notModified' : 'proceed'
  }
  return 'proceed'
}

/**
 * Whether a Range may be honoured in spite of its If-Range (section 13.1.5): the representation is still
 * the one that the client has a part of. A weak tag or a date of this very second never says so. Where several
 * representations have one date, `current` has none (section 8.8.1).
 */
export function isSamePart(ifRange: string, current: Validators, nowMs: number): boolean {
  if (ifRange.startsWith('"')) return ifRange === current.etag
  const { lastModifiedMs } = current
  return parseHttpDate(ifRange) === lastModifiedMs && nowMs - lastModifiedMs >= STRONG_DATE_MS
}

/** An invalid date, or a representation without one, compares as modified (section 13.1.3). */
function isUnmodifiedSince(date: string, current: Validators): boolean {
  return current.lastModifiedMs <= parseHttpDate(date)
}

/** An invalid date, or a representation without one: the field is ignored (section 13.1.4). */
function isModifiedSince(date: string, current: Validators): boolean {
  return current.lastModifiedMs > parseHttpDate(date)
}
