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

/** The keys that say other addresses than before. */
export function changedAddresses(
  before: readonly SocketAddress[],
  after: readonly SocketAddress[],
): string[] {
  return [...changed(before, after, false), ...changed(before, after, true)]
}

function changed(
  before: readonly SocketAddress[],
  after: readonly SocketAddress[],
  isTls: boolean,
): string[] {
  const [old, now] = [before, after].map((all) => all.filter((one) => one.isTls === isTls))
  if (JSON.stringify(old) === JSON.stringify(now)) return []
  const [one, other] = [old?.[0], now?.[0]]
  const isPlain =
    old?.length === 1 && now?.length === 1 && one?.path === null && other?.path === null
  if (!isPlain) return [isTls ? 'tls' : 'listen']
  if (isTls) {
    if (one?.port !== other?.port) return ['tls.port']
    return one?.host === other?.host ? [] : ['tls.listen']
  }
  return (['host', 'port'] as const).filter((key) => one?.[key] !== other?.[key])
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
