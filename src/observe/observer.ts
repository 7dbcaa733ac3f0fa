/** Tells everybody who wants to know of every answered request. Made by `app.ts`, told by the lanes of `server/`. */
import type { ExchangeRecord, RecordReader } from './exchange-record.ts'

/** Who wants to know: the access log, the metrics. What none needs is not looked up. */
export interface ExchangeListener extends RecordReader {
  /** Reads `startedAt` and `durationMs`. */
  readonly needsTime: boolean
  /** Reads what the client has said and who it is: all but the method. */
  readonly needsClient: boolean
  /** Reads these of the request's `fields`, in lower case. */
  readonly fields: readonly string[]
  /** The record is read now: that of a file is used again for the next one. */
  ended(record: ExchangeRecord): void
}

export class Observer implements RecordReader {
  readonly needsTime: boolean
  readonly needsClient: boolean
  readonly fields: readonly string[]
  readonly #listeners: readonly ExchangeListener[]

  constructor(listeners: readonly ExchangeListener[]) {
    this.#listeners = listeners
    this.needsTime = listeners.some((one) => one.needsTime)
    this.needsClient = listeners.some((one) => one.needsClient)
    this.fields = [...new Set(listeners.flatMap((one) => one.fields))]
  }

  ended(record: ExchangeRecord): void {
    for (const listener of this.#listeners) listener.ended(record)
  }
}

/** Null where nobody wants to know: the lanes then do nothing for it. */
export function observerOf(listeners: readonly ExchangeListener[]): Observer | null {
  return listeners.length === 0 ? null : new Observer(listeners)
}
