/**
 * Joins a URL conf and all that it includes into whole routes, in the order of declaration. The matcher,
 * the checks and reverse() begin here.
 */
import { createError } from '../core/errors.ts'
import type { SocketDefinition } from '../http/socket.ts'
import type { Middleware } from '../http/view.ts'
import type { Method, PathOptions, UrlConf, UrlEntry, Views } from './entry.ts'
import type { HostPattern } from './host-pattern.ts'
import { type Parameter, parametersOf, type Segment } from './pattern.ts'
import { formatPlace, type Place } from './place.ts'

/** One route of the site, prefixes and namespaces included. */
export interface Route {
  /** Its rank: of several routes that match, the lowest answers. */
  readonly index: number
  /** The whole pattern: `/api/posts/<int:id>`; with its host in front where it has one. */
  readonly pattern: string
  /** Where it answers; undefined for every host. */
  readonly host: HostPattern | undefined
  /** With namespaces: `api:post`. */
  readonly name: string | undefined
  /** As declared: without the HEAD that follows GET. */
  readonly methods: readonly Method[]
  readonly views: Views
  readonly segments: readonly Segment[]
  /** Parameters of the whole pattern, those of the host first, in order, with their converters. */
  readonly parameters: readonly Parameter[]
  /** The `path()` call. */
  readonly place: Place
  /** The options as `path()` got them. */
  readonly options: Readonly<PathOptions>
  /** Of its includes and its own, outermost first; the site's own runs around it. */
  readonly middleware: readonly Middleware[]
  /** Of a `socket()` call. */
  readonly socket: SocketDefinition | undefined
}

/** A URL conf as far as run time cares: any names, any parameters from outside. */
export type AnyUrlConf = Pick<UrlConf, 'entries' | 'under'>

interface Prefix {
  readonly host: HostPattern | undefined
  readonly pattern: string
  readonly segments: readonly Segment[]
  readonly namespace: string
  readonly middleware: readonly Middleware[]
}

const ROOT: Prefix = { host: undefined, pattern: '', segments: [], namespace: '', middleware: [] }

/** Throws UWAS_ERR_ROUTE_PARAMETER_DUPLICATE, _UNDER, _HOST. */
export function flatten(conf: AnyUrlConf): Route[] {
  const routes: Route[] = []
  append(routes, conf, ROOT)
  return routes
}

function append(routes: Route[], conf: AnyUrlConf, prefix: Prefix): void {
  checkUnder(conf, prefix)
  for (const entry of conf.entries) {
    const host = hostOf(entry, prefix)
    const pattern = prefix.pattern + entry.pattern
    const whole = (host?.pattern ?? '') + pattern
    const segments = [...prefix.segments, ...entry.segments]
    const parameters = [...(host?.parameters ?? []), ...parametersOf(segments)]
    checkUnique(whole, entry.place, parameters)
    if (entry.kind === 'include') {
      append(routes, entry.conf, {
        host,
        pattern: pattern.replace(/\/$/, ''),
        segments,
        middleware: [...prefix.middleware, ...entry.middleware],
        namespace:
          entry.namespace === undefined
            ? prefix.namespace
            : `${prefix.namespace}${entry.namespace}:`,
      })
      continue
    }
    const { methods, views, place, options, socket } = entry
    const name = entry.name === undefined ? undefined : prefix.namespace + entry.name
    const index = routes.length
    const middleware = [...prefix.middleware, ...(options.middleware ?? [])]
    routes.push(
      Object.freeze({
        index,
        pattern: whole,
        host,
        name,
        methods,
        views,
        segments,
        parameters,
        place,
        options,
        middleware,
        socket,
      }),
    )
  }
}

function hostOf(entry: UrlEntry, { host }: Prefix): HostPattern | undefined {
  if (entry.kind === 'route' || entry.host === undefined) return host
  if (host === undefined) return entry.host
  throw createError('UWAS_ERR_ROUTE_HOST', {
    pattern: entry.host.pattern,
    place: formatPlace(entry.place),
    problem: `it stands under the host "${host.pattern}"; no request has two`,
  })
}

function checkUnique(pattern: string, place: Place, parameters: readonly Parameter[]): void {
  const names = parameters.map(({ name }) => name)
  const name = names.find((one, i) => names.indexOf(one) !== i)
  if (name === undefined) return
  throw createError('UWAS_ERR_ROUTE_PARAMETER_DUPLICATE', {
    pattern,
    place: formatPlace(place),
    name,
  })
}

function checkUnder({ under }: AnyUrlConf, prefix: Prefix): void {
  if (under === undefined) return
  const parametersUnder = ({ host, segments }: Pick<Prefix, 'host' | 'segments'>) => [
    ...(host?.parameters ?? []),
    ...parametersOf(segments),
  ]
  const given = parametersUnder(prefix)
  for (const { name, type, converter } of parametersUnder(under)) {
    if (given.some((one) => one.name === name && one.converter === converter)) continue
    throw createError('UWAS_ERR_ROUTE_UNDER', {
      under: under.pattern,
      place: formatPlace(under.place),
      parameter: `<${type}:${name}>`,
      prefix: `${prefix.host?.pattern ?? ''}${prefix.pattern}` || '/',
    })
  }
}
