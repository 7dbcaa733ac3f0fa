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
}

/** `Limits`, complete; 0 in the last two numbers is no limit. */
export interface SiteLimits {
  readonly maxBodyBytes: number
  readonly maxHeaderBytes: number
  readonly maxUrlBytes: number
  readonly maxViewSeconds: number
  readonly minSendBytesPerSecond: number
  readonly maxResponseSeconds: number
  readonly requests: readonly RequestLimitRule[]
  /** Null: no limits. */
  readonly connections: SiteConnections | null
}

export const DEFAULT_LIMITS: SiteLimits = {
  maxBodyBytes: 1024 * 1024,
  maxHeaderBytes: 16 * 1024,
  maxUrlBytes: 8000,
  maxViewSeconds: 60,
  minSendBytesPerSecond: 1024,
  maxResponseSeconds: 6 * 60 * 60,
  requests: [],
  connections: null,
}

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

export const limits = z.strictObject({
  maxBodyBytes: bytes,
  maxHeaderBytes: z.int().min(HEADER_BYTES.least).max(HEADER_BYTES.most).optional(),
  maxUrlBytes: z.int().min(URL_BYTES.least).max(URL_BYTES.most).optional(),
  maxViewSeconds: z.number().min(0).optional(),
  minSendBytesPerSecond: bytes,
  maxResponseSeconds: z.number().min(0).optional(),
  requests: z.array(requestLimit).optional(),
  connections: connectionLimits.optional(),
})

export function limitsOf(given: Limits = {}): SiteLimits {
  const { connections, ...rest } = given
  const known = Object.entries(rest).filter(([, value]) => value !== undefined)
  return {
    ...DEFAULT_LIMITS,
    ...Object.fromEntries(known),
    connections: connections === undefined ? null : connectionsOf(connections),
  }
}

function connectionsOf({
  total = 0,
  perAddress = 0,
  exempt = [],
}: ConnectionLimitOptions): SiteConnections {
  return { total, perAddress, exempt: [...exempt] }
}
