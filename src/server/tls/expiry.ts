/** When a certificate ends, in words and numbers, and when somebody has to hear of it. Pure. */

interface Validity {
  readonly validFromMs: number
  readonly validToMs: number
}

/** The end of a certificate that is served, for metrics. */
export interface CertificateEnd {
  /** As the configuration has it. */
  readonly file: string
  /** The first one that it is for; empty for one of addresses alone. */
  readonly name: string
  /** When it ends, in milliseconds since 1970. */
  readonly endsMs: number
  /** Until it ends, with fractions; below 0 afterwards. */
  readonly days: number
}

const DAY_MS = 86_400_000
/** Whoever renews by hand needs days; a certificate of six days is renewed every few. */
const WARN_MS = 14 * DAY_MS
const WARN_PART = 1 / 4

/** Whether it is high time to renew it. */
export function isEnding({ validFromMs, validToMs }: Validity, nowMs: number): boolean {
  return validToMs - nowMs < Math.min(WARN_MS, (validToMs - validFromMs) * WARN_PART)
}

export function daysLeft({ validToMs }: Validity, nowMs = Date.now()): number {
  return (validToMs - nowMs) / DAY_MS
}

/** `ends in 83 days (2027-02-18)` */
export function describeEnd(validity: Validity, nowMs = Date.now()): string {
  const { validToMs } = validity
  const days = Math.floor(daysLeft(validity, nowMs))
  const date = new Date(validToMs).toISOString().slice(0, 10)
  if (validToMs < nowMs) return `has expired (${date})`
  return `ends in ${days === 1 ? '1 day' : `${days} days`} (${date})`
}
