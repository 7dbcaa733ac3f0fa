/**
 * From a route's name and parameters to its path, or to `//host/path` where it stands under a host: the inverse of the matcher, made of the same
 * segments and converters. Views and templates call it; the index is built at the first call.
 */
import { createError } from '../core/errors.ts'
import { hintNearest } from '../core/nearest.ts'
import { encodePath, parseTarget } from '../http/target.ts'
import type { Reverse } from './entry.ts'
import { type AnyUrlConf, flatten, type Route } from './flatten.ts'
import { isHostReference, isLabelText } from './host-pattern.ts'
import type { Parameter } from './pattern.ts'
import { formatPlace } from './place.ts'

/** A named route, ready to be written: encoded texts with a parameter between each two. */
interface Recipe {
  readonly route: Route
  /** Of the host, `//` in front; one empty text where the path is all. */
  readonly hostTexts: readonly string[]
  readonly texts: readonly string[]
}

/** Written as it is in a path, and never a dot segment. */
const SIMPLE = /^[A-Za-z0-9_-]+$/

/** Prefix or host at which a URL conf is included: its own `reverse` would leave that out. */
const includedAt = new WeakMap<readonly unknown[], string>()

/** For `include()`: `reverse` of this URL conf refuses from now on. */
export function markIncluded(conf: AnyUrlConf, prefix: string): void {
  includedAt.set(conf.entries, prefix)
}

export function createReverse(conf: AnyUrlConf): Reverse<unknown> {
  let recipes: Map<string, Recipe> | undefined
  function reverse(name: string, params: Readonly<Record<string, unknown>> = {}): string {
    recipes ??= compileRecipes(conf)
    const recipe = recipes.get(name)
    if (recipe !== undefined) return write(recipe, params)
    throw createError('UWAS_ERR_ROUTE_REVERSE_NAME', {
      name,
      hint: hintNearest(name, recipes.keys()),
    })
  }
  return reverse as Reverse<unknown>
}

function compileRecipes(conf: AnyUrlConf): Map<string, Recipe> {
  const prefix = includedAt.get(conf.entries)
  if (prefix !== undefined) throw createError('UWAS_ERR_ROUTE_REVERSE_INCLUDED', { prefix })
  const recipes = new Map<string, Recipe>()
  for (const route of flatten(conf)) {
    // Of two routes of one name the first is kept: compileUrls() refuses such a site.
    if (route.name === undefined || recipes.has(route.name)) continue
    const texts = textsOf(route).map(encodePath)
    recipes.set(route.name, { route, hostTexts: hostTextsOf(route), texts })
  }
  return recipes
}

/** `*` is no one host, so that a link stays at the host on which it stands. */
function hostTextsOf({ host }: Route): string[] {
  if (host === undefined || host.isWildcard) return ['']
  const texts = ['//']
  const add = (text: string) => texts.push(`${texts.pop()}${text}`)
  for (const [i, label] of host.labels.entries()) {
    if (i > 0) add('.')
    if (label.kind === 'literal') add(label.text)
    else {
      add(label.literals[0] as string)
      texts.push(...label.literals.slice(1))
    }
  }
  add(host.port)
  return texts
}

function textsOf({ segments }: Route): string[] {
  const texts = ['']
  const add = (text: string) => texts.push(`${texts.pop()}${text}`)
  for (const segment of segments) {
    add('/')
    if (segment.kind === 'literal') add(segment.text)
    else if (segment.kind === 'rest') texts.push('')
    else {
      add(segment.literals[0] as string)
      texts.push(...segment.literals.slice(1))
    }
  }
  return texts
}

function write(recipe: Recipe, params: Readonly<Record<string, unknown>>): string {
  const { route, hostTexts, texts } = recipe
  const { parameters } = route
  if (Object.keys(params).length !== parameters.length) refuseExtra(route, params)
  let host = hostTexts[0] as string
  const ofHost = hostTexts.length - 1
  for (let i = 0; i < ofHost; i++) {
    const parameter = parameters[i] as Parameter
    const text = textOf(route, parameter, params)
    if (!isLabelText(text)) {
      const value = show(params[parameter.name])
      throw refused(route, parameter, `is ${value}; a host has small letters, digits and "-"`)
    }
    host += text + (hostTexts[i + 1] as string)
  }
  if (ofHost > 0 && !isHostReference(host)) refusePath(route, host)
  let path = texts[0] as string
  let simple = true
  for (let i = ofHost; i < parameters.length; i++) {
    const text = textOf(route, parameters[i] as Parameter, params)
    const plain = SIMPLE.test(text)
    simple &&= plain
    path += (plain ? text : encodePath(text)) + (texts[i - ofHost + 1] as string)
  }
  if (!simple && typeof parseTarget(path) === 'number') refusePath(route, host + path)
  return host + path
}

function refusePath(route: Route, path: string): never {
  throw createError('UWAS_ERR_ROUTE_REVERSE_PATH', { route: describe(route), path })
}

function textOf(
  route: Route,
  parameter: Parameter,
  params: Readonly<Record<string, unknown>>,
): string {
  if (!Object.hasOwn(params, parameter.name)) {
    refuseExtra(route, params)
    throw refused(route, parameter, 'is missing')
  }
  return format(route, parameter, params[parameter.name])
}

function format(route: Route, parameter: Parameter, value: unknown): string {
  const { converter } = parameter
  let text: unknown
  let back: unknown
  try {
    text = converter.format(value)
    if (typeof text === 'string' && text !== '') back = converter.parse(text)
  } catch (cause) {
    throw refused(route, parameter, `is ${show(value)}, which its converter cannot write`, cause)
  }
  if (typeof text !== 'string' || back === undefined || typeof back !== typeof value) {
    throw refused(route, parameter, `is ${show(value)}, which its converter cannot write`)
  }
  if (converter.rest !== true && text.includes('/')) {
    throw refused(
      route,
      parameter,
      `is ${show(value)}, which holds a slash; <path:${parameter.name}> would take it`,
    )
  }
  if (!text.isWellFormed()) throw refused(route, parameter, 'holds half a surrogate pair')
  return text
}

function refuseExtra(route: Route, params: Readonly<Record<string, unknown>>): void {
  const names = route.parameters.map(({ name }) => name)
  const name = Object.keys(params).find((key) => !names.includes(key))
  if (name === undefined) return
  throw createError('UWAS_ERR_ROUTE_REVERSE_PARAMETER', {
    route: describe(route),
    parameter: `"${name}"`,
    problem: `is no parameter of it${hintNearest(name, names)}`,
  })
}

function refused(route: Route, { name, type }: Parameter, problem: string, cause?: unknown): Error {
  const values = { route: describe(route), parameter: `<${type}:${name}>`, problem }
  return createError('UWAS_ERR_ROUTE_REVERSE_PARAMETER', values, cause)
}

function describe({ name, pattern, place }: Route): string {
  return `"${name}" ("${pattern}", ${formatPlace(place)})`
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : `${String(value)} (${typeof value})`
}
