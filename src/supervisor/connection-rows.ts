/**
 * Which part of the shared memory each worker counts its connections in: none has another's, and what a worker that was
 * killed had open is forgotten with its end. Made by `supervise.ts`; asked by the crew with each process.
 */
import { CONNECTION_ROWS, type ConnectionCounting } from '../native/connection-counts.ts'
import { CONNECTIONS_AT } from '../native/shared-tables.ts'

export class ConnectionRows {
  readonly #counting: ConnectionCounting | null
  readonly #fd: number | null
  readonly #taken: Set<number>

  /** Null without shared memory: each worker counts for itself. */
  constructor(counting: ConnectionCounting | null, fd: number | null) {
    this.#counting = counting
    this.#fd = fd
    this.#taken = new Set()
  }

  /** An empty row, or -1 where all are taken. */
  take(): number {
    for (let row = 0; this.#fd !== null && row < CONNECTION_ROWS; row++) {
      if (this.#taken.has(row)) continue
      this.#taken.add(row)
      return row
    }
    return -1
  }

  /** Of a process that has ended. One that cannot be emptied is nobody's any more. */
  give(row: number): void {
    if (row < 0 || this.#fd === null) return
    try {
      this.#counting?.clear({ fd: this.#fd, offset: CONNECTIONS_AT, row })
      this.#taken.delete(row)
    } catch {}
  }
}
