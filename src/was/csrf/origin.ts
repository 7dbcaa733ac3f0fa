/**
 * What a browser says of where a request comes from: Sec-Fetch-Site (Fetch Metadata), else Origin (Fetch
 * standard, RFC 6454). Pages cannot set either. Called by `guard.ts`.
 */
import type { Request } from '../../http/request.ts'

/** `own`: from a page of this origin, or of one that is trusted. `unknown`: nothing is said. */
export type Word = { readonly from: 'own' | 'unknown' } | { readonly problem: string }

export function browserWord(req: Request, trusted: readonly string[]): Word {
  const origin = req.header('origin')
  if (origin !== undefined && trusted.includes(origin.toLowerCase())) return { from: 'own' }
  const site = req.header('sec-fetch-site')
  // `none`: the user's own doing, as typing an address; no page can bring it about.
  if (site === 'same-origin' || site === 'none') return { from: 'own' }
  if (site !== undefined) {
    const of = origin === undefined ? '' : ` of ${origin}`
    return { problem: `the browser says that it comes from a page${of} (Sec-Fetch-Site: ${site})` }
  }
  if (origin === undefined) return { from: 'unknown' }
  const { scheme, host } = req.client
  if (isOwn(origin, scheme, host)) return { from: 'own' }
  return { problem: `it comes from the origin ${origin}, and this is ${scheme}://${host}` }
}

/** A site behind TLS that it does not know of sees its own https pages as strangers but for the scheme. */
function isOwn(origin: string, scheme: string, host: string): boolean {
  const from = parse(origin)
  if (from === undefined || (scheme === 'https' && from.protocol !== 'https:')) return false
  return from.host === parse(`${from.protocol}//${host}`)?.host
}

function parse(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined
}
