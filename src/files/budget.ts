/**
 * Decides which contents are in memory. `Contents` asks before it keeps bytes; whoever is used least
 * leaves. A file that is asked for once does not push out one that is asked for often.
 */
import type { Content } from './content.ts'

/**
 * Contents that are looked at to find one that is used little. The best of eight is among the least used
 * eighth in two cases of three, at a cost that does not grow with their number.
 */
const SAMPLE = 8
/** Linux allows a process 65,530 mappings by default, and V8 and libraries need theirs. */
const MAX_CONTENTS = 28_000
/** Decisions between two halvings of all counters, at least: yesterday's favourites fade. */
const MIN_AGING = 1000

/**
 * Admission as in TinyLFU (Einziger, Friedman, Manes: "TinyLFU: A Highly Efficient Cache Admission Policy",
 * 2017), with exact counters: unlike a cache of unknown keys, a catalogue knows all its files.
 */
export class Budget {
  readonly maxBytes: number
  /** Of the contents that are in memory or have been admitted to it. */
  bytes: number
  /** Contents that have left memory since the start. */
  evicted: number
  readonly #resident: Content[]
  readonly #known: () => Iterable<Content>
  #hand: number
  #decisions: number

  /** `known`: all contents whose counters fade, in memory or not. */
  constructor(maxBytes: number, known: () => Iterable<Content>) {
    this.maxBytes = maxBytes
    this.bytes = 0
    this.evicted = 0
    this.#resident = []
    this.#known = known
    this.#hand = 0
    this.#decisions = 0
  }

  get count(): number {
    return this.#resident.length
  }

  /**
   * True when `content` may be in memory: it counts from now on, and what had to leave for it has left.
   * It has to be used more than each of those.
   */
  admit(content: Content): boolean {
    if (content.place >= 0) return true
    if (content.length > this.maxBytes) return false
    const leaving = this.#chooseLeaving(content)
    if (leaving === null) return false
    for (const one of leaving) {
      one.bytes = null
      this.evicted++
    }
    content.place = this.#resident.push(content) - 1
    this.bytes += content.length
    return true
  }

  /** Counts `content` no longer. Its bytes stay with whoever has them. */
  remove(content: Content): void {
    const { place } = content
    if (place < 0) return
    const last = this.#resident.pop() as Content
    if (last !== content) {
      this.#resident[place] = last
      last.place = place
    }
    content.place = -1
    this.bytes -= content.length
  }

  /** What leaves for `content`, already removed; null when all of it is used as much. */
  #chooseLeaving(content: Content): Content[] | null {
    const leaving: Content[] = []
    while (this.bytes + content.length > this.maxBytes || this.#resident.length >= MAX_CONTENTS) {
      const victim = this.#leastUsed()
      if (victim.uses >= content.uses) {
        this.#putBack(leaving)
        this.#fade()
        return null
      }
      this.remove(victim)
      leaving.push(victim)
    }
    if (leaving.length > 0) this.#fade()
    return leaving
  }

  #putBack(contents: readonly Content[]): void {
    for (const content of contents) {
      content.place = this.#resident.push(content) - 1
      this.bytes += content.length
    }
  }

  #leastUsed(): Content {
    const resident = this.#resident
    let least = resident[this.#next()] as Content
    for (let i = 1; i < SAMPLE; i++) {
      const other = resident[this.#next()] as Content
      if (other.uses < least.uses) least = other
    }
    return least
  }

  #next(): number {
    this.#hand = (this.#hand + 1) % this.#resident.length
    return this.#hand
  }

  #fade(): void {
    if (++this.#decisions < Math.max(MIN_AGING, this.#resident.length)) return
    this.#decisions = 0
    for (const content of this.#known()) content.uses >>= 1
  }
}
