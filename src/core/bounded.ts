/**
 * Costly work, so much of it at a time and so much waiting: what comes beyond that is refused at once, so
 * that a flood of it costs its own callers and nobody else. Called by `was/accounts/`.
 */

interface Waiting {
  readonly start: () => void
  readonly leave: () => void
}

export class Bounded {
  /** How much runs and how much waits: for tests and metrics. */
  running: number
  readonly #concurrency: number
  readonly #maxWaiting: number
  readonly #refusal: () => Error
  readonly #waiting: Set<Waiting>

  /** `refusal` makes the error of what has no place in the queue. */
  constructor(concurrency: number, maxWaiting: number, refusal: () => Error) {
    this.running = 0
    this.#concurrency = concurrency
    this.#maxWaiting = maxWaiting
    this.#refusal = refusal
    this.#waiting = new Set()
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /**
   * What `work` gives, in its turn. Rejects with the refusal, and with the signal's reason when it fires
   * before the turn has come: nobody waits for it any more.
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted()
    if (this.running >= this.#concurrency) await this.#turn(signal)
    else this.running++
    try {
      return await work()
    } finally {
      this.#next()
    }
  }

  /** A place is handed on as it is: nobody who comes between can take it. */
  #next(): void {
    const [first] = this.#waiting
    if (first === undefined) this.running--
    else first.start()
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.size >= this.#maxWaiting) return Promise.reject(this.#refusal())
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiting.delete(entry)
        signal?.removeEventListener('abort', entry.leave)
      }
      const entry: Waiting = {
        start: () => {
          end()
          resolve()
        },
        leave: () => {
          end()
          reject(signal?.reason)
        },
      }
      this.#waiting.add(entry)
      signal?.addEventListener('abort', entry.leave)
    })
  }
}
