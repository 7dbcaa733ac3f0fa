/** 429 in words and fields, and who is counted together by address. Called by limits and accounts. */
import type { HeaderList } from '../../http/headers.ts'
import { HttpError } from '../../http/http-error.ts'
import { clientNetwork } from '../../http/network.ts'
import type { Request } from '../../http/request.ts'

/** The client of a request as a key: an IPv4 address, or the /64 of an IPv6 one. */
export function addressKey(req: Request): string {
  return clientNetwork(req.client.address)
}

/** 429 (RFC 6585 section 4) with the time to wait (Retry-After, RFC 9110 section 10.2.3). */
export function tooMany(retryMs: number, fields: HeaderList = []): HttpError {
  const wait = wholeSeconds(retryMs)
  const message = `too many requests; try again in ${wait} ${wait === 1 ? 'second' : 'seconds'}`
  return new HttpError(429, message, { headers: [['Retry-After', String(wait)], ...fields] })
}

/** Never 0: who comes back at once would be told the same. */
export function wholeSeconds(ms: number): number {
  // Sums of clock readings are no whole numbers: a hundredth of a millisecond is no second more.
  return Math.max(1, Math.ceil((ms - 0.01) / 1000))
}
