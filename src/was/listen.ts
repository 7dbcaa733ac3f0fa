/**
 * Where a site listens: the keys `listen` and `tls.listen`, as their author writes them and complete. Read by
 * `config.ts`; listened on by what serves.
 */
import { resolve } from 'node:path'
import * as z from 'zod'
import { nameOf, type SiteAddress, SOCKET_MODE } from './address.ts'
import { DEFAULT_PORT, DEFAULT_TLS_PORT } from './port.ts'

/** A unix socket, for a proxy on the same machine. */
export interface UnixSocket {
  /** Relative to the configuration file. */
  readonly path: string
  /** Its permissions: who may write may connect. Default 0o666, as who reaches a port of the machine may. */
  readonly mode?: number | undefined
}

/** `'80'` or `'*:80'` for all addresses, `'127.0.0.1:80'`, `'[::1]:80'`, `'example.org:80'`, `'unix:run/site.sock'`. */
export type ListenAddress = string | UnixSocket

const unixSchema = z.strictObject({
  path: z.string().regex(/./, 'is empty; name a file'),
  mode: z.int().min(0).max(0o777).optional(),
})

export const LISTEN_KEYS: readonly string[] = Object.keys(unixSchema.shape)
export const listenSchema = z.array(z.union([z.string(), unixSchema])).min(1)
export const tlsListenSchema = z.array(z.string()).min(1)

const WORDS = `give '80', '127.0.0.1:80', '[::1]:80' or 'unix:/run/site.sock'`
const TCP = /^(?:(?:\*|\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([^\s:/[\]*]+)):)?(\d{1,5})$/i

/** What of a configuration says where it listens. */
interface Listening {
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly listen?: readonly ListenAddress[] | undefined
  readonly tls?:
    | { readonly port?: number | undefined; readonly listen?: readonly string[] | undefined }
    | undefined
}

/**
 * The addresses of `listen` and `tls.listen`, null where they are not given, and what is wrong with them. `envPort` is
 * the environment's, which stands in place of `listen`.
 */
export function listeningOf(
  { host, port, listen, tls }: Listening,
  { root, envPort }: { readonly root: string; readonly envPort: number | null | undefined },
): {
  readonly listen: readonly SiteAddress[] | null
  readonly tlsListen: readonly SiteAddress[] | null
  readonly problems: readonly string[]
} {
  const problems: string[] = []
  const take = (given: readonly ListenAddress[], at: string): SiteAddress[] =>
    given.flatMap((one, i) => {
      const address = addressOf(one, root)
      if (address === null) problems.push(`${at}[${i}] is ${JSON.stringify(one)}; ${WORDS}`)
      return address ?? []
    })
  const own = listen === undefined ? null : take(listen, 'listen')
  const secure = tls?.listen === undefined ? null : take(tls.listen, 'tls.listen')
  if (own !== null && (host !== undefined || port !== undefined)) {
    problems.push(`listen stands in place of ${port === undefined ? 'host' : 'port'}; drop one`)
  }
  if (secure !== null && tls?.port !== undefined) {
    problems.push('tls.listen stands in place of tls.port; drop one')
  }
  for (const { path } of secure ?? []) {
    if (path !== null) problems.push(`tls.listen has a unix socket: ${path} can be in listen alone`)
  }
  const usual = (at: number): SiteAddress[] => [
    { host: host ?? null, port: at, path: null, mode: SOCKET_MODE },
  ]
  const clear = envPort === undefined ? own : null
  const all = [
    ...(clear ?? usual(envPort ?? port ?? DEFAULT_PORT)),
    ...(tls === undefined ? [] : (secure ?? usual(tls.port ?? DEFAULT_TLS_PORT))),
  ]
  for (const twice of repeated(all)) {
    problems.push(`${twice} is listened on twice; once is enough`)
  }
  for (const one of all) {
    const isIn = ({ host: other, port: at, path }: SiteAddress): boolean =>
      path === null && other === null && at === one.port
    if (one.path !== null || one.port === 0 || one.host === null || !all.some(isIn)) continue
    problems.push(`${nameOf(one)} is among *:${one.port} already; drop one of the two`)
  }
  return { listen: clear, tlsListen: secure, problems }
}

/** Names of addresses that stand more than once among these; ports that are any are never the same. */
function repeated(addresses: readonly SiteAddress[]): string[] {
  const names = addresses.filter(({ path, port }) => path !== null || port !== 0).map(nameOf)
  return [...new Set(names.filter((name, i) => names.indexOf(name) < i))]
}

function addressOf(given: ListenAddress, root: string): SiteAddress | null {
  if (typeof given !== 'string') {
    const { path, mode = SOCKET_MODE } = given
    return { host: null, port: 0, path: resolve(root, path), mode }
  }
  if (given.startsWith('unix:')) {
    const path = given.slice('unix:'.length)
    return path === ''
      ? null
      : { host: null, port: 0, path: resolve(root, path), mode: SOCKET_MODE }
  }
  const [matched, six, name, digits] = TCP.exec(given) ?? []
  const port = Number(digits)
  if (matched === undefined || port > 65_535) return null
  return { host: six ?? name ?? null, port, path: null, mode: SOCKET_MODE }
}
