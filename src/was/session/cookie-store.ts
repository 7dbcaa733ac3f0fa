/**
 * Sessions in the client's own cookie, encrypted: nothing is kept here. So nothing can be taken back either:
 * who has copied a cookie can use it until it expires, also after its user has signed out.
 */
import { createError } from '../../core/errors.ts'
import type { Signer } from '../../http/signing.ts'
import {
  isToken,
  type Next,
  type SessionLimits,
  type SessionStore,
  STALE_PART,
  type Stored,
} from './stored.ts'
import { deepFreeze } from './values.ts'

/** Browsers drop a longer cookie without a word; its name and attributes count in some of them. */
export const MAX_COOKIE_BYTES = 4096
const ATTRIBUTES_BYTES = 128
const PURPOSE = 'session'
/** Clocks of several servers differ; a time further ahead than this was written by one that was wrong. */
const MAX_AHEAD_SECONDS = 300

/** Short names: they travel with every request. */
interface Content {
  /** Token. */
  readonly t: string
  /** User. */
  readonly u: string | null
  readonly d: Record<string, unknown>
  /** Created and seen, in seconds. */
  readonly c: number
  readonly s: number
}

export function createCookieStore(signer: Signer, limits: SessionLimits): SessionStore {
  function cookieOf(content: Content): string {
    const value = signer.encrypt(PURPOSE, JSON.stringify(content))
    const bytes = value.length + ATTRIBUTES_BYTES
    if (bytes <= MAX_COOKIE_BYTES) return value
    throw createError('UWAS_ERR_WAS_SESSION_SIZE', {
      bytes,
      limit: MAX_COOKIE_BYTES,
      advice:
        "a cookie holds no more; keep less, or keep sessions in PostgreSQL (store: 'postgres')",
    })
  }
  function read(cookie: string): Stored | undefined {
    const text = signer.decrypt(PURPOSE, cookie)
    return text === undefined ? undefined : storedOf(JSON.parse(text) as Content, limits)
  }
  return {
    tokenOf: (cookie) => read(cookie)?.token,
    load: (cookie) => Promise.resolve(read(cookie)),
    async create({ token, userId, dataFrom }) {
      const now = seconds()
      return cookieOf({ t: token, u: userId, d: dataFrom({}), c: now, s: now })
    },
    async change(stored, next) {
      return cookieOf(changed(stored, next))
    },
    async touch(stored) {
      const { token, userId, data, createdAt } = stored
      const now = seconds()
      return cookieOf({ t: token, u: userId, d: data, c: createdAt.getTime() / 1000, s: now })
    },
    async remove() {},
  }
}

function changed({ data, createdAt }: Stored, next: Next): Content {
  const now = seconds()
  const { token, userId, dataFrom, hasSignedIn } = next
  const created = hasSignedIn ? now : createdAt.getTime() / 1000
  return { t: token, u: userId, d: dataFrom(data), c: created, s: now }
}

function storedOf(content: Content, limits: SessionLimits): Stored | undefined {
  const { t: token, u: userId, d: data, c: created, s: seen } = content
  const now = seconds()
  const isAhead = Math.max(created, seen) > now + MAX_AHEAD_SECONDS
  const isOver = now - created >= limits.lifetimeSeconds || now - seen >= limits.idleSeconds
  if (!isToken(token) || isAhead || isOver) return undefined
  return {
    id: null,
    token,
    userId,
    data: deepFreeze(data),
    version: 0,
    createdAt: new Date(created * 1000),
    isStale: now - seen >= limits.idleSeconds * STALE_PART,
  }
}

function seconds(): number {
  return Math.floor(Date.now() / 1000)
}
