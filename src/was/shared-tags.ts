/**
 * Tags that one process invalidates are invalidated in all that serve the same database: the other workers of this
 * server, and other servers. Told by NOTIFY, which other programs and triggers may send as well. Made by `app.ts`.
 */
import { randomUUID } from 'node:crypto'
import { checkTags, type TagPeers, type Tags } from '../cache/tags.ts'
import type { Log } from '../core/log.ts'
import type { Database } from '../model/database.ts'
import { problemOf } from '../model/failures.ts'
import { notify } from '../model/notify.ts'
import { outside } from '../model/outside.ts'

/** Its payload is JSON: `{"tags": ["notes"]}`, or `{"tags": null}` for all. */
export const TAGS_CHANNEL = 'uwas_tags'

/** Of PostgreSQL's 7999, less the braces and the sender. */
const MAX_BYTES = 7900
/** More of them are told as all. */
const MAX_PENDING = 10_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5000
const CLOSE_MS = 1000

export interface SharedTagsOptions {
  readonly tags: Tags
  readonly database: Database
  readonly log: Log
}

export class SharedTags implements TagPeers {
  /** Ours are not heard again. */
  readonly #from: string
  readonly #options: SharedTagsOptions
  readonly #pending: Set<string>
  #isAllPending: boolean
  /** While there is something to tell; resolves when there is nothing any more. */
  #telling: Promise<void> | null
  #listening: Promise<void> | null
  readonly #end: AbortController

  constructor(options: SharedTagsOptions) {
    this.#from = randomUUID()
    this.#options = options
    this.#pending = new Set()
    this.#isAllPending = false
    this.#telling = null
    this.#listening = null
    this.#end = new AbortController()
    options.tags.peers = this
  }

  /** Something is kept under a tag: from now on it matters what others invalidate. */
  kept(): void {
    if (!this.#end.signal.aborted) this.#listening ??= this.#listen()
  }

  /** Never throws, never waits: a database that is away is told when it is back. */
  invalidated(tags: readonly string[]): void {
    if (this.#end.signal.aborted) return
    for (const tag of tags) this.#pending.add(tag)
    if (this.#pending.size > MAX_PENDING) {
      this.#pending.clear()
      this.#isAllPending = true
    }
    if (this.#hasPending) this.#telling ??= this.#tellAll()
  }

  /** Tells what is to be told, for a second at most, and hears nothing any more. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS)
    })
    await Promise.race([this.#telling, late])
    clearTimeout(timer)
    this.#end.abort()
  }

  async #listen(): Promise<void> {
    const { database, tags, log } = this.#options
    const { signal } = this.#end
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const onResync = () => tags.dropAll()
        await database.listen(TAGS_CHANNEL, (payload) => this.#hear(payload), { onResync, signal })
        // What was kept until now may have been invalidated by others, unheard.
        tags.dropAll()
        return
      } catch (error) {
        if (signal.aborted) return
        if (attempt === 0) {
          log.warn(`what other processes invalidate is not heard yet: ${problemOf(error)}`)
        }
        await this.#pause(attempt)
      }
    }
  }

  #hear(payload: string): void {
    const { tags } = this.#options
    const { from, tags: named } = JSON.parse(payload) as { from?: unknown; tags?: unknown }
    if (from === this.#from) return
    if (named === null) return tags.dropAll()
    if (!Array.isArray(named)) throw new TypeError(`"tags" is no list in ${payload}`)
    tags.invalidateHere(checkTags(named))
  }

  async #tellAll(): Promise<void> {
    const { database, log } = this.#options
    for (let failures = 0; this.#hasPending && !this.#end.signal.aborted; ) {
      const isAll = this.#isAllPending
      const some = isAll ? [] : this.#takeSome()
      this.#isAllPending = false
      try {
        const payload = JSON.stringify({ from: this.#from, tags: isAll ? null : some })
        // It is no part of a transaction that may be open around.
        await notify(outside(database), TAGS_CHANNEL, payload)
        failures = 0
      } catch (error) {
        if (failures === 0) {
          log.warn(`other processes are not told yet what is invalidated: ${problemOf(error)}`)
        }
        for (const tag of some) this.#pending.add(tag)
        if (isAll) this.#isAllPending = true
        await this.#pause(failures++)
      }
    }
    this.#telling = null
  }

  get #hasPending(): boolean {
    return this.#isAllPending || this.#pending.size > 0
  }

  #takeSome(): string[] {
    const some: string[] = []
    let bytes = 0
    for (const tag of this.#pending) {
      bytes += Buffer.byteLength(JSON.stringify(tag)) + 1
      if (bytes > MAX_BYTES) break
      this.#pending.delete(tag)
      some.push(tag)
    }
    return some
  }

  /** The pauses grow; the end cuts them short. */
  #pause(attempt: number): Promise<void> {
    const ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt)
    const { signal } = this.#end
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms).unref()
      signal.addEventListener('abort', end)
    })
  }
}
