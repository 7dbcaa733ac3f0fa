/** uwas and nginx by TLS, each with an offer of HTTP/2 beside one without: what the offer costs clients that speak HTTP/1.1. */
import { nginxSecure } from './nginx.ts'
import type { Rival } from './rival.ts'
import { uwasConfigured } from './uwas.ts'

export const secureRivals: readonly Rival[] = [
  offering('uwas, HTTP/1.1 alone', false),
  offering('uwas, HTTP/2 too', true),
  ...nginxSecure,
]

function offering(name: string, http2: boolean): Rival {
  return uwasConfigured(name, ({ secure }) => {
    if (secure === undefined) throw new Error(`${name} is for scenarios that are secure`)
    const { port, certFile, keyFile } = secure
    return { tls: { port, certificates: [{ certFile, keyFile }], http2 } }
  })
}
