/**
 * Code that finds a name's value. Contexts are local variables (`c0` the outermost of the function), so
 * a lookup is a property read and one comparison; it walks outward only when the property is absent.
 */
import type { Name } from './ast.ts'
import { isPlainName } from './lookup.ts'
import { quote, type Writer } from './writer.ts'

/** Every so many contexts their stack is put into a variable: a tag's code is as short in deep sections. */
const CONTEXTS_IN_PLACE = 6

/** The contexts as a `Stack`: the locals up to `depth`, then those from outside the function. */
export function stackCode(depth: number): string {
  if (depth < 0) return 's'
  return hasOwnStack(depth) ? `s${depth}` : `{ v: c${depth}, up: ${stackCode(depth - 1)} }`
}

/** Puts the stack of a new context into its variable, where it has one. */
export function emitStack(writer: Writer, depth: number): void {
  if (hasOwnStack(depth)) {
    writer.statement(`s${depth} = { v: c${depth}, up: ${stackCode(depth - 1)} }`)
  }
}

function hasOwnStack(depth: number): boolean {
  return depth > 0 && depth % CONTEXTS_IN_PLACE === 0
}

/** The arguments that stand for a stack in calls: `c1, s`. */
export function stackArguments(depth: number): string {
  return `c${depth}, ${stackCode(depth - 1)}`
}

/** Leaves the value of `name` in `v`, and for dotted names the value that has it in `o`. */
export function emitLookup(writer: Writer, name: Name, depth: number): void {
  if (name.head === null) {
    writer.statement(`v = c${depth}`)
  } else if (isPlainName(name.head)) {
    const key = quote(name.head)
    writer.statement(`v = c${depth}?.[${key}]`)
    writer.statement(outward(key, depth))
  } else {
    writer.statement(`v = ${guarded(quote(name.head), depth)}`)
  }
  name.tail.forEach((part, i) => {
    const owner = i > 0 ? 'o' : ownerCode(name, depth)
    writer.statement(`if (typeof v === 'function') v = $.call(v, ${owner})`)
    writer.statement(`o = v; v = ${memberCode(part)}`)
  })
}

/** The value to which `v` belongs as a method or lambda; valid right after `emitLookup`. */
export function ownerCodeOf(name: Name, depth: number): string {
  return name.tail.length > 0 ? 'o' : ownerCode(name, depth)
}

function ownerCode(name: Name, depth: number): string {
  if (name.head === null) return 'undefined'
  return `$.owner(${stackArguments(depth)}, ${quote(name.head)})`
}

/**
 * `P` is Object.prototype: equal to its property (as a rule both are undefined) means absent, or
 * there only by a polluted prototype, or really undefined. `has` tells.
 */
function outward(key: string, depth: number): string {
  const next =
    depth === 0 || hasOwnStack(depth - 1)
      ? `v = $.find(${stackCode(depth - 1)}, ${key})`
      : `v = c${depth - 1}?.[${key}]; ${outward(key, depth - 1)}`
  return `if (v === P[${key}] && !has(c${depth}, ${key})) { ${next} }`
}

/** For names that builtins define: every context is asked before it is read. */
function guarded(key: string, depth: number): string {
  if (depth < 0 || hasOwnStack(depth)) return `$.find(${stackCode(depth)}, ${key})`
  return `has(c${depth}, ${key}) ? c${depth}[${key}] : ${guarded(key, depth - 1)}`
}

function memberCode(part: string): string {
  const key = quote(part)
  if (!isPlainName(part)) return `$.member(o, ${key})`
  return `o?.[${key}]; if (v === P[${key}]) v = $.member(o, ${key})`
}
