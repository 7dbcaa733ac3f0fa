/**
 * Names of requests: UUIDs that begin with their time, so that they sort as they came (RFC 9562 section 5.7). The rest is
 * random: none can be guessed from another.
 */
import { randomFillSync } from 'node:crypto'

const RANDOM_BYTES = 10
/** Random bytes are fetched for so many at once. */
const POOLED = 128

const pool = Buffer.alloc(RANDOM_BYTES * POOLED)
let next = pool.length
/** What ids of this millisecond begin with. */
let moment = Number.NaN
let start = ''

/** `019ac2f4-5d3e-7c1a-9b0f-3f6f8f1f2a4b` */
export function uuid7(nowMs: number = Date.now()): string {
  if (next === pool.length) {
    randomFillSync(pool)
    next = 0
  }
  if (nowMs !== moment) {
    moment = nowMs
    const time = nowMs.toString(16).padStart(12, '0')
    start = `${time.slice(0, 8)}-${time.slice(8)}-`
  }
  // Version 7 and variant 10 take the place of six random bits.
  pool[next] = 0x70 | ((pool[next] as number) & 0x0f)
  pool[next + 2] = 0x80 | ((pool[next + 2] as number) & 0x3f)
  const rest = pool.toString('hex', next, next + RANDOM_BYTES)
  next += RANDOM_BYTES
  return `${start}${rest.slice(0, 4)}-${rest.slice(4, 8)}-${rest.slice(8)}`
}
