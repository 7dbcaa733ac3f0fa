/**
 * The cached pages of a site. The lanes look up here what is no static file, in the same callback; the site's
 * dispatcher puts in what its views have made.
 */
import type { Budget } from '../cache/budget.ts'
import type { Frequency } from '../cache/frequency.ts'
import type { Tags } from '../cache/tags.ts'
import type { ValueStore } from '../cache/value-store.ts'
import type { FileEntry } from '../files/entry.ts'
import type { Page } from './page.ts'
import type { PageKey, Rule } from './rule.ts'

/** Where a lane's fields come from. */
export interface FieldList {
  forEach(visit: (name: string, value: string) => void): void
}

/** All pages of one URL of one host. */
interface Slot {
  readonly rule: Rule
  /** Where nothing varies. */
  page: Page | null
  /** Else by what varies. */
  readonly byVary: Map<string, Page>
}

/** Pages that are looked at for each one that is put in: those whose time is over leave. */
const SWEEP = 2

export class PageStore {
  readonly budget: Budget
  readonly tags: Tags
  readonly #frequency: Frequency
  readonly #hosts = new Map<string, Map<string, Slot>>()
  readonly #pages = new Set<Page>()
  /** Pages that were sent, and that had to be made first, since the start. */
  hits = 0
  misses = 0
  #sweeping: Iterator<Page>
  #generation = 0

  /** Pages and values share their bytes, their tags, and what is known of how often keys are asked for. */
  constructor({ budget, tags, frequency }: Pick<ValueStore, 'budget' | 'tags' | 'frequency'>) {
    this.budget = budget
    this.tags = tags
    this.#frequency = frequency
    this.#sweeping = this.#pages.values()
  }

  /** What an earlier one puts in is not taken: it was made by other code. */
  get generation(): number {
    return this.#generation
  }

  get count(): number {
    return this.#pages.size
  }

  /**
   * For lanes: the entry to answer a GET or HEAD without Authorization with; undefined: ask the site. `path` is
   * encoded and canonical, `search` as sent: a query that is written in another order is found by the site.
   */
  find(host: string, path: string, search: string, fields: FieldList): FileEntry | undefined {
    const slot = this.#hosts.get(host)?.get(search === '' ? path : `${path}?${search}`)
    if (slot === undefined) return undefined
    const page = slot.rule.isPlain ? slot.page : chooseOf(slot, fields)
    if (page === null) return undefined
    const now = performance.now()
    if (!page.isUsable(now)) return undefined
    this.hits++
    return page.use(now)
  }

  /** What is kept for the key, perhaps stale. */
  get(key: PageKey): Page | undefined {
    const slot = this.#hosts.get(key.host)?.get(key.target)
    const page = slot?.rule.isPlain ? (slot.page ?? undefined) : slot?.byVary.get(key.vary)
    if (page === undefined || performance.now() < page.until) return page
    this.remove(page)
    return undefined
  }

  /** False when there is no room for it: others are asked for more often. */
  put(page: Page, generation: number): boolean {
    const { key, rule } = page
    const before = this.get(key)
    if (before !== undefined) this.remove(before)
    if (generation !== this.#generation) return false
    this.#sweep()
    const asked = this.#frequency.count(`${key.host}\n${key.target}\n${key.vary}`)
    page.uses = Math.max(asked, before?.uses ?? 0)
    if (!this.budget.admit(page)) return false
    page.onDrop = (one) => this.remove(one)
    this.#pages.add(page)
    this.tags.hold(page)
    const slot = this.#slotOf(key, rule)
    if (rule.isPlain) slot.page = page
    else slot.byVary.set(key.vary, page)
    return true
  }

  remove(page: Page): void {
    if (!this.#pages.delete(page)) return
    this.budget.remove(page)
    this.tags.release(page)
    const { host, target, vary } = page.key
    const slots = this.#hosts.get(host)
    const slot = slots?.get(target)
    if (slots === undefined || slot === undefined) return
    if (slot.page === page) slot.page = null
    else if (slot.byVary.get(vary) === page) slot.byVary.delete(vary)
    if (slot.page !== null || slot.byVary.size > 0) return
    slots.delete(target)
    if (slots.size === 0) this.#hosts.delete(host)
  }

  /** `change` makes the page longer or shorter. It may have to leave for that. */
  resize(page: Page, change: () => void): void {
    const isKept = page.place >= 0
    if (isKept) this.budget.remove(page)
    change()
    if (isKept && !this.budget.admit(page)) this.remove(page)
  }

  forgetAll(): void {
    for (const page of [...this.#pages]) this.remove(page)
  }

  /** Begins anew, for new code of the site. */
  renew(): void {
    this.#generation++
    this.forgetAll()
  }

  #slotOf({ host, target }: PageKey, rule: Rule): Slot {
    let slots = this.#hosts.get(host)
    if (slots === undefined) {
      slots = new Map()
      this.#hosts.set(host, slots)
    }
    let slot = slots.get(target)
    if (slot === undefined) {
      slot = { rule, page: null, byVary: new Map() }
      slots.set(target, slot)
    }
    return slot
  }

  #sweep(): void {
    for (let i = 0; i < SWEEP; i++) {
      const next = this.#sweeping.next()
      if (next.done === true) {
        this.#sweeping = this.#pages.values()
        return
      }
      if (performance.now() >= next.value.until) this.remove(next.value)
    }
  }
}

function chooseOf({ rule, byVary }: Slot, fields: FieldList): Page | null {
  const vary = rule.varyOf((name) => joinedField(fields, name))
  return vary === null ? null : (byVary.get(vary) ?? null)
}

/** As `Request` reads it: several fields of one name are one, empty ones none. */
function joinedField(fields: FieldList, name: string): string | undefined {
  const separator = name === 'cookie' ? '; ' : ', '
  let joined: string | undefined
  fields.forEach((other, value) => {
    if (other !== name || value === '') return
    joined = joined === undefined ? value : joined + separator + value
  })
  return joined
}
