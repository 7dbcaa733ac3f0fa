/**
 * What a site's configuration says about paths, whoever answers them: redirects, rewrites and CORS. The
 * server asks before it looks for a file or a view; `finish.ts` asks for the fields of dynamic replies.
 */
import type { Cors, CorsFields, CorsPolicy } from '../http/cors.ts'
import { createCors } from '../http/cors.ts'
import { Reply } from '../http/reply.ts'
import { parseTarget } from '../http/target.ts'
import { compileRedirects, compileRewrites, type Redirect, type Rewrite } from './rules.ts'

export interface SiteRulesOptions {
  readonly redirects: readonly Redirect[]
  readonly rewrites: readonly Rewrite[]
  readonly cors: readonly CorsPolicy[]
}

/** Another path to answer in place of the one that was asked for. */
export interface Rewritten {
  /** Decoded. */
  readonly path: string
  /** Percent-encoded: what files are found by. */
  readonly canonical: string
}

export interface SiteRules {
  /**
   * Whether `route` has to be asked about a path as it was sent. Cheap, for the way of static files; true
   * for every path that would have to be decoded first.
   */
  touches(rawPath: string): boolean
  /**
   * A redirect to send, another path to answer, or null to go on. `path` is decoded and canonical, `search`
   * the query as sent, `origin` the request's Origin.
   */
  route(
    method: string,
    path: string,
    search: string,
    origin: string | undefined,
  ): Reply | Rewritten | null
  /** CORS fields of an answer for `path`; null for none. The same object for the same case. */
  fields(path: string, origin: string | undefined): CorsFields | null
  /** CORS fields of the answer to a preflight; null where no policy covers `path`. */
  preflight(path: string, origin: string): CorsFields | null
}

/** Null for a site without any of them. Throws UWAS_ERR_WAS_RULE, UWAS_ERR_WAS_RULE_LOOP, UWAS_ERR_HTTP_CORS. */
export function createSiteRules(options: SiteRulesOptions): SiteRules | null {
  const redirects = compileRedirects(options.redirects)
  const rewrites = compileRewrites(options.rewrites)
  const cors = createCors(options.cors)
  if (redirects === null && rewrites === null && cors === null) return null
  const hasTable = redirects !== null || rewrites !== null
  return {
    touches(rawPath) {
      if (!hasTable) return false
      if (rawPath.includes('%')) return true
      return redirects?.(rawPath) !== undefined || rewrites?.(rawPath) !== undefined
    },
    route(method, path, search, origin) {
      const moved = redirects?.(path)
      // A browser does not follow the redirect of a preflight, and asks about the path that it was given.
      if (moved !== undefined && !(method === 'OPTIONS' && cors?.fields(path, origin))) {
        const location = withQuery(moved.target, search)
        const reply = new Reply(moved.status, null, null).append('Location', location)
        return withCors(reply, cors, path, origin)
      }
      const target = rewrites?.(path)?.target
      if (target === undefined) return null
      const found = parseTarget(target)
      return typeof found === 'number' ? null : found
    },
    fields: (path, origin) => cors?.fields(path, origin) ?? null,
    preflight: (path, origin) => cors?.preflight(path, origin) ?? null,
  }
}

function withCors(
  reply: Reply,
  cors: Cors | null,
  path: string,
  origin: string | undefined,
): Reply {
  for (const [name, value] of cors?.fields(path, origin)?.list ?? []) reply.append(name, value)
  return reply
}

/** The request's query behind the target's own, before its fragment. */
function withQuery(target: string, search: string): string {
  if (search === '') return target
  const query = search.replace(/[^\x21-\x7e]+/g, (run) => encodeURIComponent(run.toWellFormed()))
  const hash = target.indexOf('#')
  const [address, fragment] = hash < 0 ? [target, ''] : [target.slice(0, hash), target.slice(hash)]
  return `${address}${address.includes('?') ? '&' : '?'}${query}${fragment}`
}
