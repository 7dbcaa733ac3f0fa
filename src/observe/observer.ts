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
  /** Does not want to know of static files. Default false. */
  readonly skipsFiles?: boolean
  /** The record is read now: that of a file is used again for the next one. */
  ended(record: ExchangeRecord): void
}

export class Observer implements RecordReader {
  readonly needsTime: boolean
  readonly needsClient: boolean
  readonly fields: readonly string[]
  /** For static files; null: nobody wants to know of them. */
  readonly #ofFiles: Observer | null
  readonly #listeners: readonly ExchangeListener[]

  constructor(listeners: readonly ExchangeListener[]) {
    this.#listeners = listeners
    this.needsTime = listeners.some((one) => one.needsTime)
    this.needsClient = listeners.some((one) => one.needsClient)
    this.fields = [...new Set(listeners.flatMap((one) => one.fields))]
    const others = listeners.filter(({ skipsFiles = false }) => !skipsFiles)
    this.#ofFiles = others.length === listeners.length ? this : observerOf(others)
  }

  /** Who wants to know of the answer `entry`; null: it is not known yet. */
  of(entry: { readonly route: string } | null): Observer | null {
    return entry?.route === '' ? this.#ofFiles : this
  }

  ended(record: ExchangeRecord): void {
    for (const listener of this.#listeners) listener.ended(record)
  }
}

/** Null where nobody wants to know: the lanes then do nothing for it. */
export function observerOf(listeners: readonly ExchangeListener[]): Observer | null {
  return listeners.length === 0 ? null : new Observer(listeners)
}
