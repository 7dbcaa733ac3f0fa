/** What `workers` of a configuration comes to, and what it is by default. Apart from the schema, for processes without a site. */

/** More than any machine has cores. */
export const MOST_WORKERS = 1024

/** `WorkersOptions`, complete. */
export interface SiteWorkers {
  readonly count: number | 'auto'
  readonly timeoutMs: number
  readonly startTimeoutMs: number
  readonly maxMemoryBytes: number
  readonly maxRequests: number
  readonly maxAgeSeconds: number
  readonly pinToCore: boolean
  readonly stopDelayMs: number
  readonly graceMs: number
}

export const DEFAULT_WORKERS: SiteWorkers = {
  count: 1,
  timeoutMs: 30_000,
  startTimeoutMs: 60_000,
  maxMemoryBytes: 0,
  maxRequests: 0,
  maxAgeSeconds: 0,
  pinToCore: false,
  stopDelayMs: 0,
  graceMs: 10_000,
}
