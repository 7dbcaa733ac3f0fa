/**
 * `socket()`: a URL at which WebSockets are opened. Runs once, at start; its mistakes are thrown here, with
 * the line that holds them. Anything but a handshake gets 426 there.
 */
import { createError } from '../core/errors.ts'
import { hintNearest } from '../core/nearest.ts'
import { upgradeRequired } from '../http/handshake.ts'
import { isToken } from '../http/headers.ts'
import type { SocketDefinition, SocketHandlers, SocketOptions } from '../http/socket.ts'
import type { ConsistentConverters, Converters } from './converters.ts'
import { checkConverters, checkName, readViews, refuseUnknown } from './declaration.ts'
import type { NamesOfRoute, RouteEntry } from './entry.ts'
import { parsePattern } from './pattern.ts'
import type { Empty, ParamsOf, Simplify, ValidPattern } from './pattern-types.ts'
import { capturePlace, formatPlace } from './place.ts'

/** Options of `socket()`: those of its sockets, and what a URL has besides. */
export interface SocketRouteOptions<
  Name extends string = string,
  Own extends Converters = Converters,
> extends SocketOptions {
  /** Names the route for `reverse`. Unique in the whole site; no `:` in it. Default: no name. */
  readonly name?: Name
  /** Converters of this pattern alone, by the name used in it. */
  readonly converters?: Own & ConsistentConverters<Own>
}

/** `socket` as it is for given converters and parameters of an including prefix. */
export type SocketFunction<C extends Converters, Outer> = <
  const Pattern extends string,
  D = undefined,
  const Name extends string = never,
  Own extends Converters = Empty,
>(
  pattern: Pattern & ValidPattern<Pattern, C & Own>,
  handlers: SocketHandlers<Simplify<Outer & ParamsOf<Pattern, C & Own>>, D>,
  options?: SocketRouteOptions<Name, Own>,
) => RouteEntry<NamesOfRoute<Name, ParamsOf<Pattern, C & Own>>>

const HANDLERS = ['authenticate', 'open', 'message', 'drain', 'close']

const DEFAULTS: Required<SocketOptions> = {
  origins: 'same',
  protocols: [],
  maxMessageBytes: 65_536,
  maxBackpressureBytes: 1_048_576,
  slowReaders: 'close',
  idleTimeoutSeconds: 120,
  sendPings: true,
  compress: false,
}

/** The engine holds lengths in 32 bits. */
const MAX_BYTES = 1024 * 1024 * 1024

/**
 * A URL at which WebSockets are opened, its pattern as of `path()`:
 *
 *     socket('/chat/<slug:room>', {
 *       authenticate: (req) => userOf(req),            // socket.data; throw, or return a Reply, to refuse
 *       open: (socket) => socket.join(socket.params.room),
 *       message: (socket, text) => socket.publish(socket.params.room, text),
 *     })
 *
 * A handshake passes the site's middleware as a GET does; one that gives another reply than that of `next()`
 * refuses it. A page of another site gets 403 unless `origins`
 * lets it in; what is no handshake gets 426. Throws UWAS_ERR_ROUTE_SOCKET and what `path()` throws.
 */
export const socket: SocketFunction<Empty, Empty> = socketWith({})

/** `socket` for patterns with these converters. */
export function socketWith<C extends Converters, Outer>(scope: C): SocketFunction<C, Outer> {
  function socket(
    pattern: string,
    handlers: SocketHandlers,
    options: SocketRouteOptions = {},
  ): RouteEntry {
    const place = capturePlace(socket)
    const at = formatPlace(place)
    const where = `socket("${pattern}") at ${at}`
    refuseUnknown(where, options, ['name', 'converters', ...Object.keys(DEFAULTS)])
    const { name, converters = {}, ...own } = options
    checkConverters(where, converters)
    checkName(where, 'name', name)
    const segments = parsePattern(pattern, at, { ...scope, ...converters })
    const problem = problemOfHandlers(handlers) ?? problemOfOptions(own)
    if (problem !== undefined) {
      throw createError('UWAS_ERR_ROUTE_SOCKET', { pattern, place: at, problem })
    }
    const { methods, views } = readViews(pattern, at, upgradeRequired, undefined)
    return Object.freeze({
      kind: 'route',
      pattern,
      segments,
      name,
      methods,
      views,
      place,
      options: Object.freeze({
        ...(name === undefined ? {} : { name }),
        ...(options.converters === undefined ? {} : { converters }),
      }),
      socket: define(handlers, own),
    })
  }
  return socket as unknown as SocketFunction<C, Outer>
}

function define(handlers: SocketHandlers, given: SocketOptions): SocketDefinition {
  const options = { ...DEFAULTS, ...withoutUndefined(given) }
  return Object.freeze({
    handlers: Object.freeze({ ...handlers }),
    options: Object.freeze(options),
  })
}

function withoutUndefined(given: SocketOptions): SocketOptions {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function problemOfHandlers(handlers: unknown): string | undefined {
  if (typeof handlers !== 'object' || handlers === null) {
    return `the handlers are ${handlers === null ? 'null' : `of type ${typeof handlers}`}, not an object of functions`
  }
  for (const [key, one] of Object.entries(handlers)) {
    if (!HANDLERS.includes(key)) return `unknown handler "${key}"${hintNearest(key, HANDLERS)}`
    if (typeof one !== 'function') return `"${key}" is of type ${typeof one}, not a function`
  }
  return Object.keys(handlers).length === 0 ? 'the object has no handler' : undefined
}

function problemOfOptions(options: SocketOptions): string | undefined {
  const { origins, protocols, slowReaders, idleTimeoutSeconds } = withoutUndefined(options)
  if (origins !== undefined && !isOrigins(origins)) {
    return `origins is ${JSON.stringify(origins)}; give "same", "*" or a list of origins such as "https://example.com"`
  }
  if (protocols !== undefined && !(Array.isArray(protocols) && protocols.every(isProtocol))) {
    return `protocols is ${JSON.stringify(protocols)}; give a list of tokens (RFC 6455 section 4.1)`
  }
  if (slowReaders !== undefined && slowReaders !== 'close' && slowReaders !== 'drop') {
    return `slowReaders is ${JSON.stringify(slowReaders)}; give "close" or "drop"`
  }
  if (idleTimeoutSeconds !== undefined && !isWhole(idleTimeoutSeconds, 8, 960)) {
    return `idleTimeoutSeconds is ${idleTimeoutSeconds}; give a whole number from 8 to 960`
  }
  for (const key of ['maxMessageBytes', 'maxBackpressureBytes'] as const) {
    const value = options[key]
    if (value !== undefined && !isWhole(value, 1, MAX_BYTES)) {
      return `${key} is ${value}; give a whole number from 1 to ${MAX_BYTES}`
    }
  }
  for (const key of ['sendPings', 'compress'] as const) {
    const value = options[key]
    if (value !== undefined && typeof value !== 'boolean') return `${key} is not true or false`
  }
  return undefined
}

function isOrigins(origins: unknown): boolean {
  if (origins === 'same' || origins === '*') return true
  return Array.isArray(origins) && origins.length > 0 && origins.every(isOrigin)
}

/** As a browser writes it: no path, no default port, lower case. */
function isOrigin(origin: unknown): boolean {
  return typeof origin === 'string' && URL.canParse(origin) && new URL(origin).origin === origin
}

function isProtocol(protocol: unknown): boolean {
  return typeof protocol === 'string' && isToken(protocol)
}

function isWhole(value: unknown, from: number, to: number): boolean {
  return Number.isInteger(value) && (value as number) >= from && (value as number) <= to
}
