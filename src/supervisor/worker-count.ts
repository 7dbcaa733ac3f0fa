/** How many workers a configuration wants on this machine. */
import { availableParallelism } from 'node:os'
import type { SiteWorkers } from '../was/worker-limits.ts'

export function workerCount({ count }: SiteWorkers): number {
  return count === 'auto' ? availableParallelism() : count
}
