/** Who is counted together: what a site names becomes a function of the request. Called by `limit.ts`. */
import { isToken } from '../../http/headers.ts'
import type { Request } from '../../http/request.ts'
import { ACCOUNTS } from '../accounts/accounts.ts'
import { user } from '../accounts/current-user.ts'
import { addressKey } from './too-many.ts'

/** A key of the site's own. Undefined: this request is not counted. */
export type LimitKeyFunction = (req: Request) => string | undefined | Promise<string | undefined>

/**
 * Who is counted together. `address`: the client (`req.client`, so behind `trustedProxies` too), of IPv6 the /64. `user`:
 * who has logged in, by basic auth or by the site's accounts; nobody: by address. `{ header }`: those who send the same
 * value, an API key say; without one: by address. `everybody`: all together.
 */
export type LimitKey =
  | 'address'
  | 'user'
  | 'everybody'
  | { readonly header: string }
  | LimitKeyFunction

export const KEY_WORDS = '"address", "user", "everybody", { header } or a function (req) => text'

/** Undefined for what is no key. */
export function readKey(key: LimitKey): LimitKeyFunction | undefined {
  if (typeof key === 'function') return key
  if (key === 'address') return addressKey
  if (key === 'everybody') return () => ''
  if (key === 'user') return userKey
  const header: unknown = typeof key === 'object' && key !== null ? key.header : undefined
  if (typeof header !== 'string' || !isToken(header)) return undefined
  return (req) => {
    const value = req.header(header)
    return value === undefined ? addressKey(req) : `value ${value}`
  }
}

/** For people. */
export function describeKey(key: LimitKey): string {
  if (typeof key === 'string') return key
  return typeof key === 'function' ? 'a function of the site' : `the field ${key.header}`
}

/** A user who has no name yet is an address; no name looks like one. */
function userKey(req: Request): string | Promise<string> {
  if (req.remoteUser !== null) return `name ${req.remoteUser}`
  if (req.services.find(ACCOUNTS) === undefined) return addressKey(req)
  return user(req).then((known) => (known === undefined ? addressKey(req) : `user ${known.id}`))
}
