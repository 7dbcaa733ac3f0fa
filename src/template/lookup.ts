/**
 * Which properties a template may see: an object's own, and what its class (or its class's parents)
 * defines, getters and methods alike. Of what JavaScript itself puts on every object, array, string,
 * number, date, map, … only own properties count, that is `length` and the indexes of arrays and
 * strings. So `{{constructor}}`, `{{toString}}` and `{{__proto__}}` are empty, unless data has such a field of its
 * own (`__proto__`: never). Used by the compiled templates at run time and by `generate.ts`.
 */

/** The contexts of a tag, innermost first. */
export interface Stack {
  readonly v: unknown
  readonly up: Stack | null
}

const BUILTINS: readonly (abstract new (...args: never[]) => unknown)[] = [
  Object,
  Array,
  String,
  Number,
  Boolean,
  BigInt as never,
  Symbol as never,
  Date,
  RegExp,
  Map,
  Set,
  WeakMap,
  WeakSet,
  Promise,
  ArrayBuffer,
  DataView,
  Object.getPrototypeOf(Uint8Array),
]

const BUILTIN_PROTOTYPES: ReadonlySet<unknown> = new Set(BUILTINS.map((type) => type.prototype))

const BUILTIN_NAMES: ReadonlySet<string> = new Set(
  BUILTINS.flatMap((type) => Object.getOwnPropertyNames(type.prototype)),
)

/** True when reading the name from any value is harmless: no builtin has a property of that name. */
export function isPlainName(name: string): boolean {
  return !BUILTIN_NAMES.has(name)
}

/** True when a template may read `owner[name]`. */
export function has(owner: unknown, name: string): boolean {
  if (typeof owner !== 'object' || owner === null || name === '__proto__') return false
  if (Object.hasOwn(owner, name)) return true
  if (name === 'constructor') return false
  let type: unknown = Object.getPrototypeOf(owner)
  while (type !== null && !BUILTIN_PROTOTYPES.has(type)) {
    if (Object.hasOwn(type as object, name)) return true
    type = Object.getPrototypeOf(type)
  }
  return false
}

/** The value of `name` in the innermost context that has it; undefined when none does. */
export function find(stack: Stack | null, name: string): unknown {
  return valueIn(ownerOf(stack, name), name)
}

/** The innermost context that has `name`. */
export function ownerOf(stack: Stack | null, name: string): unknown {
  for (let at = stack; at !== null; at = at.up) if (has(at.v, name)) return at.v
  return undefined
}

/** A further part of a dotted name: only in the value before it, which may be a string as well. */
export function member(owner: unknown, name: string): unknown {
  if (typeof owner === 'string')
    return Object.hasOwn(Object(owner), name) ? valueIn(owner, name) : undefined
  return has(owner, name) ? valueIn(owner, name) : undefined
}

function valueIn(owner: unknown, name: string): unknown {
  return (owner as Record<string, unknown> | undefined)?.[name]
}
