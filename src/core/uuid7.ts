/**
 * Names of requests: UUIDs that begin with their time, so that they sort as they came (RFC 9562 section 5.7). The rest is
 * random: none can be guessed from another.
 */
import { randomFillSync } from 'node:crypto'

const RANDOM_BYTES = 10
/** Random bytes are fetched for so many at once. */
const POOLED = 128

const ID_DIGITS = 2 * RANDOM_BYTES
const pool = Buffer.alloc(RANDOM_BYTES * POOLED)
/** All that is in the pool, in hexadecimal digits: to make a text of each part costs more than of all. */
let digits = ''
let next = 0
/** What ids of this millisecond begin with. */
let moment = Number.NaN
let start = ''

/** `019ac2f4-5d3e-7c1a-9b0f-3f6f8f1f2a4b` */
export function uuid7(nowMs: number = Date.now()): string {
  if (next === digits.length) fill()
  if (nowMs !== moment) {
    moment = nowMs
    const time = nowMs.toString(16).padStart(12, '0')
    start = `${time.slice(0, 8)}-${time.slice(8)}-`
  }
  const from = next
  next += ID_DIGITS
  return `${start}${digits.slice(from, from + 4)}-${digits.slice(from + 4, from + 8)}-${digits.slice(from + 8, next)}`
}

function fill(): void {
  randomFillSync(pool)
  for (let at = 0; at < pool.length; at += RANDOM_BYTES) {
    // Version 7 and variant 10 take the place of six random bits.
    pool[at] = 0x70 | ((pool[at] as number) & 0x0f)
    pool[at + 2] = 0x80 | ((pool[at + 2] as number) & 0x3f)
  }
  digits = pool.toString('hex')
  next = 0
}
