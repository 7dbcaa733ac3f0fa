/**
 * Who the client of a request is when proxies stand between: told by their fields, and believed from
 * known networks only, read from the nearest proxy outwards (RFC 7239 section 5.2; X-Forwarded-For by
 * custom). Made by `app.ts`, asked through the request.
 */
import { isIP, isIPv6 } from 'node:net'
import { createError } from '../core/errors.ts'
import type { ServiceKey, Services } from '../core/services.ts'
import { Networks } from './networks.ts'

/** Which proxies are believed, and by which of their fields. */
export interface TrustedProxiesOptions {
  /**
   * Networks (`10.0.0.0/8`, `fd00::/8`), addresses, `loopback` and `private` (RFC 1918, RFC 4193), or `unix`: whoever
   * comes by a unix socket.
   */
  readonly networks: readonly string[]
  /**
   * The field that these proxies set, replacing or extending what a client sends: of the other one a client
   * may send what it likes. Default `x-forwarded-for` (with X-Forwarded-Proto and X-Forwarded-Host).
   */
  readonly field?: 'x-forwarded-for' | 'forwarded' | undefined
}

/** A request's client as the nearest trusted proxy tells it, or as the connection does. */
export interface Client {
  readonly address: string
  readonly scheme: 'http' | 'https'
  /** Host and port as the client named them. */
  readonly host: string
}

/** What is asked of a request. */
export interface Forwarded {
  readonly remoteAddress: string
  readonly secure: boolean
  header(name: string): string | undefined
}

export const TRUSTED_PROXIES: ServiceKey<TrustedProxies> = {
  name: 'trusted proxies',
  hint: 'set `trustedProxies` in uwas.config.ts',
}

/** A proxy in front of it as nobody expects; longer chains are somebody's play. */
const MAX_HOPS = 32
const HOST = /^(?:[A-Za-z0-9._~-]+|\[([0-9A-Fa-f:.]+)\])(?::\d{1,5})?$/

export class TrustedProxies {
  readonly #networks: Networks
  readonly #field: 'x-forwarded-for' | 'forwarded'

  /** Throws UWAS_ERR_HTTP_TRUSTED_PROXY for what is no network. */
  constructor({ networks, field = 'x-forwarded-for' }: TrustedProxiesOptions) {
    this.#networks = new Networks(networks, (network) =>
      createError('UWAS_ERR_HTTP_TRUSTED_PROXY', { network }),
    )
    this.#field = field
  }

  /** Reads the chain from the end; the first address that is no trusted proxy is the client. */
  clientOf(req: Forwarded): Client {
    const direct = clientOf(req)
    if (!this.#networks.has(direct.address)) return direct
    return this.#field === 'forwarded'
      ? this.#byForwarded(req, direct)
      : this.#byCustom(req, direct)
  }

  #byCustom(req: Forwarded, direct: Client): Client {
    const chain = (req.header('x-forwarded-for') ?? '').split(',').map((one) => one.trim())
    const address = this.#outermost(chain.map(addressOf), direct.address)
    const scheme = lastOf(req.header('x-forwarded-proto'))
    const host = lastOf(req.header('x-forwarded-host'))
    return { address, scheme: schemeOf(scheme, direct), host: hostOf(host, direct) }
  }

  #byForwarded(req: Forwarded, direct: Client): Client {
    const hops = elementsOf(req.header('forwarded') ?? '').map(parametersOf)
    const nearest = hops.at(-1)
    return {
      address: this.#outermost(
        hops.map((hop) => addressOf(hop.get('for') ?? '')),
        direct.address,
      ),
      scheme: schemeOf(nearest?.get('proto'), direct),
      host: hostOf(nearest?.get('host'), direct),
    }
  }

  /** `unknown` and anything that is no address end the chain: beyond it nobody vouches for anything. */
  #outermost(chain: readonly (string | undefined)[], direct: string): string {
    let client = direct
    for (const address of chain.slice(-MAX_HOPS).reverse()) {
      if (address === undefined) return client
      client = address
      if (!this.#networks.has(client)) return client
    }
    return client
  }
}

/** As the site believes it: by its trusted proxies, where it has some. */
export function findClient(services: Services, req: Forwarded): Client {
  return services.find(TRUSTED_PROXIES)?.clientOf(req) ?? clientOf(req)
}

/** The connection's own client, where no proxy is believed. */
export function clientOf(req: Forwarded): Client {
  return {
    address: req.remoteAddress,
    scheme: req.secure ? 'https' : 'http',
    host: req.header('host') ?? '',
  }
}

/** `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]:80`, `2001:db8::1` → the address; undefined for anything else. */
function addressOf(text: string): string | undefined {
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1]
  const bare = bracketed ?? (/^\d+\.\d+\.\d+\.\d+:\d{1,5}$/.test(text) ? text.split(':')[0] : text)
  if (bare === undefined || isIP(bare) === 0) return undefined
  return bare.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')
}

function lastOf(list: string | undefined): string | undefined {
  return list?.split(',').at(-1)?.trim()
}

function schemeOf(text: string | undefined, direct: Client): Client['scheme'] {
  const lower = text?.toLowerCase()
  return lower === 'https' || lower === 'http' ? lower : direct.scheme
}

function hostOf(text: string | undefined, direct: Client): string {
  const [host, ipv6] = HOST.exec(text ?? '') ?? []
  return host === undefined || (ipv6 !== undefined && !isIPv6(ipv6)) ? direct.host : host
}

/** `for=192.0.2.1;proto=https` → its parameters by lower-case name; values without their quotes. */
function parametersOf(element: string): Map<string, string> {
  const parameters = new Map<string, string>()
  for (const pair of splitOutsideQuotes(element, ';') ?? []) {
    const equals = pair.indexOf('=')
    if (equals < 0) continue
    const value = pair.slice(equals + 1).trim()
    const unquoted = /^"(.*)"$/s.exec(value)?.[1]?.replace(/\\(.)/gs, '$1') ?? value
    parameters.set(pair.slice(0, equals).trim().toLowerCase(), unquoted)
  }
  return parameters
}

/**
 * A client that leaves a quote open would swallow what the proxy appends and speak in its name, so of a
 * value that ends inside a quote only what follows its last comma counts: the proxy's own element.
 */
function elementsOf(value: string): string[] {
  return splitOutsideQuotes(value, ',') ?? [value.slice(value.lastIndexOf(',') + 1)]
}

/** Null for a text that ends inside a quote. */
function splitOutsideQuotes(text: string, separator: string): string[] | null {
  const parts: string[] = []
  let from = 0
  let isQuoted = false
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\' && isQuoted) i++
    else if (text[i] === '"') isQuoted = !isQuoted
    else if (text[i] === separator && !isQuoted) {
      parts.push(text.slice(from, i))
      from = i + 1
    }
  }
  return isQuoted ? null : [...parts, text.slice(from)]
}
