/**
 * The URL conf as a site writes it: `path()`, `include()`, `urlconf()`. Runs once, at start; every
 * mistake in a pattern, a view or an option is thrown here, with the line that holds it.
 */
import { createError } from '../core/errors.ts'
import type { View } from '../http/view.ts'
import { checkCached } from './cached.ts'
import type { ConsistentConverters, Converters } from './converters.ts'
import {
  checkConverters,
  checkLimits,
  checkMiddleware,
  checkName,
  readViews,
  refuseUnknown,
} from './declaration.ts'
import type {
  IncludeEntry,
  IncludeOptions,
  MethodViews,
  NamesOfEntries,
  NamesOfInclude,
  NamesOfRoute,
  PathOptions,
  RouteEntry,
  UrlConf,
  UrlEntry,
} from './entry.ts'
import { type HostFunction, hostWith } from './host.ts'
import { parseHost } from './host-pattern.ts'
import { parsePattern } from './pattern.ts'
import type { Empty, ParamsOf, Simplify, ValidPattern } from './pattern-types.ts'
import { capturePlace, formatPlace, type Place } from './place.ts'
import { createReverse, markIncluded } from './reverse.ts'
import { type SocketFunction, socketWith } from './socket.ts'

export interface UrlConfOptions<C extends Converters, Under extends string> {
  /** Converters for all patterns written with the given `path` and `include`. */
  readonly converters?: C & ConsistentConverters<C>
  /**
   * The prefix beneath which this URL conf will be included, if its views read parameters of it:
   * `'/users/<int:user>'` adds `user: number` to the params of each view. A host may stand before it, or alone:
   * `'<slug:tenant>.example.org'`. Checked at start.
   */
  readonly under?: Under
}

/** `path` as it is for given converters and parameters of an including prefix. */
export type PathFunction<C extends Converters, Outer> = <
  const Pattern extends string,
  const Name extends string = never,
  Own extends Converters = Empty,
>(
  pattern: Pattern & ValidPattern<Pattern, C & Own>,
  view:
    | View<Simplify<Outer & ParamsOf<Pattern, C & Own>>>
    | MethodViews<Simplify<Outer & ParamsOf<Pattern, C & Own>>>,
  options?: PathOptions<Name, Own>,
) => RouteEntry<NamesOfRoute<Name, ParamsOf<Pattern, C & Own>>>

/** `include` as it is for given converters and parameters of an including prefix. */
export type IncludeFunction<C extends Converters, Outer> = <
  const Prefix extends string,
  Names,
  const Space extends string = never,
>(
  prefix: Prefix & ValidPattern<Prefix, C>,
  conf: UrlConf<Names, Simplify<Outer & ParamsOf<Prefix, C>>>,
  options?: IncludeOptions<Space>,
) => IncludeEntry<NamesOfInclude<Names, Space, ParamsOf<Prefix, C>>>

/**
 * One URL and the view that answers it. `pattern` starts with `/` and holds `<converter:name>` parts
 * (`<name>` is `<str:name>`), which type `req.params`; converters are in converters.ts. A function
 * answers the methods of `methods` (default GET), an object dispatches: `{ get: list, post: create }`,
 * and so does an instance of a class with such methods: `new NoteView(table)`.
 * HEAD follows GET; other methods get 405, OPTIONS the list of what is allowed. Of several routes that
 * match, the one declared first answers.
 *
 * Throws UWAS_ERR_ROUTE_PATTERN, _CONVERTER_UNKNOWN, _CONVERTER_INVALID, _PARAMETER_DUPLICATE, _VIEW,
 * _NAME and UWAS_ERR_CORE_UNKNOWN_OPTION.
 */
export const path: PathFunction<Empty, Empty> = pathWith({})

/**
 * All URLs of another URL conf, beneath a prefix, which may hold parameters: they join the params of
 * the views inside (see option `under` of `urlconf`) and of `reverse`. A slash at the prefix's end
 * changes nothing; `'/'` adds no prefix. Throws as `path` does.
 */
export const include: IncludeFunction<Empty, Empty> = includeWith({})

/**
 * The URL conf of a site, or of a part that another one includes:
 *
 *     export const urls = urlconf(path('/posts/<int:id>', post, { name: 'post' }))
 *     export const url = urls.reverse     // url('post', { id: 7 })
 *
 * A view may import that `url` although urls.ts imports the view. Give such a view an explicit result
 * (`export function post(req: Request<{ id: number }>): Reply`) or the type `View<{ id: number }>`:
 * otherwise the compiler may have to know `url` to type what the view returns, and `url` waits for
 * `urls`, which waits for the view (TS7022). Prefer function declarations: they exist even when the
 * view's file is loaded before urls.ts, as in a test of the view.
 *
 * With options first, `path`, `include`, `socket` and `host` come as arguments, typed for them:
 *
 *     urlconf({ converters: { year } }, (path) => [path('/archive/<year:y>', archive)])
 */
export function urlconf<const E extends readonly UrlEntry[]>(
  ...entries: E
): UrlConf<NamesOfEntries<E[number]>>
export function urlconf<
  const E extends readonly UrlEntry[],
  const C extends Converters = Empty,
  const Under extends string = '/',
>(
  options: UrlConfOptions<C, Under>,
  build: (
    path: PathFunction<C, ParamsOf<Under, C>>,
    include: IncludeFunction<C, ParamsOf<Under, C>>,
    socket: SocketFunction<C, ParamsOf<Under, C>>,
    host: HostFunction<C, ParamsOf<Under, C>>,
  ) => E,
): UrlConf<NamesOfEntries<E[number]>, ParamsOf<Under, C>>
export function urlconf(...args: unknown[]): UrlConf {
  const [options, build] = args
  if (typeof build !== 'function') {
    return confOf(args as UrlEntry[], undefined)
  }
  const place = capturePlace(urlconf)
  const where = `urlconf() at ${formatPlace(place)}`
  const { converters = {}, under } = options as UrlConfOptions<Converters, string>
  refuseUnknown(where, options as object, ['converters', 'under'])
  checkConverters(where, converters)
  const entries: unknown = build(
    pathWith(converters),
    includeWith(converters),
    socketWith(converters),
    hostWith(converters),
  )
  if (!Array.isArray(entries)) {
    throw createError('UWAS_ERR_CORE_INVALID_OPTION', {
      where,
      problem: `its function returns a list of entries, not ${String(entries)}`,
    })
  }
  if (under === undefined) return confOf(entries, undefined)
  return confOf(entries, parseUnder(under, place, converters))
}

/** What stands before the first slash is a host. */
function parseUnder(pattern: string, place: Place, converters: Converters): UrlConf['under'] {
  const at = formatPlace(place)
  const slash = String(pattern).indexOf('/')
  const end = slash < 0 ? undefined : slash
  const host = slash === 0 ? undefined : parseHost(pattern.slice(0, end), at, converters)
  const segments = slash < 0 ? [] : parsePattern(pattern.slice(slash), at, converters)
  return { pattern, host, segments, place }
}

function confOf(entries: readonly UrlEntry[], under: UrlConf['under']): UrlConf {
  for (const entry of entries) {
    if (entry?.kind === 'route' || entry?.kind === 'include') continue
    throw createError('UWAS_ERR_CORE_INVALID_OPTION', {
      where: 'urlconf()',
      problem: `takes what path(), socket(), include(), host() and mount() return, not ${String(entry)}`,
    })
  }
  const conf = { entries: Object.freeze([...entries]), under }
  return Object.freeze({ ...conf, reverse: createReverse(conf) })
}

function pathWith<C extends Converters, Outer>(scope: C): PathFunction<C, Outer> {
  function path(pattern: string, view: unknown, options: PathOptions = {}): RouteEntry {
    const place = capturePlace(path)
    const at = formatPlace(place)
    const where = `path("${pattern}") at ${at}`
    refuseUnknown(where, options, [
      'name',
      'methods',
      'converters',
      'maxBodyBytes',
      'timeoutMs',
      'shed',
      'atomic',
      'csrf',
      'middleware',
      'cached',
    ])
    checkLimits(where, options)
    checkMiddleware(where, options.middleware)
    const { name, converters = {} } = options
    checkConverters(where, converters)
    checkName(where, 'name', name)
    const segments = parsePattern(pattern, at, { ...scope, ...converters })
    const { methods, views } = readViews(pattern, at, view, options.methods)
    checkCached(where, options.cached, methods, views)
    return Object.freeze({
      kind: 'route',
      pattern,
      segments,
      name,
      methods,
      views,
      place,
      options: Object.freeze({ ...options }),
    })
  }
  return path as unknown as PathFunction<C, Outer>
}

function includeWith<C extends Converters, Outer>(scope: C): IncludeFunction<C, Outer> {
  function include(prefix: string, conf: UrlConf, options: IncludeOptions = {}): IncludeEntry {
    const place = capturePlace(include)
    const where = `include("${prefix}") at ${formatPlace(place)}`
    refuseUnknown(where, options, ['namespace', 'middleware'])
    checkMiddleware(where, options.middleware)
    checkName(where, 'namespace', options.namespace)
    if (!Array.isArray(conf?.entries)) {
      throw createError('UWAS_ERR_CORE_INVALID_OPTION', {
        where,
        problem: `takes a URL conf made by urlconf(), not ${String(conf)}`,
      })
    }
    const segments = parsePattern(prefix, formatPlace(place), scope)
    markIncluded(conf, prefix)
    return Object.freeze({
      kind: 'include',
      pattern: prefix,
      segments: withoutEnd(prefix, place, segments),
      namespace: options.namespace,
      middleware: options.middleware ?? [],
      conf,
      place,
    })
  }
  return include as unknown as IncludeFunction<C, Outer>
}

/** The prefix's segments without the empty one that a slash at its end leaves. */
function withoutEnd(
  pattern: string,
  place: Place,
  segments: IncludeEntry['segments'],
): IncludeEntry['segments'] {
  const last = segments.at(-1)
  if (last?.kind === 'rest') {
    throw createError('UWAS_ERR_ROUTE_PATTERN', {
      pattern,
      place: formatPlace(place),
      position: pattern.lastIndexOf('<') + 1,
      problem: `nothing can follow <${last.parameter.type}:…>, which takes the rest of the path`,
    })
  }
  return last?.kind === 'literal' && last.text === '' ? segments.slice(0, -1) : segments
}
