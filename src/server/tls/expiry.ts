/** When a certificate ends, in words, and when somebody has to hear of it. Pure. */

interface Validity {
  readonly validFromMs: number
  readonly validToMs: number
}

const DAY_MS = 86_400_000
/** Whoever renews by hand needs days; a certificate of six days is renewed every few. */
const WARN_MS = 14 * DAY_MS
const WARN_PART = 1 / 4

/** Whether it is high time to renew it. */
export function isEnding({ validFromMs, validToMs }: Validity, nowMs: number): boolean {
  return validToMs - nowMs < Math.min(WARN_MS, (validToMs - validFromMs) * WARN_PART)
}

/** `ends in 83 days (2027-02-18)` */
export function describeEnd({ validToMs }: Validity, nowMs = Date.now()): string {
  const days = Math.floor((validToMs - nowMs) / DAY_MS)
  const date = new Date(validToMs).toISOString().slice(0, 10)
  if (validToMs < nowMs) return `has expired (${date})`
  return `ends in ${days === 1 ? '1 day' : `${days} days`} (${date})`
}
