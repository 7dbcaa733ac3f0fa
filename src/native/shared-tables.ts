/**
 * Tables of counters in shared memory: a name comes in, the place that all processes of the server have for it leaves. A
 * place is claimed by an atomic write, never freed by a process that ends, and given to another name only when all are
 * taken. Made by `supervisor/`.
 */
import { hash, randomFillSync } from 'node:crypto'
import type { TableMemory } from '../core/table-memory.ts'
import { CONNECTION_BYTES, type CountsPlace } from './connection-counts.ts'
import type { SharedMemory } from './shared-memory.ts'

/** Places, each for one table. */
export const TABLES = 256
/** Of one place, a multiple of a page: as much as a table of 65,536 keys. */
export const TABLE_BYTES = 786_432
/** Seed, then the names' hashes, then when each was claimed last. */
const HEADER_BYTES = 8192
const SEED_BYTES = 16
const NAMES_AT = 1024
const CLAIMED_AT = 4096
/** Behind the tables: where connections are counted. */
export const CONNECTIONS_AT = HEADER_BYTES + TABLES * TABLE_BYTES
export const SHARED_BYTES = CONNECTIONS_AT + CONNECTION_BYTES

/** What a supervisor makes for its workers: a descriptor. Throws UWAS_ERR_NATIVE_LIMIT. */
export function createSharedTables(memory: SharedMemory): number {
  const fd = memory.create(SHARED_BYTES)
  randomFillSync(new Uint8Array(memory.map(fd, 0, HEADER_BYTES), 0, SEED_BYTES))
  return fd
}

export class SharedTables {
  readonly #memory: SharedMemory
  readonly #fd: number
  readonly #seed: string
  readonly #names: BigInt64Array
  /** Seconds of the system's monotonic clock. */
  readonly #claimed: Int32Array
  readonly #startedAt: number

  /** Of the descriptor that `createSharedTables` has made. Throws as `SharedMemory.map`. */
  constructor(memory: SharedMemory, fd: number) {
    const header = memory.map(fd, 0, HEADER_BYTES)
    this.#memory = memory
    this.#fd = fd
    this.#seed = Buffer.from(header, 0, SEED_BYTES).toString('base64')
    this.#names = new BigInt64Array(header, NAMES_AT, TABLES)
    this.#claimed = new Int32Array(header, CLAIMED_AT, TABLES)
    this.#startedAt = nowSeconds()
  }

  /** The table of this name; null where it does not fit, or where all places are other tables'. */
  claim(name: string, bytes: number): TableMemory | null {
    const place = bytes > TABLE_BYTES ? null : this.#placeOf(nameOf(name))
    if (place === null) return null
    Atomics.store(this.#claimed, place, nowSeconds())
    const buffer = this.#memory.map(this.#fd, HEADER_BYTES + place * TABLE_BYTES, TABLE_BYTES)
    return { buffer, seed: this.#seed }
  }

  /** Where the process of this row counts connections. */
  connections(row: number): CountsPlace {
    return { fd: this.#fd, offset: CONNECTIONS_AT, row, seed: Buffer.from(this.#seed, 'base64') }
  }

  #placeOf(name: bigint): number | null {
    for (let place = 0; place < TABLES; place++) {
      const before = Atomics.compareExchange(this.#names, place, 0n, name)
      if (before === 0n || before === name) return place
    }
    return this.#takeOldest(name)
  }

  /** Places of limits that a site no longer has: whoever has them has claimed them again at the start of this process, or later. */
  #takeOldest(name: bigint): number | null {
    const oldest = this.#claimed.reduce(
      (best, at, place, all) => (at < (all[best] as number) ? place : best),
      0,
    )
    const before = Atomics.load(this.#names, oldest)
    if ((this.#claimed[oldest] as number) >= this.#startedAt) return null
    if (Atomics.compareExchange(this.#names, oldest, before, name) !== before) return null
    const offset = HEADER_BYTES + oldest * TABLE_BYTES
    new Uint8Array(this.#memory.map(this.#fd, offset, TABLE_BYTES)).fill(0)
    return oldest
  }
}

/** Never 0. */
function nameOf(name: string): bigint {
  return hash('sha256', name, 'buffer').readBigInt64LE() || 1n
}

function nowSeconds(): number {
  return Number(process.hrtime.bigint() / 1_000_000_000n)
}
