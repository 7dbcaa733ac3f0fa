/** When a worker has served enough: its limits, drawn once, so that workers of the same age do not end together. */
import type { SiteWorkers } from '../was/worker-limits.ts'
import type { WorkerProcess } from './worker-process.ts'

/** Limits vary by so much, up and down. */
const JITTER = 0.1

/** Why `worker` is to be replaced, or null. `jitter` is its own, from -1 to 1; `nowMs` by `performance.now()`. */
export function enough(
  worker: Pick<WorkerProcess, 'memoryBytes' | 'requests' | 'readyAt'>,
  limits: SiteWorkers,
  jitter: number,
  nowMs: number,
): string | null {
  const isBeyond = (value: number, limit: number): boolean =>
    limit > 0 && value >= limit * (1 + JITTER * jitter)
  const { memoryBytes, requests, readyAt } = worker
  const seconds = (nowMs - readyAt) / 1000
  // Memory does not vary: more than that may be more than there is.
  if (limits.maxMemoryBytes > 0 && memoryBytes > limits.maxMemoryBytes) {
    return `it has ${Math.round(memoryBytes / 1024 / 1024)} MiB of memory`
  }
  if (isBeyond(requests, limits.maxRequests)) return `it has answered ${requests} requests`
  if (isBeyond(seconds, limits.maxAgeSeconds)) return `it has served for ${Math.round(seconds)} s`
  return null
}
