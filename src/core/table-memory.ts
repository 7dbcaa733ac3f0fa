/**
 * Where tables of counters lie: in memory that all workers of a server have together, once a worker has said where that
 * is, else in this process. A table's name comes in, its bytes leave. Called by `rate-limiter.ts`.
 */
import { randomBytes } from 'node:crypto'

export interface TableMemory {
  readonly buffer: ArrayBufferLike
  /** Makes hashes that nobody outside can foretell; the same for all processes that share the bytes. */
  readonly seed: string
}

/** What shares memory, or null where there is no place left in it. */
export type ShareTable = (name: string, bytes: number) => TableMemory | null

let share: ShareTable | null = null

/** From now on new tables lie where `by` says. Called by a worker before it loads its site; null ends it. */
export function shareTables(by: ShareTable | null): void {
  share = by
}

/** Tables of one name are one, in all processes; `bytes` of zeros where it is new. */
export function tableMemory(name: string, bytes: number): TableMemory {
  return (
    share?.(name, bytes) ?? {
      buffer: new ArrayBuffer(bytes),
      seed: randomBytes(16).toString('base64'),
    }
  )
}
