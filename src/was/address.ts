/**
 * An address that a site listens on, complete. Made of a configuration by `listen.ts`. It has no schema beside it, since the
 * supervisor uses it, which reads no configuration.
 */

export interface SiteAddress {
  /** Null: all. */
  readonly host: string | null
  /** 0: any free one, or none where there is a path. */
  readonly port: number
  /** Of a unix socket; null: TCP. */
  readonly path: string | null
  readonly mode: number
}

export const SOCKET_MODE = 0o666

/** Where a site listens in clear; there is always one. */
export function addressesOf(site: {
  readonly host: string | null
  readonly port: number
  readonly listen: readonly SiteAddress[] | null
}): readonly SiteAddress[] {
  return site.listen ?? [{ host: site.host, port: site.port, path: null, mode: SOCKET_MODE }]
}

/** As people write it: `*:80`, `[::1]:80`, `unix:/run/site.sock`. */
export function nameOf({ host, port, path }: Pick<SiteAddress, 'host' | 'port' | 'path'>): string {
  if (path !== null) return `unix:${path}`
  return `${host === null ? '*' : host.includes(':') ? `[${host}]` : host}:${port}`
}
