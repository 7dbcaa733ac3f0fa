/**
 * What has been tried for a name and has failed, kept between starts: a server that is restarted again and again must
 * not ask its authority each time (Let's Encrypt lets five validations fail in an hour). Asked by `keeper.ts`.
 */
import { join } from 'node:path'
import * as z from 'zod'
import type { SiteAcme } from '../../../was/acme.ts'
import { readSecret, replaceSecret } from './store.ts'

/** Times are in milliseconds since 1970. */
export interface Attempts {
  /** Since the last certificate. */
  readonly failures: number
  readonly lastMs: number
  /** Not before that time. */
  readonly nextMs: number
}

const NONE: Attempts = { failures: 0, lastMs: 0, nextMs: 0 }
const MINUTE_MS = 60_000
/** Behind each failure: four in the first hour, then fewer. */
const RETRY_MINUTES = [2, 8, 20, 30, 60, 120, 240, 480, 720]
/** Somebody who has put right what was wrong, and starts the server again, does not wait for longer. */
const RESTART_MS = 15 * MINUTE_MS
/** Behind an order that has given a certificate. */
const SETTLED_MS = 60 * MINUTE_MS
/** Servers that have failed together do not come back together. */
const JITTER = 0.2

const schema = z.object({ failures: z.int(), lastMs: z.number(), nextMs: z.number() })

/** None where nothing has failed, or nobody can tell. */
export async function readAttempts(acme: SiteAcme, name: string): Promise<Attempts> {
  const text = await readSecret(fileOf(acme, name))
  if (text === null) return NONE
  try {
    const told = schema.parse(JSON.parse(text))
    // Of a clock that was wrong: nobody has tried tomorrow.
    return told.lastMs > Date.now() ? NONE : told
  } catch {
    return NONE
  }
}

export async function writeAttempts(
  acme: SiteAcme,
  name: string,
  attempts: Attempts,
): Promise<void> {
  await replaceSecret(fileOf(acme, name), `${JSON.stringify(attempts)}\n`)
}

/** What one more failure makes of them. `unitMs`: a minute. */
export function failed(before: Attempts, nowMs: number, unitMs = MINUTE_MS): Attempts {
  const failures = before.failures + 1
  const units = RETRY_MINUTES[Math.min(failures, RETRY_MINUTES.length) - 1] as number
  const spread = 1 + JITTER * Math.random()
  return { failures, lastMs: nowMs, nextMs: nowMs + units * unitMs * spread }
}

/** While an order is made: a process that dies over it, again and again, must not ask each time. */
export function begun(before: Attempts, nowMs: number, unitMs = MINUTE_MS): Attempts {
  return { ...before, lastMs: nowMs, nextMs: nowMs + (RETRY_MINUTES[0] as number) * unitMs }
}

/** An authority that gives short ones is not asked all the time. */
export function succeeded(nowMs: number): Attempts {
  return { failures: 0, lastMs: nowMs, nextMs: nowMs + SETTLED_MS }
}

/** When the next one may be made, by a process that has started at `startedMs`. */
export function nextAttemptMs({ lastMs, nextMs }: Attempts, startedMs: number): number {
  return lastMs < startedMs ? Math.min(nextMs, lastMs + RESTART_MS) : nextMs
}

function fileOf({ authorityDir }: SiteAcme, name: string): string {
  return join(authorityDir, `${name}.attempts.json`)
}
