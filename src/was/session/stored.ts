/**
 * A session as it is kept, and what keeps it: PostgreSQL or a cookie. Made by the two stores, read by
 * `session-state.ts`.
 */
import { randomBytes } from 'node:crypto'
import type { Trace } from '../../core/trace.ts'

/** What is kept, by key; nothing in it changes. */
export type Data = Readonly<Record<string, unknown>>

export interface Stored {
  /** Names it in lists of a user's sessions; tells nothing of the token. Null where there are no lists. */
  readonly id: string | null
  /** Whoever has it has the session. */
  readonly token: string
  readonly userId: string | null
  readonly data: Data
  /** Goes up with each change. */
  readonly version: number
  /** When it began, or its user signed in. */
  readonly createdAt: Date
  /** True when it was last seen long enough ago that this is to be written down. */
  readonly isStale: boolean
}

/** What a session is to become. */
export interface Next {
  readonly token: string
  readonly userId: string | null
  /** Its data, made of the newest that are stored; throws UWAS_ERR_WAS_SESSION_CONFLICT. */
  readonly dataFrom: (current: Data) => Data
  /** True when its user has just signed in: its lifetime begins anew. */
  readonly hasSignedIn: boolean
}

/** Every method gives the value of the cookie to set, or null where the client's stays as it is. */
export interface SessionStore {
  /** The token in a cookie's value, without asking whether its session is still there. */
  tokenOf(cookie: string): string | undefined
  /** The session of a cookie's value; undefined for one that is malformed, unknown, ended or expired. */
  load(cookie: string, trace: Trace | null): Promise<Stored | undefined>
  create(next: Next, trace: Trace | null): Promise<string>
  /** UWAS_ERR_WAS_SESSION_CONFLICT when `stored` has ended or been renewed meanwhile. */
  change(stored: Stored, next: Next, trace: Trace | null): Promise<string | null>
  /** Writes down that it has been seen. */
  touch(stored: Stored, trace: Trace | null): Promise<string | null>
  remove(stored: Stored, trace: Trace | null): Promise<void>
}

/** How long sessions live, and how large they may be. */
export interface SessionLimits {
  readonly idleSeconds: number
  readonly lifetimeSeconds: number
  readonly maxBytes: number
}

/** After this part of the idle time a session that is read is written down as seen. */
export const STALE_PART = 0.1

const TOKEN_BYTES = 32
const TOKEN = /^[\w-]{43}$/

export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url')
}

export function isToken(text: unknown): text is string {
  return typeof text === 'string' && TOKEN.test(text)
}
