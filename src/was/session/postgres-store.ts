/**
 * Sessions in PostgreSQL: the client has a random token, the table its hash. Changes of two requests meet by
 * version: who comes second does its changes again on what the first has stored.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createError } from '../../core/errors.ts'
import type { Trace } from '../../core/trace.ts'
import type { Database } from '../../model/database.ts'
import { Outside } from '../../model/outside.ts'
import type { Runner } from '../../model/statement.ts'
import {
  changeSession,
  createSession,
  loadSession,
  reloadSession,
  removeExpired,
  removeSession,
  touchSession,
} from './statements.ts'
import {
  type Data,
  isToken,
  type Next,
  type SessionLimits,
  type SessionStore,
  STALE_PART,
  type Stored,
} from './stored.ts'
import { deepFreeze } from './values.ts'

/** Each round that is lost was won by another request, so this many is somebody's play. */
const MAX_ROUNDS = 20
const EXPIRE_EVERY_MS = 10 * 60 * 1000
const EXPIRE_ROWS = 1000
const MAX_BATCHES = 100

export class PostgresStore implements SessionStore {
  readonly #db: Database
  readonly #limits: SessionLimits
  #expiredAt: number

  constructor(db: Database, limits: SessionLimits) {
    this.#db = db
    this.#limits = limits
    // Servers that start together do not clean up together.
    this.#expiredAt = performance.now() - Math.random() * EXPIRE_EVERY_MS
  }

  tokenOf(cookie: string): string | undefined {
    return isToken(cookie) ? cookie : undefined
  }

  async load(cookie: string, trace: Trace | null): Promise<Stored | undefined> {
    if (!isToken(cookie)) return undefined
    const { idleSeconds: idle, lifetimeSeconds: lifetime } = this.#limits
    const row = await loadSession.maybe(this.#on(trace), {
      token: hashOf(cookie),
      idle,
      lifetime,
      stale: idle * STALE_PART,
    })
    this.#cleanUp()
    if (row === undefined) return undefined
    const { id, user_id: userId, data, version, created_at: createdAt, is_stale: isStale } = row
    return { id, token: cookie, userId, data: deepFreeze(data), version, createdAt, isStale }
  }

  async create({ token, userId, dataFrom }: Next, trace: Trace | null): Promise<string> {
    const data = this.#checked(dataFrom({}))
    const row = { id: randomUUID(), token: hashOf(token), user_id: userId, data }
    await createSession.run(this.#on(trace), row)
    this.#cleanUp()
    return token
  }

  async change(stored: Stored, next: Next, trace: Trace | null): Promise<string | null> {
    const on = this.#on(trace)
    const token = hashOf(stored.token)
    let { data, version }: { data: Data; version: number } = stored
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const changed = await changeSession.run(on, {
        token,
        version,
        new_token: hashOf(next.token),
        user_id: next.userId,
        data: this.#checked(next.dataFrom(data)),
        has_signed_in: next.hasSignedIn,
      })
      if (changed === 1) return next.token === stored.token ? null : next.token
      const newer = await reloadSession.maybe(on, { token })
      if (newer === undefined) {
        throw createError('UWAS_ERR_WAS_SESSION_CONFLICT', { what: 'ended or renewed' })
      }
      data = deepFreeze(newer.data)
      version = newer.version
    }
    throw createError('UWAS_ERR_WAS_SESSION_CONFLICT', { what: 'changed again and again' })
  }

  async touch({ token }: Stored, trace: Trace | null): Promise<null> {
    await touchSession.run(this.#on(trace), { token: hashOf(token) })
    return null
  }

  async remove({ token }: Stored, trace: Trace | null): Promise<void> {
    await removeSession.run(this.#on(trace), { token: hashOf(token) })
  }

  /** Removes what has expired, batch by batch, so that no statement is long. How many there were. */
  async removeExpired(): Promise<number> {
    let removed = 0
    for (let batch = 0; batch < MAX_BATCHES; batch++) {
      const { idleSeconds: idle } = this.#limits
      const count = await removeExpired.run(this.#on(null), { idle, count: EXPIRE_ROWS })
      removed += count
      if (count < EXPIRE_ROWS) break
    }
    return removed
  }

  /** Where sessions are used; a server that stops has no timer to stop. */
  #cleanUp(): void {
    const now = performance.now()
    if (now - this.#expiredAt < EXPIRE_EVERY_MS) return
    this.#expiredAt = now
    this.removeExpired().catch((error: unknown) => {
      this.#db.log.error('removing expired sessions failed', error)
    })
  }

  /** A session is not part of the transaction that the view may be in. */
  #on(trace: Trace | null): Runner {
    return new Outside(this.#db, trace)
  }

  #checked(data: Data): Data {
    const bytes = Buffer.byteLength(JSON.stringify(data))
    const { maxBytes: limit } = this.#limits
    if (bytes <= limit) return data
    const advice = 'keep less in it, and more in tables of the site (sessions.maxBytes)'
    throw createError('UWAS_ERR_WAS_SESSION_SIZE', { bytes, limit, advice })
  }
}

/** The token has 256 random bits: a plain hash cannot be undone by trying. */
function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
