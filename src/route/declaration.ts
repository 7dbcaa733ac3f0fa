/**
 * What `path()`, `include()` and `urlconf()` accept: views, names, converters and option keys, checked
 * once at start. `where` and `place` go into the messages.
 */
import { createError } from '../core/errors.ts'
import { hintNearest } from '../core/nearest.ts'
import type { View } from '../http/view.ts'
import { checkAtomicOptions } from '../model/atomic.ts'
import { BUILT_IN_CONVERTERS, type Converters } from './converters.ts'
import { METHODS, type Method, type PathOptions, type Views } from './entry.ts'

/** The views by method of what `path()` got. Throws UWAS_ERR_ROUTE_VIEW. */
export function readViews(
  pattern: string,
  place: string,
  view: unknown,
  given: readonly Method[] | undefined,
): { methods: readonly Method[]; views: Views } {
  const refuse = (problem: string) =>
    createError('UWAS_ERR_ROUTE_VIEW', { pattern, place, problem })
  const byMethod: Partial<Record<Method, View>> = Object.create(null)
  if (typeof view === 'function') {
    const methods: readonly Method[] = given ?? ['GET']
    const listed = Array.isArray(methods as unknown) && methods.length > 0
    if (!listed) throw refuse('"methods" is not a list of methods')
    for (const method of methods) {
      if (!METHODS.includes(method)) throw refuse(unknownMethod(method, METHODS))
      byMethod[method] = view as View
    }
  } else if (typeof view === 'object' && view !== null) {
    if (given !== undefined) throw refuse('"methods" goes with a function; the object names them')
    const known = METHODS.map((method) => method.toLowerCase())
    const named = isOfClass(view) ? methodsOf(view, known) : Object.entries(view)
    for (const [key, one] of named) {
      if (!known.includes(key)) throw refuse(unknownMethod(key, known))
      if (typeof one !== 'function') throw refuse(noFunction(`"${key}"`, one))
      byMethod[key.toUpperCase() as Method] = one
    }
    if (Object.keys(byMethod).length === 0) throw refuse('the object names no method')
  } else {
    throw refuse(noFunction('it', view))
  }
  const methods = METHODS.filter((method) => byMethod[method] !== undefined)
  if (byMethod.GET !== undefined) byMethod.HEAD ??= byMethod.GET
  return { methods: Object.freeze(methods), views: Object.freeze(byMethod) }
}

/** An instance of a class of the site, which has other things beside its views. */
function isOfClass(view: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(view)
  return prototype !== null && prototype !== Object.prototype
}

/** The views of an instance, its class's parents' among them, each bound to it. */
function methodsOf(view: object, known: readonly string[]): [key: string, view: View][] {
  return known.flatMap((key): [string, View][] => {
    const method = (view as Readonly<Record<string, unknown>>)[key]
    if (method === undefined) return []
    if (typeof method !== 'function') return [[key, method as View]]
    const bound = method.bind(view) as View
    Object.defineProperty(bound, 'name', { value: `${view.constructor.name}.${key}` })
    return [[key, bound]]
  })
}

function unknownMethod(method: unknown, known: readonly string[]): string {
  return `unknown method "${String(method)}"${hintNearest(String(method), known)}`
}

function noFunction(what: string, value: unknown): string {
  const circle = value === undefined ? '; is it exported, or does its file import this one?' : ''
  return `${what} is ${value === null ? 'null' : typeof value}, not a function${circle}`
}

/** Of `name` and `namespace`. Throws UWAS_ERR_ROUTE_NAME. */
export function checkName(where: string, option: string, name: unknown): void {
  if (name === undefined || (typeof name === 'string' && /^[^\s:]+$/.test(name))) return
  throw createError('UWAS_ERR_ROUTE_NAME', { where, option, name: JSON.stringify(name) })
}

/** Throws UWAS_ERR_ROUTE_CONVERTER_INVALID. */
export function checkConverters(where: string, converters: Converters): void {
  for (const [name, converter] of Object.entries(converters)) {
    const refuse = (problem: string) =>
      createError('UWAS_ERR_ROUTE_CONVERTER_INVALID', { where, name, problem })
    if (Object.hasOwn(BUILT_IN_CONVERTERS, name)) throw refuse('that name is a built-in one')
    if (!/^\w+$/.test(name)) throw refuse('a name is of letters, digits and "_"')
    if (typeof converter?.parse !== 'function' || typeof converter.format !== 'function') {
      throw refuse('it has to have the functions parse(text) and format(value)')
    }
    refuseUnknown(`${where}, converter "${name}"`, converter, [
      'parse',
      'format',
      'alphabet',
      'rest',
    ])
  }
}

/** Of the options that are plain values. Throws UWAS_ERR_CORE_INVALID_OPTION. */
export function checkLimits(where: string, options: PathOptions): void {
  if (![undefined, false, 'token', 'fetchMetadata'].includes(options.csrf)) {
    const problem = `csrf is ${String(options.csrf)}; it has to be "token", "fetchMetadata" or false`
    throw createError('UWAS_ERR_CORE_INVALID_OPTION', { where, problem })
  }
  checkAtomic(where, options.atomic)
  if (options.shed !== undefined && typeof options.shed !== 'boolean') {
    const problem = `shed is ${String(options.shed)}; it has to be true or false`
    throw createError('UWAS_ERR_CORE_INVALID_OPTION', { where, problem })
  }
  for (const name of ['maxBodyBytes', 'timeoutMs'] as const) {
    const value = options[name]
    if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) continue
    const problem = `${name} is ${String(value)}; it has to be a whole number from 0 on`
    throw createError('UWAS_ERR_CORE_INVALID_OPTION', { where, problem })
  }
}

function checkAtomic(where: string, atomic: PathOptions['atomic']): void {
  if (atomic === undefined || typeof atomic === 'boolean') return
  if (typeof atomic !== 'object' || atomic === null) {
    const problem = 'atomic has to be true, false or options of atomic()'
    throw createError('UWAS_ERR_CORE_INVALID_OPTION', { where, problem })
  }
  try {
    checkAtomicOptions(atomic)
  } catch (error) {
    const problem = `atomic: ${(error as Error).message}`
    throw createError('UWAS_ERR_CORE_INVALID_OPTION', { where, problem }, error)
  }
}

/** Throws UWAS_ERR_CORE_INVALID_OPTION. */
export function checkMiddleware(where: string, middleware: unknown): void {
  if (middleware === undefined) return
  const isList = Array.isArray(middleware)
  if (isList && middleware.every((one) => typeof one === 'function')) return
  const problem = 'middleware has to be a list of functions (req, next) => reply'
  throw createError('UWAS_ERR_CORE_INVALID_OPTION', { where, problem })
}

/** Throws UWAS_ERR_CORE_UNKNOWN_OPTION. */
export function refuseUnknown(where: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    throw createError('UWAS_ERR_CORE_UNKNOWN_OPTION', { where, key, hint: hintNearest(key, known) })
  }
}
