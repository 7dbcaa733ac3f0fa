/**
 * What `path()`, `include()` and `urlconf()` leave: plain frozen records of the declared URLs. The
 * matcher, the checks and reverse() read them; only flatten.ts joins them into whole routes.
 */
import type { SocketDefinition } from '../http/socket.ts'
import type { Middleware, View } from '../http/view.ts'
import type { AtomicOptions } from '../model/atomic.ts'
import type { CachedOptions } from './cached.ts'
import type { ConsistentConverters, Converters } from './converters.ts'
import type { HostPattern } from './host-pattern.ts'
import type { Segment } from './pattern.ts'
import type { Empty, Simplify, UnionToIntersection } from './pattern-types.ts'
import type { Place } from './place.ts'

/** The methods that a route can declare, in the order of an Allow field. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** A method that a route can declare, in capitals. */
export type Method = (typeof METHODS)[number]

/** A view for each method: `{ get: list, post: create }`. */
export type MethodViews<P> = { readonly [M in Method as Lowercase<M>]?: View<P> }

export interface PathOptions<Name extends string = string, Own extends Converters = Converters> {
  /** Names the route for `reverse`. Unique in the whole site; no `:` in it. Default: no name. */
  readonly name?: Name
  /** What a single view answers; HEAD follows GET by itself. Default `['GET']`. */
  readonly methods?: readonly Method[]
  /** Longest body of a request to it, in bytes. Default: the site's `limits.maxBodyBytes`. */
  readonly maxBodyBytes?: number
  /** Longest time until its view returns a reply, in milliseconds; then 503. Default: the site's. 0: none. */
  readonly timeoutMs?: number
  /** False: its views are never refused by `limits.shed`: a health check of the site's own, what others pay by. Default true. */
  readonly shed?: boolean
  /**
   * How a form that is sent to it proves that it comes from a page of this site, in place of the site's `csrf`:
   * by a token, by what the browser says of its origin (for pages that are cached for everybody), or not at
   * all (`false`: for other servers' calls, which bring another proof).
   */
  readonly csrf?: 'token' | 'fetchMetadata' | false
  /**
   * A view and all that it runs on its request are one transaction: committed before the reply is sent, rolled
   * back when the view throws. `true`, or how it begins. What a streamed body runs comes after it. Default: none.
   */
  readonly atomic?: boolean | Omit<AtomicOptions, 'durable'>
  /** What runs around its views, inside of the site's own and that of includes; outermost first. Default none. */
  readonly middleware?: readonly Middleware[]
  /** Keeps its GET pages in memory, and sends them as static files are sent. Default: each is made anew. */
  readonly cached?: CachedOptions
  /** Converters of this pattern alone, by the name used in it. */
  readonly converters?: Own & ConsistentConverters<Own>
}

/** By method, null prototype; GET's view stands under HEAD as well unless HEAD has its own. */
export type Views = Readonly<Partial<Record<Method, View>>>

/** What `path()` and `socket()` return: one declared route. */
export interface RouteEntry<Names = unknown> {
  readonly kind: 'route'
  readonly pattern: string
  readonly segments: readonly Segment[]
  readonly name: string | undefined
  /** As declared: without the HEAD that follows GET. */
  readonly methods: readonly Method[]
  readonly views: Views
  readonly place: Place
  /** The options as `path()` got them. */
  readonly options: Readonly<PathOptions>
  /** Of `socket()`: who talks once a handshake has been accepted. */
  readonly socket?: SocketDefinition
  /** Never set: holds the type of its name and parameters. */
  readonly names?: Names
}

export interface IncludeOptions<Space extends string = string> {
  /** Goes before the names inside, with a colon: `api` makes `list` into `api:list`. Default: none. */
  readonly namespace?: Space
  /** What runs around every view inside, within the middleware of the site; outermost first. Default none. */
  readonly middleware?: readonly Middleware[]
}

/** What `include()` and `host()` return: a URL conf below a prefix, or at a host. */
export interface IncludeEntry<Names = unknown> {
  readonly kind: 'include'
  /** The prefix as written; empty for `host()`. */
  readonly pattern: string
  readonly segments: readonly Segment[]
  /** Of `host()`. */
  readonly host?: HostPattern
  readonly namespace: string | undefined
  /** Around every view inside; outermost first. */
  readonly middleware: readonly Middleware[]
  readonly conf: Pick<UrlConf, 'entries' | 'under'>
  readonly place: Place
  /** Never set: holds the type of the names it brings. */
  readonly names?: Names
}

export type UrlEntry<Names = unknown> = RouteEntry<Names> | IncludeEntry<Names>

/** Makes the path of a named route; arguments as its pattern says. */
export type Reverse<Names> = <Name extends keyof Names & string>(
  name: Name,
  ...params: ReverseParams<Names[Name]>
) => string

/**
 * Over each member of a union, so that the compiler's message on a wrong name is about the name. Where no names are known
 * nothing is called: any arguments, so that every URL conf can stand for such a one. Without that it depends on the
 * order of files whether the compiler sees it.
 */
type ReverseParams<P> = unknown extends P
  ? // biome-ignore lint/suspicious/noExplicitAny: nothing else is taken for the arguments of every other one.
    any
  : P extends unknown
    ? keyof P extends never
      ? []
      : [params: P]
    : never

/** `Names`: parameter types by route name. `Outer`: parameters that an including prefix has to bring. */
export interface UrlConf<Names = unknown, Outer = Empty> {
  readonly entries: readonly UrlEntry[]
  /** The pattern of option `under`, if there is one. */
  readonly under: Under | undefined
  /**
   * The path of a named route, percent-encoded: `reverse('post', { id: 7 })` → `/posts/7`. Call it on
   * the root URL conf. A route under `host()` gives `//host/path`. Throws UWAS_ERR_ROUTE_REVERSE_NAME, _REVERSE_PARAMETER, _REVERSE_PATH,
   * _REVERSE_INCLUDED. Needs no `this`: `export const url = urls.reverse`.
   */
  reverse<Name extends keyof Names & string>(
    this: void,
    name: Name,
    ...params: ReverseParams<Names[Name]>
  ): string
  /** Never set: hold the types. */
  readonly names?: Names
  readonly outer?: (params: Outer) => void
}

export interface Under {
  readonly pattern: string
  readonly host: HostPattern | undefined
  readonly segments: readonly Segment[]
  readonly place: Place
}

/** Parameter types by name of what one route adds; nothing for a route without a literal name. */
export type NamesOfRoute<Name extends string, P> = [Name] extends [never]
  ? Empty
  : string extends Name
    ? Empty
    : { readonly [N in Name]: P }

/** Names of an included URL conf: with the namespace before them and the prefix's parameters added. */
export type NamesOfInclude<Names, Space extends string, P> = {
  readonly [N in keyof Names & string as [Space] extends [never] ? N : `${Space}:${N}`]: Simplify<
    P & Names[N]
  >
}

/** Names of all entries of a URL conf. */
export type NamesOfEntries<E> = Simplify<
  UnionToIntersection<E extends { readonly names?: infer N } ? Exclude<N, undefined> : never>
>
