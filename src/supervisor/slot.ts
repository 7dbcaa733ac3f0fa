/** The place of one worker: who serves there now, and how often its workers have ended. Kept by `supervisor.ts`. */
import { Backoff } from './backoff.ts'
import type { WorkerProcess } from './worker-process.ts'

export class Slot {
  readonly index: number
  /** Who serves, or did until a moment ago; null while there is none. */
  worker: WorkerProcess | null
  /** Whether its worker has ended by itself, and none has followed yet. */
  isLost: boolean
  /** Whether another one is being started. */
  isFilling: boolean
  /** Workers that have ended by themselves. */
  crashes: number
  readonly backoff: Backoff
  /** Between tries to find somebody for one who has served enough. */
  readonly renewal: Backoff
  /** Not before then, by `performance.now()`. */
  renewAt: number

  constructor(index: number) {
    this.index = index
    this.worker = null
    this.isLost = false
    this.isFilling = false
    this.crashes = 0
    this.backoff = new Backoff()
    this.renewal = new Backoff()
    this.renewAt = 0
  }

  /** The worker, if it can take connections. */
  get ready(): WorkerProcess | null {
    return this.worker?.state === 'ready' ? this.worker : null
  }
}
