/**
 * What one request changes of a session: steps by key, kept as steps so that they can be done again on what
 * another request has stored meanwhile. Used by `session-state.ts`.
 */
import { createError } from '../../core/errors.ts'
import type { Data } from './stored.ts'
import { frozenCopy, isSame } from './values.ts'

interface Step {
  /** The key's new value; undefined takes it away. */
  readonly make: (value: unknown) => unknown
  /** True when the request had looked at the key and decided by what it saw. */
  readonly isAfterRead: boolean
}

export class Changes {
  readonly #base: Data
  readonly #steps = new Map<string, Step[]>()
  readonly #now = new Map<string, unknown>()
  readonly #read = new Set<string>()

  constructor(base: Data) {
    this.#base = base
  }

  copy(): Changes {
    const copy = new Changes(this.#base)
    for (const [key, steps] of this.#steps) copy.#steps.set(key, [...steps])
    for (const [key, value] of this.#now) copy.#now.set(key, value)
    for (const key of this.#read) copy.#read.add(key)
    return copy
  }

  get isEmpty(): boolean {
    return this.#steps.size === 0
  }

  get(key: string): unknown {
    this.#read.add(key)
    return this.#valueNow(key)
  }

  set(key: string, value: unknown): void {
    const kept = frozenCopy(checkKey(key), value)
    this.#add(key, () => kept, this.#read.has(key))
  }

  delete(key: string): void {
    this.#add(key, () => undefined, this.#read.has(key))
  }

  /** `change` may run again, on a newer value. */
  update(key: string, change: (value: unknown) => unknown): void {
    checkKey(key)
    const make = (value: unknown): unknown => {
      const made = change(value)
      return made === undefined ? undefined : frozenCopy(key, made)
    }
    this.#add(key, make, false)
  }

  /**
   * `current` with the changes. UWAS_ERR_WAS_SESSION_CONFLICT when another request has changed a key that
   * this one has read and then set.
   */
  applyTo(current: Data): Data {
    const next: Record<string, unknown> = { ...current }
    for (const [key, steps] of this.#steps) {
      const before = valueIn(current, key)
      if (steps.some((step) => step.isAfterRead) && !isSame(before, valueIn(this.#base, key))) {
        const what = `changed (${JSON.stringify(key)})`
        throw createError('UWAS_ERR_WAS_SESSION_CONFLICT', { what })
      }
      const after = steps.reduce((value, step) => step.make(value), before)
      if (after === undefined) delete next[key]
      else next[key] = after
    }
    return next
  }

  #add(key: string, make: Step['make'], isAfterRead: boolean): void {
    // First, so that what `make` throws leaves nothing behind.
    const made = make(this.#valueNow(key))
    const steps = this.#steps.get(key)
    if (steps === undefined) this.#steps.set(key, [{ make, isAfterRead }])
    else steps.push({ make, isAfterRead })
    this.#now.set(key, made)
  }

  #valueNow(key: string): unknown {
    return this.#now.has(key) ? this.#now.get(key) : valueIn(this.#base, key)
  }
}

function valueIn(data: Data, key: string): unknown {
  return Object.hasOwn(data, key) ? data[key] : undefined
}

function checkKey(key: string): string {
  if (typeof key === 'string' && key !== '' && key !== '__proto__') return key
  const problem = 'this is no key; it has to be a text'
  throw createError('UWAS_ERR_WAS_SESSION_VALUE', { key: JSON.stringify(key), problem })
}
