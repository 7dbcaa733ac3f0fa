/**
 * How long to wait before a worker is started once more: not at all after a long life, ever longer after short ones, and
 * longest where none becomes ready.
 */

const FIRST_MS = 100
const MOST_MS = 30_000
/** A worker that serves for a while is better than none. */
const MOST_AFTER_READY_MS = 1_000
/** Who lived so long before it ended starts again without a pause. */
const STEADY_MS = 30_000

export class Backoff {
  #failures: number

  constructor() {
    this.#failures = 0
  }

  /** Things go well again. */
  reset(): void {
    this.#failures = 0
  }

  /** Milliseconds to wait, after an end that came `livedMs` after the worker was ready; 0 for one that never was. */
  next(livedMs: number): number {
    if (livedMs >= STEADY_MS) this.#failures = 0
    const pauseMs = this.#failures === 0 && livedMs > 0 ? 0 : FIRST_MS * 2 ** this.#failures
    this.#failures++
    return Math.min(pauseMs, livedMs > 0 ? MOST_AFTER_READY_MS : MOST_MS)
  }
}
