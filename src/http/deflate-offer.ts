/**
 * Chooses among the offers of a WebSocket client's Sec-WebSocket-Extensions, for the engine takes any of them,
 * also with parameters that it does not keep. Pure; called by `server/socket-lane.ts`.
 */

const NAME = 'permessage-deflate'
const WINDOW_BITS = /^(?:[89]|1[0-5])$/

/**
 * `permessage-deflate` where one of the offers can be accepted without telling of a smaller window, else empty
 * (RFC 7692 section 7.1): an offer with a parameter that is unknown, twice, of a wrong value, or that would bind
 * the server (`server_max_window_bits`) is declined. What the others ask for is done in any case, or need not be.
 */
export function deflateOffer(extensions: string): string {
  return extensions.split(',').some(isAcceptable) ? NAME : ''
}

function isAcceptable(offer: string): boolean {
  const [name, ...parameters] = offer.split(';').map((part) => part.trim())
  if (name?.toLowerCase() !== NAME) return false
  const seen = new Set<string>()
  return parameters.every((parameter) => {
    const [key = '', value] = parameter.split('=', 2).map((part) => part.trim())
    const lower = key.toLowerCase()
    if (seen.has(lower)) return false
    seen.add(lower)
    return isKept(lower, value?.replace(/^"(.*)"$/, '$1'))
  })
}

function isKept(key: string, value: string | undefined): boolean {
  switch (key) {
    case 'server_no_context_takeover':
    case 'client_no_context_takeover':
      return value === undefined
    case 'client_max_window_bits':
      return value === undefined || WINDOW_BITS.test(value)
    default:
      return false
  }
}
