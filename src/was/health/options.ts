/** How a site tells whether it is well: the options of `health`, complete and as its author writes them. */
import type { Services } from '../../core/services.ts'

/** What a check of a site gets. */
export interface HealthContext {
  /** The site's database (`DATABASE`) and other services. */
  readonly services: Services
  /** Fires when nobody waits for the check any more. */
  readonly signal: AbortSignal
}

/** Ready unless it throws, rejects, or gives false. */
export type HealthCheck = (context: HealthContext) => unknown

/** Paths that a load balancer asks. A file or a route of the site at such a path answers instead. */
export interface HealthOptions {
  /** 200 as long as the process answers. Default `/healthz`. */
  readonly alivePath?: string | undefined
  /** 200 while the site can do its work, else 503. Default `/readyz`. */
  readonly readyPath?: string | undefined
  /** Longest time of each check, in milliseconds; then it has failed. Default 2000. */
  readonly timeoutMs?: number | undefined
  /** What the site needs besides, by name: `{ mail: ({ signal }) => fetch(MAIL, { signal }) }`. Default none. */
  readonly checks?: Readonly<Record<string, HealthCheck>> | undefined
}

/** `HealthOptions`, complete. */
export interface SiteHealth {
  readonly alivePath: string
  readonly readyPath: string
  readonly timeoutMs: number
  readonly checks: Readonly<Record<string, HealthCheck>>
}

/** Names of the checks that uwas makes itself. */
export const OWN_CHECKS: readonly string[] = ['database', 'migrations']

export const DEFAULT_HEALTH: SiteHealth = {
  alivePath: '/healthz',
  readyPath: '/readyz',
  timeoutMs: 2000,
  checks: {},
}
