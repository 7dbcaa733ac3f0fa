/**
 * Makes a value safe to share: what a maker returned comes in, what every reader may get leaves. Nobody
 * changes a cached value, neither who made it nor who reads it.
 */
import { types } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import { createError } from '../core/errors.ts'

/** A value that is kept. */
export class Kept {
  /** Bytes, about. */
  readonly length: number
  readonly #value: unknown
  /** As `node:v8` writes it, where it cannot be frozen. */
  readonly #bytes: Buffer | null

  constructor(length: number, value: unknown, bytes: Buffer | null = null) {
    this.length = length
    this.#value = value
    this.#bytes = bytes
  }

  /** The same frozen value each time, or a copy where it cannot be frozen. */
  read(): unknown {
    // Buffers that are read back share their memory with what they are read from.
    return this.#bytes === null ? this.#value : deserialize(Buffer.from(this.#bytes))
  }
}

/** Deeper than any data that is meant. */
const MAX_DEPTH = 200

/**
 * Text, numbers, booleans, null and bigint are kept as they are. Objects and lists are copied and frozen; with a
 * Date, Map, Set or bytes inside, which nothing can freeze, every reader gets a copy of its own. What would
 * lose something (functions, symbols, instances of classes, `undefined` as a whole) is UWAS_ERR_CACHE_VALUE.
 */
export function keep(value: unknown, key: string): Kept {
  if (value === null || typeof value !== 'object') return keepPrimitive(value, key)
  const canFreeze = new Inspection(key).canFreeze(value)
  const bytes = serialize(value)
  return canFreeze
    ? new Kept(bytes.byteLength, freeze(deserialize(bytes)))
    : new Kept(bytes.byteLength, null, bytes)
}

function keepPrimitive(value: unknown, key: string): Kept {
  if (value === undefined) {
    throw refuse(key, '', 'undefined, which reads like nothing; return null instead')
  }
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw refuse(key, '', `a ${typeof value}`)
  }
  return new Kept(typeof value === 'string' ? 2 * value.length : 8, value)
}

/** Looks through one value before it is kept. */
class Inspection {
  readonly #key: string
  /** What has been looked at: data may go round in circles. */
  readonly #seen = new Map<object, boolean>()

  constructor(key: string) {
    this.#key = key
  }

  /** Whether all of `value` can be frozen. */
  canFreeze(value: unknown, path = '', depth = 0): boolean {
    if (value === null || typeof value !== 'object') {
      if (typeof value !== 'function' && typeof value !== 'symbol') return true
      throw refuse(this.#key, path, `a ${typeof value}`)
    }
    const known = this.#seen.get(value)
    if (known !== undefined) return known
    if (depth > MAX_DEPTH) throw refuse(this.#key, '', 'nested too deeply')
    this.#seen.set(value, true)
    const result = this.#inspect(value, path, depth + 1)
    this.#seen.set(value, result)
    return result
  }

  #inspect(value: object, path: string, depth: number): boolean {
    if (Array.isArray(value)) return this.#all(value.entries(), path, depth)
    if (types.isDate(value) || types.isAnyArrayBuffer(value)) return false
    if (ArrayBuffer.isView(value)) return false
    if (types.isMap(value) || types.isSet(value)) {
      this.#all([...value.entries()].entries(), path, depth)
      return false
    }
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === null || prototype === Object.prototype) {
      return this.#all(Object.entries(value), path, depth)
    }
    const name = value.constructor?.name || 'a class'
    throw refuse(this.#key, path, `an instance of ${name}`)
  }

  #all(entries: Iterable<[string | number, unknown]>, path: string, depth: number): boolean {
    let result = true
    for (const [name, one] of entries) {
      if (!this.canFreeze(one, `${path}.${name}`, depth)) result = false
    }
    return result
  }
}

function freeze(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const inner of Object.values(value)) freeze(inner)
  return value
}

function refuse(key: string, path: string, problem: string): Error {
  return createError('UWAS_ERR_CACHE_VALUE', {
    key: JSON.stringify(key),
    place: path === '' ? 'the value' : `value${path}`,
    problem,
  })
}
