/** Where the server tells how it is: the key `status`. Read by `config.ts`; obeyed by whoever knows the whole server. */
import * as z from 'zod'

/** A listener of its own, for metrics, health and a status page; it never answers for the site. */
export interface StatusOptions {
  /** Address and port: `'127.0.0.1:9180'`, `'[::1]:9180'`, `'0.0.0.0:9180'`. Port 0 is any free one. Default `127.0.0.1:9180`. */
  readonly listen?: string | undefined
  /** What clients show (`Authorization: Bearer …`) for all but health, at least 16 characters. Default: nothing. */
  readonly token?: string | undefined
}

/** `StatusOptions`, complete. */
export interface SiteStatus {
  readonly host: string
  readonly port: number
  readonly token: string | null
}

const DEFAULT_LISTEN = '127.0.0.1:9180'
const ADDRESS = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/

export const statusSchema = z.strictObject({
  listen: z
    .string()
    .refine((text) => portOf(text) <= 65_535, 'is no address like "127.0.0.1:9180"')
    .optional(),
  // Its message never quotes it.
  token: z
    .custom<string>(
      (value) => typeof value === 'string' && /^[\x21-\x7e]{16,512}$/.test(value),
      'is no token: 16 to 512 characters of ASCII, without blanks',
    )
    .optional(),
})

export function statusOf(given: StatusOptions | undefined): SiteStatus | null {
  if (given === undefined) return null
  const { listen = DEFAULT_LISTEN, token = null } = given
  const [, address, name] = ADDRESS.exec(listen) ?? []
  return { host: (address ?? name) as string, port: portOf(listen), token }
}

/** NaN where it is no address at all. */
function portOf(listen: string): number {
  return Number(ADDRESS.exec(listen)?.[3])
}
