/** The session as a view has it: typed by what its site says that it holds. Made by `open.ts`. */
import type { SessionState } from './session-state.ts'
import type { Frozen } from './values.ts'

type Key<D> = keyof D & string

/**
 * What a site keeps for one client between its requests. Values are plain data, as JSON has them. What is
 * changed is written when the view has returned its reply, before that leaves; where the reply is a 5xx, or
 * its client has gone, nothing is. Nothing at all is written, and no cookie set, for a client that never had
 * anything set.
 *
 * Two requests of one client may run at once. In PostgreSQL their changes are merged by key: different keys
 * never meet, `update` is done on the newest value, a `set` of a key that was not read before simply comes
 * last. A `set` by a request that had read the key, which the other one has changed meanwhile, is 409
 * (UWAS_ERR_WAS_SESSION_CONFLICT) and changes nothing in it; so is any change of a session that has been ended
 * or rotated meanwhile. What the view has done in tables stands. Two first requests of a client that has no session
 * yet begin one each, and the browser keeps one of the two. In a cookie there is nothing to compare with: the whole
 * of the reply that arrives last stands.
 */
export class Session<D extends object = Record<string, unknown>> {
  readonly #state: SessionState

  constructor(state: SessionState) {
    this.#state = state
  }

  /** Names it in `sessionsOf`; null for one that is new, or kept in a cookie. It is no secret. */
  get id(): string | null {
    return this.#state.id
  }

  /** Who has signed in; null: nobody. Set by `rotate`. */
  get userId(): string | null {
    return this.#state.userId
  }

  /** When it began, or its user signed in; null for one that is new. */
  get createdAt(): Date | null {
    return this.#state.createdAt
  }

  /** False until something is set: then there is no session, and none is made. */
  get exists(): boolean {
    return this.#state.exists
  }

  /** The value of a key, undefined where it has none. It is frozen: change it with `set` or `update`. */
  get<K extends Key<D>>(key: K): Frozen<D[K]> | undefined {
    return this.#state.read().get(key) as Frozen<D[K]> | undefined
  }

  /** Throws UWAS_ERR_WAS_SESSION_VALUE for what JSON cannot give back as it was. */
  set<K extends Key<D>>(key: K, value: Frozen<D[K]>): this {
    this.#state.write().set(key, value)
    return this
  }

  /** Sets a key to what `change` makes of its value. It may be called again, so it does nothing else. */
  update<K extends Key<D>>(
    key: K,
    change: (value: Frozen<D[K]> | undefined) => Frozen<D[K]> | undefined,
  ): this {
    this.#state.write().update(key, change as (value: unknown) => unknown)
    return this
  }

  delete(key: Key<D>): this {
    this.#state.write().delete(key)
    return this
  }

  /**
   * Gives it a new id; the old one is worth nothing from then on. Call it whenever what its client may do
   * changes. With `userId` it becomes that user's: what an anonymous session held stays, what belonged to
   * another user goes.
   */
  rotate({ userId }: { readonly userId?: string | null } = {}): void {
    this.#state.rotate(userId)
  }

  /** Ends it: what is stored goes, and so does the client's cookie. What is set afterwards begins a new one. */
  destroy(): void {
    this.#state.destroy()
  }
}
