/**
 * The bytes of one representation of a file: in memory, or known by their hash and loaded when they
 * are asked for. Made by `Contents`; the budget takes bytes away, `load` brings them back.
 */

import type { Resident } from '../cache/budget.ts'

/** How often contents were wanted for a reply, and how often their bytes had to be loaded for it. */
export interface TakenCounts {
  takes: number
  misses: number
}

/** Who can get bytes again. */
export interface ContentOwner {
  /** Of all its contents together. */
  readonly taken: TakenCounts
  load(content: Content): Promise<ArrayBuffer>
}

/** More look-ups than this say nothing new. */
const MAX_USES = 255

/** Shared by every `Prepared` that sends the same bytes. */
export class Content implements Resident {
  /** Read-only and shared; null while they are not in memory. */
  bytes: ArrayBuffer | null
  readonly length: number
  /** How often they were taken, up to 255, halved from time to time: what the budget decides by. */
  uses: number
  /** Entries that send them; the budget forgets a content that nobody sends any more. */
  users: number
  /** Place among the contents in memory, -1 for none. For the budget alone. */
  place: number
  readonly #owner: ContentOwner
  readonly #taken: TakenCounts
  #loading: Promise<ArrayBuffer> | null

  constructor(length: number, bytes: ArrayBuffer | null, owner: ContentOwner) {
    this.bytes = bytes
    this.length = length
    this.uses = 0
    this.users = 0
    this.place = -1
    this.#owner = owner
    this.#taken = owner.taken
    this.#loading = null
  }

  /** For the budget. */
  evict(): void {
    this.bytes = null
  }

  /** The bytes, to be sent now; null when they have to be loaded, by `fetch`. */
  take(): ArrayBuffer | null {
    if (this.uses < MAX_USES) this.uses++
    this.#taken.takes++
    return this.bytes
  }

  /** As `load`, for the reply that `take` had nothing for. */
  fetch(): Promise<ArrayBuffer> {
    this.#taken.misses++
    return this.load()
  }

  /**
   * The bytes, read once however many ask at a time. Rejects with UWAS_ERR_FILES_CHANGED when nothing has
   * them any more: the file has a new version by now.
   */
  load(): Promise<ArrayBuffer> {
    if (this.uses < MAX_USES) this.uses++
    if (this.bytes !== null) return Promise.resolve(this.bytes)
    this.#loading ??= this.#owner.load(this).finally(() => {
      this.#loading = null
    })
    return this.#loading
  }
}
