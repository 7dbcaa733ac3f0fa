/**
 * Decides what is in memory: contents of static files, cached pages and values share one number of bytes.
 * Their owners ask before they keep something; whoever is used least leaves, so that what is asked for once
 * does not push out what is asked for often.
 */

/** Something that takes memory. */
export interface Resident {
  readonly length: number
  /** How often it was taken, halved from time to time; its owner counts, up to 255. */
  uses: number
  /** Place among the residents of its budget, -1 for none. For the budget alone. */
  place: number
  /** It has left the budget: let go of it. */
  evict(): void
}

/**
 * Residents that are looked at to find one that is used little. The best of eight is among the least used
 * eighth in two cases of three, at a cost that does not grow with their number.
 */
const SAMPLE = 8
/** Decisions between two halvings of all counters, at least: yesterday's favourites fade. */
const MIN_AGING = 1000

/** The bytes of a whole process, which several budgets share. */
export class Memory {
  readonly maxBytes: number
  /** Of what is in memory or has been admitted to it. */
  bytes: number
  readonly #budgets: Budget[]
  #decisions: number

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
    this.bytes = 0
    this.#budgets = []
    this.#decisions = 0
  }

  /** For `Budget`. */
  join(budget: Budget): void {
    this.#budgets.push(budget)
  }

  /** For `Budget`: who would leave first, with its budget; somebody is there. */
  leastUsed(): Leaving {
    const candidates = this.#budgets.flatMap((budget): Leaving[] => {
      const one = budget.leastUsed()
      return one === undefined ? [] : [{ budget, one }]
    })
    return candidates.reduce((least, other) => (other.one.uses < least.one.uses ? other : least))
  }

  /** For `Budget`: counts a decision; all counters are halved after as many as there are residents. */
  fade(): void {
    const count = this.#budgets.reduce((sum, budget) => sum + budget.count, 0)
    if (++this.#decisions < Math.max(MIN_AGING, count)) return
    this.#decisions = 0
    for (const budget of this.#budgets) budget.halve()
  }
}

interface Leaving {
  readonly budget: Budget
  readonly one: Resident
}

export interface BudgetOptions {
  /** All whose counters fade, in memory or not. Default: those in memory. */
  readonly known?: () => Iterable<Resident>
  /** Residents at a time. Default: any number. */
  readonly maxCount?: number
  /** What it is a part of. Default: its own bytes. */
  readonly memory?: Memory
}

/**
 * The share of one kind of residents. Admission as in TinyLFU (Einziger, Friedman, Manes: "TinyLFU: A
 * Highly Efficient Cache Admission Policy", 2017): a newcomer has to be used more than each one that would
 * have to leave for it.
 */
export class Budget {
  readonly maxBytes: number
  bytes: number
  /** Residents that have left since the start because of others. */
  evicted: number
  readonly #memory: Memory
  readonly #maxCount: number
  readonly #resident: Resident[]
  readonly #known: () => Iterable<Resident>
  #hand: number

  constructor(maxBytes: number, options: BudgetOptions = {}) {
    this.maxBytes = maxBytes
    this.bytes = 0
    this.evicted = 0
    this.#memory = options.memory ?? new Memory(maxBytes)
    this.#maxCount = options.maxCount ?? Number.POSITIVE_INFINITY
    this.#resident = []
    this.#known = options.known ?? (() => this.#resident)
    this.#hand = 0
    this.#memory.join(this)
  }

  get count(): number {
    return this.#resident.length
  }

  /** True when `one` may be in memory: it counts from now on, and what had to leave for it has left. */
  admit(one: Resident): boolean {
    if (one.place >= 0) return true
    if (one.length > Math.min(this.maxBytes, this.#memory.maxBytes)) return false
    const leaving = this.#chooseLeaving(one)
    if (leaving === null) return false
    for (const each of leaving) {
      each.one.evict()
      each.budget.evicted++
    }
    this.#add(one)
    return true
  }

  /** Counts `one` no longer. What it holds stays with whoever has it. */
  remove(one: Resident): void {
    const { place } = one
    if (place < 0) return
    const last = this.#resident.pop() as Resident
    if (last !== one) {
      this.#resident[place] = last
      last.place = place
    }
    one.place = -1
    this.bytes -= one.length
    this.#memory.bytes -= one.length
  }

  /** One of the least used; undefined where nothing is in memory. */
  leastUsed(): Resident | undefined {
    const resident = this.#resident
    if (resident.length === 0) return undefined
    let least = resident[this.#next()] as Resident
    for (let i = 1; i < SAMPLE; i++) {
      const other = resident[this.#next()] as Resident
      if (other.uses < least.uses) least = other
    }
    return least
  }

  /** For `Memory`. */
  halve(): void {
    for (const one of this.#known()) one.uses >>= 1
  }

  #add(one: Resident): void {
    one.place = this.#resident.push(one) - 1
    this.bytes += one.length
    this.#memory.bytes += one.length
  }

  /** What leaves for `one`, already removed; null when all of it is used as much. */
  #chooseLeaving(one: Resident): Leaving[] | null {
    const leaving: Leaving[] = []
    for (;;) {
      const victim = this.#mustLeave(one)
      if (victim === null) break
      if (victim.one.uses >= one.uses) {
        for (const each of leaving) each.budget.#add(each.one)
        this.#memory.fade()
        return null
      }
      victim.budget.remove(victim.one)
      leaving.push(victim)
    }
    if (leaving.length > 0) this.#memory.fade()
    return leaving
  }

  /** Of this budget where it is full itself; null when there is room. */
  #mustLeave({ length }: Resident): Leaving | null {
    if (this.bytes + length > this.maxBytes || this.#resident.length >= this.#maxCount) {
      return { budget: this, one: this.leastUsed() as Resident }
    }
    return this.#memory.bytes + length > this.#memory.maxBytes ? this.#memory.leastUsed() : null
  }

  #next(): number {
    this.#hand = (this.#hand + 1) % this.#resident.length
    return this.#hand
  }
}
