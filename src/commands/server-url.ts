/** The address that a server tells its user. Called by the commands that serve. */

/** Addresses that a browser on this machine reaches as localhost. */
const LOCAL: ReadonlySet<string> = new Set(['0.0.0.0', '::', '127.0.0.1', '::1'])

/** The address to open in a browser on this machine. */
export function serverUrl(host: string | null, port: number, scheme = 'http'): string {
  if (host === null || LOCAL.has(host)) return `${scheme}://localhost:${port}`
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Where something is served, with its port. */
export interface ServedAddress {
  readonly host: string | null
  readonly port: number
  /** Of a unix socket. */
  readonly path: string | null
  readonly isTls: boolean
}

/** What its user opens, or gives to a proxy. */
export function addressUrl({ host, port, path, isTls }: ServedAddress): string {
  if (path !== null) return `unix:${path}`
  return serverUrl(host, port, isTls ? 'https' : 'http')
}
