/** What stands around every view of the board. `uwas.config.ts` names these, outermost first. */
import { HttpError, type Middleware, type Request } from 'uwas'
import { speakerOf } from './i18n/language.ts'

/** Everything comes from this origin, nothing is inline: no injected markup can run or load a thing. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "connect-src 'self'",
  "img-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

export const contentSecurityPolicy: Middleware = async (_req, next) => {
  const reply = await next()
  return reply.header('Content-Security-Policy', CONTENT_SECURITY_POLICY)
}

/** Refuses forms that another site sends in the visitor's name (403). */
export const sameOrigin: Middleware = (req, next) => {
  if (SAFE_METHODS.has(req.method) || isSameOrigin(req)) return next()
  throw new HttpError(403, speakerOf(req).t.foreignForm)
}

/**
 * Browsers tell where a request comes from: Sec-Fetch-Site (Fetch Metadata, section 2.3) or, over
 * plain HTTP and in old ones, Origin. A client that sends neither is no browser, so it carries nobody's
 * cookies but its own.
 */
function isSameOrigin(req: Request): boolean {
  const site = req.header('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  const origin = req.header('origin')
  if (origin === undefined) return true
  return URL.canParse(origin) && new URL(origin).host === req.header('host')?.toLowerCase()
}
