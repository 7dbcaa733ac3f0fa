/**
 * Sends a request that has come in clear to the same URL by TLS. Only hosts of the site are named: a redirect made of
 * whatever Host says would lead wherever its sender likes. Asked by the lane of connections in clear.
 */
import { TRUSTED_PROXIES } from '../http/forwarded.ts'
import { Reply } from '../http/reply.ts'
import { normalizeHost } from '../route/host-pattern.ts'
import { ALLOWED_HOSTS } from '../was/allowed-hosts.ts'
import { ACME_PREFIX } from './acme-challenges.ts'
import type { Application } from './application.ts'
import type { EngineRequest } from './engine-types.ts'
import type { NativeFields } from './native-fields.ts'

const HTTPS_PORT = 443

export class HttpsRedirect {
  /** Where the world reaches https. */
  port: number
  readonly #covers: (name: string) => boolean
  readonly #isReady: () => boolean

  /**
   * `covers`: whether a certificate is for this host; asked where the site has no `allowedHosts`. `isReady`: whether there
   * is one at all; while the first is on its way the site is served in clear.
   */
  constructor(port: number, covers: (name: string) => boolean, isReady: () => boolean) {
    this.port = port
    this.#covers = covers
    this.#isReady = isReady
  }

  /**
   * `named` is Host. The redirect, which keeps the method (308), 421, or what the site says, for a host of somebody else, or null for what is answered in
   * clear: the site's health, challenges of a certificate authority, and what a trusted proxy has had by TLS.
   */
  answer(
    { services, tellsHealth }: Application,
    named: string,
    req: EngineRequest,
    fieldsOf: () => NativeFields,
  ): Reply | 421 | 404 | null {
    const path = req.getUrl()
    if (!this.#isReady() || path.startsWith(ACME_PREFIX) || tellsHealth(path, named)) return null
    let host = named
    if (services.find(TRUSTED_PROXIES) !== undefined) {
      const client = fieldsOf().clientFor(services, false)
      if (client.scheme === 'https') return null
      host = client.host
    }
    const name = normalizeHost(host)
    const hosts = services.find(ALLOWED_HOSTS)
    const isOurs = hosts === undefined ? this.#covers(name) : hosts.allows(host)
    if (name === '' || !isOurs) return hosts?.refusal === 404 ? 404 : 421
    const authority = this.port === HTTPS_PORT ? name : `${name}:${this.port}`
    const query = req.getQuery()
    const target = visible(query === undefined ? path : `${path}?${query}`)
    return new Reply(308, null, null).append('Location', `https://${authority}${target}`)
  }
}

/** Bytes beyond ASCII come as Latin-1 or as UTF-8, whatever the client has sent; a Location has neither. */
function visible(target: string): string {
  return target.replace(/[^\x21-\x7e]+/g, (run) => encodeURIComponent(run.toWellFormed()))
}
