/**
 * The hosts that a site answers for. A request for any other was not meant for it: 421 where the site says nothing else,
 * since the server is "unwilling to produce an authoritative response for the target URI" (RFC 9110 section 15.5.20); 400
 * would say that the request is malformed, which it is not. Made by `app.ts`, asked by the lanes, and behind proxies by a middleware.
 */
import type { ServiceKey } from '../core/services.ts'
import { HttpError } from '../http/http-error.ts'
import type { Middleware } from '../http/view.ts'
import { normalizeHost } from '../route/host-pattern.ts'

/** The site's hosts, in `req.services`; not there where it answers for all. */
export const ALLOWED_HOSTS: ServiceKey<AllowedHosts> = {
  name: 'allowed hosts',
  hint: 'set `allowedHosts` in uwas.config.ts',
}

/** What a request for another host gets: a status, or the end of its connection without a word. */
export type UnknownHosts = 421 | 404 | 'close'

/** Names that always mean the machine itself (RFC 6761 section 6.3), and its addresses. */
const LOOPBACK = /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

export class AllowedHosts {
  readonly #names: ReadonlySet<string>
  /** `.example.org` of `*.example.org`. */
  readonly #ends: readonly string[]
  readonly #allowsLoopback: boolean
  /** What others get. */
  readonly refusal: UnknownHosts
  /** As it came: nearly always the same. */
  #last: string

  /** Names and `*.` names as the configuration has them; `allowsLoopback` in development. */
  constructor(hosts: readonly string[], allowsLoopback: boolean, refusal: UnknownHosts = 421) {
    this.#names = new Set(hosts.filter((host) => !host.startsWith('*.')))
    this.#ends = hosts.filter((host) => host.startsWith('*.')).map((host) => host.slice(1))
    this.#allowsLoopback = allowsLoopback
    this.refusal = refusal
    this.#last = ''
  }

  /** Of a valid Host: case, port and a dot at its end do not count. */
  allows(host: string): boolean {
    if (host !== '' && host === this.#last) return true
    const name = normalizeHost(host)
    const isAllowed =
      this.#names.has(name) ||
      this.#ends.some((end) => name.endsWith(end) && name.length > end.length) ||
      (this.#allowsLoopback && isLoopback(name))
    if (isAllowed) this.#last = host
    return isAllowed
  }
}

/** Of a name without port, in small letters. */
export function isLoopback(name: string): boolean {
  return LOOPBACK.test(name)
}

/**
 * Behind proxies, which say what host the client has named (`req.client`), and whose connections are not closed.
 * Outermost of a site's middleware.
 */
export function refuseOtherHosts(hosts: AllowedHosts): Middleware {
  return (req, next) => {
    if (hosts.allows(req.client.host)) return next()
    throw new HttpError(hosts.refusal === 404 ? 404 : 421)
  }
}
