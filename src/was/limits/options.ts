/** What requests may cost a site: the key `limits`, as its author writes it and complete. Read by `config.ts`. */
import * as z from 'zod'
import { isNetwork, NETWORK_WORDS } from '../../http/networks.ts'
import { type RequestLimitRule, requestLimit } from '../guards/options.ts'

/** How many connections may be open, counted over all workers as they are accepted, before TLS. It needs the native addon. */
export interface ConnectionLimitOptions {
  /** In all; one more gets 503 in clear, and is closed by TLS. 0 for no limit. Default 0. */
  readonly total?: number | undefined
  /**
   * From one address, of IPv6 from one /64; by `proxyProtocol` from the client that it tells. It does not hold for
   * `trustedProxies`, which hand on the connections of others. 0 for no limit. Default 0.
   */
  readonly perAddress?: number | undefined
  /** Networks as in `access`, and `unix`, for which neither limit holds. Default none. */
  readonly exempt?: readonly string[] | undefined
}

/** `ConnectionLimitOptions`, complete. */
export interface SiteConnections {
  readonly total: number
  readonly perAddress: number
  readonly exempt: readonly string[]
}

/**
 * When the site has more to do than it can: views, and handshakes of WebSockets, are answered 503 with Retry-After at once;
 * files, cached pages and health go on, and so do requests that have begun. From a limit on more and more of them are
 * refused, up to all; below two thirds of it fewer and fewer. Each worker decides for itself.
 */
export interface ShedOptions {
  /** How late the event loop may be, in milliseconds from 1 on; a single pause of up to twice as long does not count. Default: any. */
  readonly maxEventLoopDelayMs?: number | undefined
  /**
   * How long one may wait for the database, in milliseconds from 1 on: for a connection of its own, or for the answer
   * to a single statement where all connections that they share are that slow. Default: any.
   */
  readonly maxPoolWaitMs?: number | undefined
  /** When a client may try again, in seconds: Retry-After of the 503. Default 10. */
  readonly retryAfterSeconds?: number | undefined
}

/** `ShedOptions`, complete; 0 in the first two is no limit. */
export interface SiteShed {
  readonly maxEventLoopDelayMs: number
  readonly maxPoolWaitMs: number
  readonly retryAfterSeconds: number
}

/** What one request may cost, and how many there may be. */
export interface Limits {
  /** Longest body of a request, in bytes; a longer one is 413. Default 1 MiB. */
  readonly maxBodyBytes?: number | undefined
  /** Longest block of request line and fields, in bytes. Default 16 KiB. */
  readonly maxHeaderBytes?: number | undefined
  /** Longest path and query of a request, in bytes; a longer one is 414. Default 8000. */
  readonly maxUrlBytes?: number | undefined
  /**
   * A client that takes a reply more slowly than this, on average and after the first 5 seconds of
   * waiting for it, is cut off. 0 for no limit. Default 1 KiB a second.
   */
  readonly minSendBytesPerSecond?: number | undefined
  /**
   * A client that sends the body of its request more slowly than this gets 408: on average and after the first 10 seconds
   * of waiting for it, or half as fast in any 20 seconds of that. 0 for no limit. Default 1 KiB a second.
   */
  readonly minReceiveBytesPerSecond?: number | undefined
  /**
   * Longest time until a view returns its reply, in seconds; then the client gets 503 and the request's
   * signal fires. A route may have its own (`timeoutMs`). 0 for no limit. Default 60.
   */
  readonly maxViewSeconds?: number | undefined
  /**
   * Longest time from a request to the last byte of its reply, in seconds: views, downloads and event
   * streams; the connection is cut then. 0 for no limit. Default 6 hours.
   */
  readonly maxResponseSeconds?: number | undefined
  /** How often clients may ask, by path. Default: as often as they like. */
  readonly requests?: readonly RequestLimitRule[] | undefined
  /** How many connections may be open. Default: as many as the system has room for. */
  readonly connections?: ConnectionLimitOptions | undefined
  /** When views are refused since there is too much to do. Default: never. */
  readonly shed?: ShedOptions | undefined
}

/** `Limits`, complete; 0 is no limit where there may be none. */
export interface SiteLimits {
  readonly maxBodyBytes: number
  readonly maxHeaderBytes: number
  readonly maxUrlBytes: number
  readonly maxViewSeconds: number
  readonly minSendBytesPerSecond: number
  readonly minReceiveBytesPerSecond: number
  readonly maxResponseSeconds: number
  readonly requests: readonly RequestLimitRule[]
  /** Null: no limits. */
  readonly connections: SiteConnections | null
  /** Null: never. */
  readonly shed: SiteShed | null
}

export const DEFAULT_LIMITS: SiteLimits = {
  maxBodyBytes: 1024 * 1024,
  maxHeaderBytes: 16 * 1024,
  maxUrlBytes: 8000,
  maxViewSeconds: 60,
  minSendBytesPerSecond: 1024,
  minReceiveBytesPerSecond: 1024,
  maxResponseSeconds: 6 * 60 * 60,
  requests: [],
  connections: null,
  shed: null,
}

/** Clients that come back at once would find the same. */
const DEFAULT_SHED: SiteShed = { maxEventLoopDelayMs: 0, maxPoolWaitMs: 0, retryAfterSeconds: 10 }

/** Below this browsers' ordinary requests do not fit; above it every connection could hold much memory. */
const HEADER_BYTES = { least: 1024, most: 1024 * 1024 }
/** RFC 9110 section 4.1 wants at least 8,000 where nothing is said; a site may know its own. */
const URL_BYTES = { least: 64, most: 1024 * 1024 }

const bytes = z.int().min(0).optional()

const connectionCount = z.int().min(0).max(10_000_000).optional()

export const connectionLimits = z.strictObject({
  total: connectionCount,
  perAddress: connectionCount,
  exempt: z.array(z.string().refine(isNetwork, `is not ${NETWORK_WORDS}`)).optional(),
})

const shedMs = z.int().min(1).max(3_600_000).optional()

export const shedOptions = z.strictObject({
  maxEventLoopDelayMs: shedMs,
  maxPoolWaitMs: shedMs,
  retryAfterSeconds: z.int().min(1).max(86_400).optional(),
})

export const limits = z.strictObject({
  maxBodyBytes: bytes,
  maxHeaderBytes: z.int().min(HEADER_BYTES.least).max(HEADER_BYTES.most).optional(),
  maxUrlBytes: z.int().min(URL_BYTES.least).max(URL_BYTES.most).optional(),
  maxViewSeconds: z.number().min(0).optional(),
  minSendBytesPerSecond: bytes,
  minReceiveBytesPerSecond: bytes,
  maxResponseSeconds: z.number().min(0).optional(),
  requests: z.array(requestLimit).optional(),
  connections: connectionLimits.optional(),
  shed: shedOptions.optional(),
})

export function limitsOf(given: Limits = {}): SiteLimits {
  const { connections, shed, ...rest } = given
  return {
    ...DEFAULT_LIMITS,
    ...known(rest),
    connections: connections === undefined ? null : connectionsOf(connections),
    shed: shed === undefined ? null : { ...DEFAULT_SHED, ...known(shed) },
  }
}

/** What they say that cannot be. */
export function limitProblems({
  limits: given,
  database,
}: {
  readonly limits?: Limits | undefined
  readonly database?: unknown
}): string[] {
  const shed = given?.shed
  if (shed === undefined) return []
  const problems: string[] = []
  if (shed.maxEventLoopDelayMs === undefined && shed.maxPoolWaitMs === undefined) {
    problems.push('limits.shed has no limit; give maxEventLoopDelayMs, maxPoolWaitMs or both')
  }
  if (shed.maxPoolWaitMs !== undefined && database === false) {
    problems.push(
      'limits.shed.maxPoolWaitMs is about the database, but database is false; drop one of the two',
    )
  }
  return problems
}

function known(given: object): object {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function connectionsOf({
  total = 0,
  perAddress = 0,
  exempt = [],
}: ConnectionLimitOptions): SiteConnections {
  return { total, perAddress, exempt: [...exempt] }
}
