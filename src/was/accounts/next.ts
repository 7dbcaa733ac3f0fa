/**
 * Where somebody goes after logging in: the page that asked for it, and never another site. Called by the
 * middleware that sends to the log-in page, and by a site's own log-in view.
 */
import type { Request } from '../../http/request.ts'
import { encodePath } from '../../http/target.ts'

const BASE = 'http://site.invalid'
const MAX_LENGTH = 2000

/**
 * `next` where it is a path of this site, as a browser would read it; undefined for anything else: another
 * origin in any of its spellings (`//host`, `/\host`, `/<tab>/host`, `/.//host`), or no text.
 */
export function safeNext(next: string | null | undefined): string | undefined {
  if (typeof next !== 'string' || next.length > MAX_LENGTH || !isPath(next)) return undefined
  if (!URL.canParse(next, BASE)) return undefined
  const url = new URL(next, BASE)
  const path = url.pathname + url.search + url.hash
  return url.origin === BASE && isPath(path) ? path : undefined
}

/** The page that `req` would come back to: itself, or the page whose form it was. */
export function pageOf(req: Request): string | undefined {
  if (req.method === 'GET' || req.method === 'HEAD') {
    return safeNext(encodePath(req.path) + (req.search === '' ? '' : `?${req.search}`))
  }
  const referer = req.header('referer') ?? ''
  if (!URL.canParse(referer)) return undefined
  const { host, pathname, search } = new URL(referer)
  return host === req.client.host ? safeNext(pathname + search) : undefined
}

function isPath(text: string): boolean {
  return /^\/(?![/\\])/.test(text)
}
