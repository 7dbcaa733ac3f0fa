/** When a certificate that has been ordered is to be ordered again. Gets its file's text, leaves a time. Pure. */
import { X509Certificate } from 'node:crypto'

/** A third of its life is left: what certificate authorities advise, and time to put right what fails. */
const PART = 1 / 3
/** Of that third, over which servers spread their orders. */
const JITTER = 1 / 10

/** The certificate that a file begins with; null where it holds none that is for `name`. */
export function readIssued(text: string | null, name: string): X509Certificate | null {
  if (text === null) return null
  try {
    const found = new X509Certificate(text.slice(text.indexOf('-----BEGIN CERTIFICATE-----')))
    return found.checkHost(name) === undefined ? null : found
  } catch {
    return null
  }
}

/** In milliseconds since 1970; 0 for none, and for one that has expired. `jitter` is from 0 to 1. */
export function renewalMs(issued: X509Certificate | null, jitter: number, nowMs: number): number {
  if (issued === null) return 0
  const [fromMs, toMs] = [Date.parse(issued.validFrom), Date.parse(issued.validTo)]
  if (toMs <= nowMs) return 0
  const third = (toMs - fromMs) * PART
  return toMs - third * (1 - JITTER * jitter)
}
