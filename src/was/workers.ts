/**
 * How many processes serve a site, and when one of them is replaced: the key `workers`. Read by `config.ts`, obeyed by
 * `supervisor/`.
 */
import * as z from 'zod'
import { MOST_WORKERS } from './worker-limits.ts'

/** Processes that serve, and what ends one of them. Limits vary by a tenth, so that never all end at once. */
export interface WorkersOptions {
  /** `'auto'`: one for each core that this process may use. 0: no workers, one process does it all. Default 1. */
  readonly count?: number | 'auto' | undefined
  /** A worker whose event loop stands still for so long is killed and replaced, in milliseconds. 0: never. Default 30,000. */
  readonly timeoutMs?: number | undefined
  /** A worker with more memory of its own (without files that it shares) is replaced, in bytes. 0: never. Default 0. */
  readonly maxMemoryBytes?: number | undefined
  /** So is one that has taken more requests. 0: never. Default 0. */
  readonly maxRequests?: number | undefined
  /** So is one that has served for longer, in seconds. 0: never. Default 0. */
  readonly maxAgeSeconds?: number | undefined
  /** What replies that have begun may take when a worker or the server stops, in milliseconds. Default 10,000. */
  readonly graceMs?: number | undefined
}

/** `WorkersOptions`, complete. */
export interface SiteWorkers {
  readonly count: number | 'auto'
  readonly timeoutMs: number
  readonly maxMemoryBytes: number
  readonly maxRequests: number
  readonly maxAgeSeconds: number
  readonly graceMs: number
}

const DAY_MS = 86_400_000

const count = z.union([z.literal('auto'), z.int().min(0).max(MOST_WORKERS)])
const most = z.int().min(0).optional()

export const workersOptions = z.strictObject({
  count: count.optional(),
  timeoutMs: z.union([z.literal(0), z.int().min(100).max(DAY_MS)]).optional(),
  maxMemoryBytes: most,
  maxRequests: most,
  maxAgeSeconds: most,
  graceMs: z.int().min(0).max(DAY_MS).optional(),
})

export const workersSchema = z.union([count, workersOptions])

const DEFAULTS: SiteWorkers = {
  count: 1,
  timeoutMs: 30_000,
  maxMemoryBytes: 0,
  maxRequests: 0,
  maxAgeSeconds: 0,
  graceMs: 10_000,
}

export function workersOf(given: number | 'auto' | WorkersOptions | undefined): SiteWorkers {
  if (typeof given !== 'object') return { ...DEFAULTS, count: given ?? DEFAULTS.count }
  const known = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...DEFAULTS, ...Object.fromEntries(known) }
}
