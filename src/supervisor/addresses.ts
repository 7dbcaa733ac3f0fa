/** Where a server listens, as its supervisor has to know it: made of a configuration by a worker. */

import type { FrontAddress } from '../server/front.ts'
import { addressesOf, type SiteAddress, SOCKET_MODE } from '../was/address.ts'
import type { SiteConfig } from '../was/config.ts'

export interface SocketAddress extends SiteAddress {
  readonly isTls: boolean
}

/** In clear first; of each kind the first one is what the server is known by. */
export function socketAddresses(config: SiteConfig): SocketAddress[] {
  const { host, tls } = config
  const clear = addressesOf(config).map((one) => ({ ...one, isTls: false }))
  if (tls === null) return clear
  const usual = [{ host, port: tls.port, path: null, mode: SOCKET_MODE }]
  return [...clear, ...(tls.listen ?? usual).map((one) => ({ ...one, isTls: true }))]
}

/** What of a configuration says where it listens. */
export interface Listening {
  readonly addresses: readonly SocketAddress[]
  /** Of `listen` and `tls.listen` those that say it; else `host` and the port do. */
  readonly lists: readonly string[]
}

export function listsOf({ listen, tls }: SiteConfig): string[] {
  return [
    ...(listen === null ? [] : ['listen']),
    ...((tls?.listen ?? null) === null ? [] : ['tls.listen']),
  ]
}

/** The keys that say other addresses than before. */
export function changedAddresses(before: Listening, after: Listening): string[] {
  return [...new Set([...changed(before, after, false), ...changed(before, after, true)])]
}

function changed(before: Listening, after: Listening, isTls: boolean): string[] {
  const both = [before, after]
  const [old = [], now = []] = both.map(({ addresses }) =>
    addresses.filter((one) => one.isTls === isTls),
  )
  if (JSON.stringify(old) === JSON.stringify(now)) return []
  if (old.length === 0 || now.length === 0) return ['tls']
  const list = isTls ? 'tls.listen' : 'listen'
  if (both.some(({ lists }) => lists.includes(list))) return [list]
  const [one, other] = [old[0], now[0]]
  return [
    ...(one?.host === other?.host ? [] : ['host']),
    ...(one?.port === other?.port ? [] : [isTls ? 'tls.port' : 'port']),
  ]
}

/** As a server in this process takes them. */
export function frontAddresses(addresses: readonly SocketAddress[]): FrontAddress[] {
  return addresses.map(({ host, port, path, mode }) => ({
    host: host ?? undefined,
    port,
    path: path ?? undefined,
    mode,
  }))
}
