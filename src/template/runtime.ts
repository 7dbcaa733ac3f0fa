/**
 * What compiled templates call while they render: lookups, values that are neither text nor number,
 * lambdas. Handed to the generated code as `$` by `program.ts`.
 */
import { hintNearest } from '../core/nearest.ts'
import { DEFAULT_DELIMITERS, type LambdaPlace } from './ast.ts'
import { escapeHtml } from './escape.ts'
import { FragmentRuntime, tagText, varyText } from './fragments.ts'
import { find, has, member, ownerOf, type Stack } from './lookup.ts'
import { RenderProblem, type RenderUnit } from './render-problem.ts'
import { SafeHtml, safeUrl, scriptJson } from './safe-html.ts'

/** Renders text that a lambda returned, in the contexts of the lambda's tag. */
export type RenderText = (text: string, place: LambdaPlace, stack: Stack, depth: number) => string

/** Partials within partials; deeper data is almost certainly a circle. */
export const MAX_DEPTH = 256

type Lambda = (this: unknown, text?: string) => unknown

export interface Runtime {
  readonly P: object
  readonly esc: typeof escapeHtml
  readonly has: typeof has
  readonly find: typeof find
  readonly member: typeof member
  readonly owner: typeof ownerIn
  readonly call: typeof callMethod
  readonly show: typeof showValue
  readonly str: typeof textOf
  readonly url: typeof safeUrl
  readonly json: typeof jsonOf
  readonly one: typeof countOne
  readonly deep: typeof failTooDeep
  readonly unknown: typeof refuseUnknown
  /** The URL of a named route. */
  readonly route: (name: string, params: Readonly<Record<string, unknown>>) => string
  readonly pick: typeof pickUnit
  readonly fragments: FragmentRuntime
  readonly cached: FragmentRuntime['cached']
  readonly vary: typeof varyText
  readonly tag: typeof tagText
  readonly lam: (
    lambda: Lambda,
    owner: unknown,
    context: unknown,
    outer: Stack | null,
    depth: number,
    place?: LambdaPlace,
  ) => string
  /** The place of a value in a plain text template. */
  readonly plain: LambdaPlace
  readonly lamText: (
    lambda: Lambda,
    owner: unknown,
    context: unknown,
    outer: Stack | null,
    depth: number,
    text: string,
    place: LambdaPlace,
  ) => string
}

let runtimes = 0

export function createRuntime(renderText: RenderText, route: Runtime['route'] = noRoute): Runtime {
  const fragments = new FragmentRuntime(++runtimes)
  return {
    P: Object.prototype,
    esc: escapeHtml,
    has,
    find,
    member,
    owner: ownerIn,
    call: callMethod,
    show: showValue,
    str: textOf,
    url: safeUrl,
    json: jsonOf,
    one: countOne,
    deep: failTooDeep,
    unknown: refuseUnknown,
    route,
    pick: pickUnit,
    fragments,
    cached: (...fragment) => fragments.cached(...fragment),
    vary: varyText,
    tag: tagText,
    lam: (lambda, owner, v, up, depth, place = DEFAULT_DELIMITERS) =>
      expand(lambda.call(owner), place, { v, up }, depth),
    plain: { ...DEFAULT_DELIMITERS, isText: true },
    lamText: (lambda, owner, v, up, depth, text, place) =>
      expand(lambda.call(owner, text), place, { v, up }, depth),
  }

  /** The specification: what a lambda returns is a template. Without tags it is text, as it stands. */
  function expand(value: unknown, place: LambdaPlace, stack: Stack, depth: number): string {
    const text = textOf(value)
    return text.includes(place.open) ? renderText(text, place, stack, depth) : text
  }
}

/** Templates outside of a site have no routes, and no tag for them. */
function noRoute(name: string): never {
  throw new Error(`there is no route "${name}"`)
}

/** The innermost context that has `name`. */
function ownerIn(context: unknown, outer: Stack | null, name: string): unknown {
  return ownerOf({ v: context, up: outer }, name)
}

/** A method without parameters, or a lambda in the middle of a dotted name: its value. */
function callMethod(method: Lambda, owner: unknown): unknown {
  return method.call(owner)
}

/** Values that are neither string, number nor function, escaped. */
function showValue(value: unknown): string {
  if (value === null || value === undefined) return ''
  return value instanceof SafeHtml ? value.toString() : escapeHtml(textOf(value))
}

function jsonOf(value: unknown): string {
  refusePromise(value)
  return scriptJson(value)
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  refusePromise(value)
  return String(value)
}

/** How often a section that is not a list is rendered: once. */
function countOne(value: unknown): 1 {
  refusePromise(value)
  return 1
}

function refusePromise(value: unknown): void {
  if (value instanceof Promise) throw new RenderProblem('PROMISE')
}

function failTooDeep(name: string): never {
  throw new RenderProblem('RECURSION', { name, limit: MAX_DEPTH })
}

/**
 * Strict templates: the value of `text` is undefined. That is a mistake when nothing has its name; something
 * that has it and is undefined, or belongs to nothing (`author.name` without an author), is empty.
 */
function refuseUnknown(
  stack: Stack | null,
  head: string,
  owner: unknown,
  last: string | null,
  text: string,
): void {
  const isHeadKnown = head === '' || ownerOf(stack, head) !== undefined
  if (isHeadKnown && (last === null || owner === null || owner === undefined || has(owner, last))) {
    return
  }
  const names = isHeadKnown ? Object.keys(Object(owner)) : namesIn(stack)
  const hint = hintNearest(isHeadKnown && last !== null ? last : head, names)
  throw new RenderProblem('UNKNOWN_NAME', { name: text, hint })
}

function namesIn(stack: Stack | null): string[] {
  const names = new Set<string>()
  for (let at = stack; at !== null; at = at.up) {
    if (typeof at.v === 'object' && at.v !== null) {
      for (const name of Object.keys(at.v)) names.add(name)
    }
  }
  return [...names]
}

/**
 * The template that a dynamic name names; an unknown or missing name renders nothing. `unfit` are those that
 * would be read otherwise than they were checked, and why.
 */
function pickUnit(
  units: Readonly<Record<string, RenderUnit>>,
  name: unknown,
  unfit: readonly (readonly [name: string, problem: string])[] | null,
): RenderUnit | null {
  if (typeof name !== 'string' && typeof name !== 'number') return null
  const refused = unfit?.find(([one]) => one === String(name))
  if (refused === undefined) return units[name] ?? null
  throw new RenderProblem('CHOSEN', { name, problem: refused[1] })
}
