/**
 * One who listens to a channel: what is heard goes to the handler one by one, in order, the next when the one before
 * has ended. What waits is bounded. Made by `listen.ts`, fed by `listener.ts`.
 */
import type { Log } from '../core/log.ts'

export interface SubscriptionParts {
  readonly channel: string
  readonly handler: (payload: string) => unknown
  readonly onResync: (() => unknown) | undefined
  readonly log: Log
}

/** Of 8 kB each, at most. */
const MAX_WAITING = 1000

export class Subscription {
  readonly #parts: SubscriptionParts
  #waiting: (() => unknown)[]
  #isBusy: boolean
  /** More came than there was room for, and it is not through with what came then. */
  #isBehind: boolean
  #isEnded: boolean

  constructor(parts: SubscriptionParts) {
    this.#parts = parts
    this.#waiting = []
    this.#isBusy = false
    this.#isBehind = false
    this.#isEnded = false
  }

  hear(payload: string): void {
    if (this.#waiting.length >= MAX_WAITING) this.#dropAll()
    this.#put(() => this.#parts.handler(payload))
  }

  /** Something may not have been heard. */
  resync(): void {
    const { onResync } = this.#parts
    if (onResync !== undefined) this.#put(onResync)
  }

  /** Nothing is called any more; what runs ends. */
  end(): void {
    this.#isEnded = true
    this.#waiting = []
  }

  /** As if they had been sent while the connection was lost: they are hints, and this is the way to tell. */
  #dropAll(): void {
    const { channel, onResync, log } = this.#parts
    this.#waiting = []
    if (!this.#isBehind) {
      const told = onResync === undefined ? 'there is no onResync to tell' : 'onResync is called'
      log.warn(
        `what listens to "${channel}" is ${MAX_WAITING} notifications behind; they are dropped, and ${told}`,
      )
    }
    this.#isBehind = true
    this.resync()
  }

  #put(work: () => unknown): void {
    if (this.#isEnded) return
    this.#waiting.push(work)
    if (!this.#isBusy) this.#next()
  }

  #next(): void {
    this.#isBusy = true
    for (let work = this.#waiting.shift(); work !== undefined; work = this.#waiting.shift()) {
      const ending = this.#call(work)
      if (ending !== undefined) return void ending.then(() => this.#next())
    }
    this.#isBusy = false
    this.#isBehind = false
  }

  /** Undefined when it has ended already. What it throws, at once or later, harms nobody else. */
  #call(work: () => unknown): Promise<void> | undefined {
    try {
      const result = work()
      if (!isThenable(result)) return undefined
      return Promise.resolve(result).then(
        () => {},
        (error: unknown) => this.#tell(error),
      )
    } catch (error) {
      this.#tell(error)
      return undefined
    }
  }

  #tell(error: unknown): void {
    const { channel, log } = this.#parts
    log.error(`what listens to "${channel}" has failed`, error)
  }
}

function isThenable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return 'then' in value && typeof value.then === 'function'
}
