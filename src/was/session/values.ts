/** What a session can hold: what JSON gives back as it was. Called by `changes.ts`. */
import { createError } from '../../core/errors.ts'

/** Deeper values are almost certainly a circle. */
const MAX_DEPTH = 32

/** A value as `get` gives it: nothing in it can be changed in place. */
export type Frozen<T> = T extends (infer U)[]
  ? readonly Frozen<U>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T

/**
 * A frozen copy. Throws UWAS_ERR_WAS_SESSION_VALUE for what JSON would change or leave out in silence: dates,
 * maps, NaN, undefined in a list, and keys that name a prototype.
 */
export function frozenCopy(key: string, value: unknown): unknown {
  return copy(value, (problem) =>
    createError('UWAS_ERR_WAS_SESSION_VALUE', { key: JSON.stringify(key), problem }),
  )
}

/** Freezes what JSON.parse made. */
export function deepFreeze<T>(value: T): T {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}

export function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}

function copy(value: unknown, refuse: (problem: string) => Error, depth = 0): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (typeof value !== 'object') throw refuse(`it holds ${kindOf(value)}`)
  if (depth === MAX_DEPTH) throw refuse(`it is deeper than ${MAX_DEPTH} levels, or a circle`)
  if (Array.isArray(value)) {
    return Object.freeze(Array.from(value, (item) => copy(item, refuse, depth + 1)))
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw refuse(`it holds a ${value.constructor?.name ?? 'class'}; keep plain data`)
  }
  const made: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value)) {
    if (key === '__proto__' || key === 'toJSON') throw refuse(`it has a key ${key}`)
    if (inner !== undefined) made[key] = copy(inner, refuse, depth + 1)
  }
  return Object.freeze(made)
}

function kindOf(value: unknown): string {
  if (typeof value === 'number') return `the number ${value}`
  return value === undefined ? 'undefined' : `a ${typeof value}`
}
