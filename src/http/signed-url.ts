/** Links that only this site can make, for a while: downloads, confirmations. Called by views. */
import { notFound } from './http-error.ts'
import type { Request } from './request.ts'
import { SIGNER } from './signing.ts'
import { encodePath } from './target.ts'

const PURPOSE = 'url'
const KEY = 'signature'

/**
 * `path` (a path of this site, with or without a query) with a signature over all of it, good for
 * `expiresInSeconds`. Throws UWAS_ERR_CORE_SERVICE_MISSING without `secrets`.
 */
export function signUrl(req: Request, path: string, expiresInSeconds: number): string {
  const expires = Math.floor(Date.now() / 1000) + expiresInSeconds
  const signed = req.services.get(SIGNER).sign(PURPOSE, `${expires} ${path}`)
  // The text itself stands in the URL already: only its time and the signature are added.
  const [body = '', signature = ''] = signed.split('.')
  const time = Buffer.from(body, 'base64url').subarray(0, 6).toString('base64url')
  return `${path}${path.includes('?') ? '&' : '?'}${KEY}=${expires}.${time}.${signature}`
}

/** Whether the request's own path and query were signed here and have not expired. */
export function isSigned(req: Request): boolean {
  const search = req.search
  const at = search.lastIndexOf(`${KEY}=`)
  if (at < 0 || (at > 0 && search[at - 1] !== '&')) return false
  const [expires = '', time = '', signature = ''] = search.slice(at + KEY.length + 1).split('.')
  if (!/^\d{1,12}$/.test(expires) || Number(expires) < Date.now() / 1000) return false
  const query = search.slice(0, Math.max(0, at - 1))
  const path = `${encodePath(req.path)}${query === '' ? '' : `?${query}`}`
  const text = Buffer.concat([Buffer.from(time, 'base64url'), Buffer.from(`${expires} ${path}`)])
  const body = text.toString('base64url')
  return req.services.get(SIGNER).unsign(PURPOSE, `${body}.${signature}`) !== undefined
}

/** A 404 unless the request was signed: who has no good link does not learn that there is something. */
export function requireSigned(req: Request): void {
  if (!isSigned(req)) throw notFound()
}
