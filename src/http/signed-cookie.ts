/** Cookies that a client cannot change (signed) or not even read (encrypted). Called by views. */
import type { CookieOptions } from './cookie.ts'
import type { Reply } from './reply.ts'
import type { Request } from './request.ts'
import { SIGNER } from './signing.ts'

/** How a value is protected in its cookie. Both are bound to the cookie's name. */
export interface ProtectedCookieOptions extends CookieOptions {
  /** True: the client cannot read it. Default false: it is readable, and cannot be changed. */
  readonly encrypted?: boolean
}

/**
 * Sets a cookie that only this site can make. It is secure where the request is. Throws
 * UWAS_ERR_CORE_SERVICE_MISSING without `secrets`.
 */
export function setSignedCookie(
  req: Request,
  reply: Reply,
  name: string,
  value: string,
  { encrypted = false, ...options }: ProtectedCookieOptions = {},
): Reply {
  const signer = req.services.get(SIGNER)
  const text = encrypted
    ? signer.encrypt(`cookie ${name}`, value)
    : signer.sign(`cookie ${name}`, value)
  return reply.cookie(name, text, { secure: req.client.scheme === 'https', ...options })
}

/**
 * The value that this site gave the cookie, by any of its secrets; undefined when there is none, it was
 * changed, or it is older than `maxAgeSeconds`.
 */
export function signedCookie(
  req: Request,
  name: string,
  { encrypted = false, maxAgeSeconds }: { encrypted?: boolean; maxAgeSeconds?: number } = {},
): string | undefined {
  const text = req.cookie(name)
  if (text === undefined) return undefined
  const signer = req.services.get(SIGNER)
  return encrypted
    ? signer.decrypt(`cookie ${name}`, text, maxAgeSeconds)
    : signer.unsign(`cookie ${name}`, text, maxAgeSeconds)
}
