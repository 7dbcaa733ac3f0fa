/**
 * Whether a path is one of the two that tell a site's health, and the site has nothing of its own there. Asked before a
 * request is refused for its host, and by `uwas explain`.
 */
import type { CompiledUrls } from '../../route/compile.ts'
import type { SiteRules } from '../site-rules.ts'
import type { SiteHealth } from './options.ts'

/** What of a site may have such a path first. */
export interface PathOwners {
  readonly health: SiteHealth | null
  /** The static files, found by an encoded path. */
  readonly files: { readonly lookup: (path: string) => unknown }
  readonly urls: Pick<CompiledUrls, 'match'>
  readonly rules: Pick<SiteRules, 'touches'> | null
}

/**
 * True for `rawPath`, as it was sent, when uwas itself answers it: then the host does not count, for a load balancer
 * asks by address. Never throws: where a converter of the site does, the path is the site's.
 */
export function tellsHealth(
  { health, files, urls, rules }: PathOwners,
  rawPath: string,
  host: string,
): boolean {
  if (health === null) return false
  if (rawPath !== health.alivePath && rawPath !== health.readyPath) return false
  if (rules?.touches(rawPath) === true || files.lookup(rawPath) !== undefined) return false
  try {
    return urls.match('GET', rawPath, host) === undefined
  } catch {
    return false
  }
}
