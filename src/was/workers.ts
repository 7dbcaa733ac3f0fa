/**
 * How many processes serve a site, and when one of them is replaced: the key `workers`. Read by `config.ts`, obeyed by
 * `supervisor/`.
 */
import * as z from 'zod'
import { DEFAULT_WORKERS, MOST_WORKERS, type SiteWorkers } from './worker-limits.ts'

/** Processes that serve, and what ends one of them. Limits vary by a tenth, so that never all end at once. */
export interface WorkersOptions {
  /** `'auto'`: one for each core that this process may use. 0: no workers, one process does it all. Default 1. */
  readonly count?: number | 'auto' | undefined
  /** A worker whose event loop stands still for so long is killed and replaced, in milliseconds. 0: never. Default 30,000. */
  readonly timeoutMs?: number | undefined
  /**
   * A worker that is not ready so long after its start is killed, in milliseconds; migrations do not count. A reload
   * ends with that, and what served before goes on. 0: never. Default 60,000.
   */
  readonly startTimeoutMs?: number | undefined
  /** A worker with more memory of its own (without files that it shares) is replaced, in bytes. 0: never. Default 0. */
  readonly maxMemoryBytes?: number | undefined
  /** So is one that has taken more requests. 0: never. Default 0. */
  readonly maxRequests?: number | undefined
  /** So is one that has served for longer, in seconds. 0: never. Default 0. */
  readonly maxAgeSeconds?: number | undefined
  /** Each worker stays on a core of its own, counted around (Linux, with the native addon). Default false. */
  readonly pinToCore?: boolean | undefined
  /**
   * After a signal to stop, `/readyz` is 503 and everything else goes on for so long, in milliseconds: load balancers
   * send no more by then. Default 0.
   */
  readonly stopDelayMs?: number | undefined
  /** What replies that have begun may take when a worker or the server stops, in milliseconds. Default 10,000. */
  readonly graceMs?: number | undefined
}

const DAY_MS = 86_400_000

const count = z.union([z.literal('auto'), z.int().min(0).max(MOST_WORKERS)])
const most = z.int().min(0).optional()
const timeout = z.union([z.literal(0), z.int().min(100).max(DAY_MS)])

export const workersOptions = z.strictObject({
  count: count.optional(),
  timeoutMs: timeout.optional(),
  startTimeoutMs: timeout.optional(),
  maxMemoryBytes: most,
  maxRequests: most,
  maxAgeSeconds: most,
  pinToCore: z.boolean().optional(),
  stopDelayMs: z.int().min(0).max(DAY_MS).optional(),
  graceMs: z.int().min(0).max(DAY_MS).optional(),
})

export const workersSchema = z.union([count, workersOptions])

export function workersOf(given: number | 'auto' | WorkersOptions | undefined): SiteWorkers {
  if (typeof given !== 'object')
    return { ...DEFAULT_WORKERS, count: given ?? DEFAULT_WORKERS.count }
  const known = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...DEFAULT_WORKERS, ...Object.fromEntries(known) }
}
