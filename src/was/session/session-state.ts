/**
 * The session of one request: what was stored, what the request makes of it, and, at its end, what is written.
 * Nothing is written where nothing has changed. Made by `open.ts`; views have it as a `Session`.
 */
import { createError } from '../../core/errors.ts'
import type { Trace } from '../../core/trace.ts'
import { Changes } from './changes.ts'
import { type Next, newToken, type SessionStore, type Stored } from './stored.ts'

const NO_DATA = Object.freeze({})

export class SessionState {
  readonly #loaded: Stored | undefined
  /** What was loaded and still stands; undefined: the session is a new one. */
  #stored: Stored | undefined
  /** What was loaded, and goes. */
  #ended: Stored | undefined
  #changes: Changes
  #userId: string | null
  #isRotated = false
  #hasSignedIn = false
  #isClosed = false
  #newToken: string | undefined

  constructor(stored: Stored | undefined) {
    this.#loaded = stored
    this.#stored = stored
    this.#ended = undefined
    this.#changes = new Changes(stored?.data ?? NO_DATA)
    this.#userId = stored?.userId ?? null
  }

  /** For `restore`: as it is now. */
  copy(): SessionState {
    return new SessionState(this.#loaded).#become(this)
  }

  /** Takes back what was changed since that copy; null: since it was loaded. */
  restore(copy: SessionState | null): void {
    this.#become(copy ?? new SessionState(this.#loaded))
  }

  get id(): string | null {
    return this.#stored?.id ?? null
  }

  get userId(): string | null {
    return this.#userId
  }

  get createdAt(): Date | null {
    return this.#stored?.createdAt ?? null
  }

  /** Where nothing is stored and nothing has been set, there is no session. */
  get exists(): boolean {
    return this.#stored !== undefined || this.#isWanted
  }

  /** The token that the client has after this request; null: none. */
  get token(): string | null {
    if (!this.exists) return null
    if (this.#stored !== undefined && !this.#isRotated) return this.#stored.token
    this.#newToken ??= newToken()
    return this.#newToken
  }

  /** What is asked of the session's data. `write` is for what changes them. */
  read(): Changes {
    return this.#changes
  }

  write(): Changes {
    this.#checkOpen()
    return this.#changes
  }

  rotate(userId: string | null | undefined): void {
    this.#checkOpen()
    this.#hasSignedIn ||= typeof userId === 'string'
    if (userId !== undefined && userId !== this.#userId) {
      // Of one user's session nothing may reach another's.
      if (this.#userId !== null) this.#end()
      this.#userId = userId
    }
    this.#isRotated = true
    this.#newToken = undefined
  }

  destroy(): void {
    this.#checkOpen()
    this.#end()
    this.#userId = null
    this.#isRotated = false
    this.#newToken = undefined
  }

  /**
   * Writes what has to be written; afterwards nothing can be changed. A cookie's value to set, null to take
   * the cookie away, undefined to leave it.
   */
  async save(store: SessionStore, trace: Trace | null): Promise<string | null | undefined> {
    this.#isClosed = true
    if (this.#ended !== undefined) await store.remove(this.#ended, trace)
    const stored = this.#stored
    if (stored === undefined) {
      if (this.#isWanted) return store.create(this.#next(), trace)
      return this.#ended === undefined ? undefined : null
    }
    if (this.#isRotated || !this.#changes.isEmpty) {
      return (await store.change(stored, this.#next(), trace)) ?? undefined
    }
    return stored.isStale ? ((await store.touch(stored, trace)) ?? undefined) : undefined
  }

  /** A request that failed keeps nothing. */
  close(): void {
    this.#isClosed = true
  }

  #become(other: SessionState): this {
    this.#stored = other.#stored
    this.#ended = other.#ended
    this.#changes = other.#changes.copy()
    this.#userId = other.#userId
    this.#isRotated = other.#isRotated
    this.#hasSignedIn = other.#hasSignedIn
    this.#newToken = other.#newToken
    return this
  }

  get #isWanted(): boolean {
    return this.#userId !== null || !this.#changes.isEmpty
  }

  #next(): Next {
    const changes = this.#changes
    return {
      token: this.token as string,
      userId: this.#userId,
      dataFrom: (current) => changes.applyTo(current),
      hasSignedIn: this.#hasSignedIn,
    }
  }

  #end(): void {
    this.#ended ??= this.#stored
    this.#stored = undefined
    this.#changes = new Changes(NO_DATA)
  }

  #checkOpen(): void {
    if (this.#isClosed) throw createError('UWAS_ERR_WAS_SESSION_LATE', {})
  }
}
