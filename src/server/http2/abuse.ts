/**
 * How much of what costs a server and brings a client nothing one connection may do: a bucket of it, which fills again at a
 * steady pace. Asked by `http2-lane.ts`.
 */

export interface Allowance {
  /** At once. */
  readonly burst: number
  readonly perSecond: number
}

/**
 * Requests that end without their reply, whoever ends them: a client that resets at once has work begun for nothing (rapid
 * reset, CVE-2023-44487), and one that provokes a reset of ours the same (CVE-2025-8671). A browser that leaves a page
 * resets all that it has open.
 */
export const RESETS: Allowance = { burst: 200, perSecond: 20 }
/** PING and SETTINGS, each of which is answered (CVE-2019-9512, CVE-2019-9515). */
export const CONTROLS: Allowance = { burst: 100, perSecond: 10 }

export class Bucket {
  readonly #allowance: Allowance
  #level: number
  #at: number

  constructor(allowance: Allowance) {
    this.#allowance = allowance
    this.#level = 0
    this.#at = 0
  }

  /** False when it has been too much. */
  take(nowMs: number): boolean {
    const { burst, perSecond } = this.#allowance
    const gone = ((nowMs - this.#at) / 1000) * perSecond
    this.#level = Math.max(0, this.#level - gone) + 1
    this.#at = nowMs
    return this.#level <= burst
  }
}
