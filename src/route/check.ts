/**
 * Mistakes between routes: two of one name, two of one pattern and method, one that can never answer
 * because an earlier one takes all its paths. `compileUrls` stops at errors; `uwas check` shows all.
 */
import { type CodedError, createError, isCodedError } from '../core/errors.ts'
import { BUILT_IN_CONVERTERS } from './converters.ts'
import type { Method } from './entry.ts'
import { type AnyUrlConf, flatten, type Route } from './flatten.ts'
import { compareHosts, type HostPattern, type Label, sameHost } from './host-pattern.ts'
import { type DynamicSegment, type Segment, sameSegment } from './pattern.ts'
import { formatPlace, type Place } from './place.ts'
import { matchSegment } from './segment.ts'

export interface Problem {
  /** `error`: the site does not start. `warning`: it starts, and the later route is dead. */
  readonly level: 'error' | 'warning'
  /** Its code and message; not thrown. */
  readonly error: CodedError
  /** The `path()` calls concerned, the one that wins first. */
  readonly places: readonly Place[]
}

/**
 * All problems of a URL conf, in the order of declaration. Codes: UWAS_ERR_ROUTE_NAME_DUPLICATE,
 * _DUPLICATE (errors), _SHADOWED (warning); _UNDER, _PARAMETER_DUPLICATE or _HOST (errors) stand alone, since
 * they keep the routes from being joined at all.
 */
export function checkUrls(conf: AnyUrlConf): Problem[] {
  try {
    return findProblems(flatten(conf))
  } catch (error) {
    if (isCodedError(error)) return [{ level: 'error', error, places: [] }]
    throw error
  }
}

/** The same for routes that are joined already. */
export function findProblems(routes: readonly Route[]): Problem[] {
  const named = new Map<string, Route>()
  return routes.flatMap((route) => {
    const problems = findShadows(routes, route)
    const first = route.name === undefined ? undefined : named.get(route.name)
    if (first !== undefined) problems.push(duplicateName(first, route))
    else if (route.name !== undefined) named.set(route.name, route)
    return problems
  })
}

function duplicateName(first: Route, second: Route): Problem {
  const error = createError('UWAS_ERR_ROUTE_NAME_DUPLICATE', {
    name: second.name,
    first: describe(first),
    second: describe(second),
  })
  return { level: 'error', error, places: [first.place, second.place] }
}

/** Each method of `route` that an earlier route answers at all its paths, once. */
function findShadows(routes: readonly Route[], route: Route): Problem[] {
  const problems: Problem[] = []
  let open = route.methods
  for (let i = 0; i < route.index && open.length > 0; i++) {
    const earlier = routes[i] as Route
    if (!coversHost(earlier.host, route.host)) continue
    if (!covers(earlier.segments, route.segments)) continue
    const taken = open.filter((method) => earlier.views[method] !== undefined)
    if (taken.length === 0) continue
    open = open.filter((method) => !taken.includes(method))
    problems.push(shadow(earlier, route, taken))
  }
  return problems
}

function shadow(earlier: Route, later: Route, methods: readonly Method[]): Problem {
  const same =
    sameHost(earlier.host, later.host) &&
    earlier.segments.length === later.segments.length &&
    earlier.segments.every((segment, i) => sameSegment(segment, later.segments[i] as Segment))
  const values = {
    methods: methods.join(', '),
    first: describe(earlier),
    second: describe(later),
  }
  return {
    level: same ? 'error' : 'warning',
    error: createError(same ? 'UWAS_ERR_ROUTE_DUPLICATE' : 'UWAS_ERR_ROUTE_SHADOWED', values),
    places: [earlier.place, later.place],
  }
}

/** True only when surely each host of `later` is one of `earlier`, which is asked first there. */
function coversHost(earlier: HostPattern | undefined, later: HostPattern | undefined): boolean {
  if (earlier === undefined || later === undefined) return earlier === later
  if (sameHost(earlier, later)) return true
  if (earlier.isWildcard || later.isWildcard || compareHosts(earlier, later) > 0) return false
  return (
    earlier.labels.length === later.labels.length &&
    earlier.labels.every((label, i) => coversSegment(label, later.labels[i] as Label))
  )
}

/** True only when surely each path that `later` matches is matched by `earlier`. */
function covers(earlier: readonly Segment[], later: readonly Segment[]): boolean {
  for (let i = 0; i < earlier.length; i++) {
    const a = earlier[i] as Segment
    const b = later[i]
    if (b === undefined) return false
    if (a.kind === 'rest') {
      if (a.parameter.converter === BUILT_IN_CONVERTERS.path)
        return b.kind !== 'literal' || b.text !== ''
      return sameSegment(a, b)
    }
    if (!coversSegment(a, b)) return false
  }
  return earlier.length === later.length
}

function coversSegment(a: Segment, b: Segment): boolean {
  if (sameSegment(a, b)) return true
  if (a.kind !== 'dynamic' || b.kind === 'rest') return false
  if (b.kind === 'literal') return b.text !== '' && matchesLiteral(a, b.text)
  const outer = bareConverter(a)
  if (outer === BUILT_IN_CONVERTERS.str) return true
  const inner = bareConverter(b)
  return (
    outer === BUILT_IN_CONVERTERS.slug &&
    (inner === BUILT_IN_CONVERTERS.int || inner === BUILT_IN_CONVERTERS.uuid)
  )
}

/** A converter that throws here is not the checks' business: it will answer 500 when it is asked. */
function matchesLiteral(segment: DynamicSegment, text: string): boolean {
  try {
    return matchSegment(segment, text, [])
  } catch {
    return false
  }
}

/** The converter of a segment that is one parameter and nothing else. */
function bareConverter({ literals, parameters }: DynamicSegment): unknown {
  return literals.length === 2 && literals.join('') === '' ? parameters[0]?.converter : undefined
}

function describe({ pattern, place }: Route): string {
  return `"${pattern}" (${formatPlace(place)})`
}
