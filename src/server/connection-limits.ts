/**
 * How many connections may be open, in all and from one address, over all workers. Connections come in as they are accepted,
 * before a byte of them is read; whether there is room leaves. Made by `server.ts`; the fronts ask, and the gate of the addon asks its counts.
 */
import type { Socket } from 'node:net'
import type { Log } from '../core/log.ts'
import { networkBits } from '../http/networks.ts'
import type {
  Admission,
  ConnectionCounting,
  ConnectionCounts,
  ConnectionStats,
  CountsPlace,
} from '../native/connection-counts.ts'
import type { SiteConfig } from '../was/config.ts'
import { peerOf } from './node-response.ts'

/** What the configuration wants. Networks are as `Networks` takes them. */
export interface ConnectionRules {
  /** 0 is no limit, here and below. */
  readonly total: number
  readonly perAddress: number
  /** Neither limit holds for them. */
  readonly exempt: readonly string[]
  /** Balancers and proxies: what they hand on is not their own. */
  readonly shared: readonly string[]
  /** Where all workers count; null: each for itself. */
  readonly place: CountsPlace | null
}

/** How long a closed connection may still count for other workers. */
const SWEEP_MS = 250
/** A look at very many takes long: so many times as long is until the next. */
const SWEEP_SHARE = 20
/** Between two lines of the log. */
const TELL_MS = 1000

export class ConnectionLimits {
  readonly counts: ConnectionCounts
  /** What is said to clients in clear. */
  readonly refusal: Uint8Array
  readonly #rules: ConnectionRules
  readonly #log: Log
  #timer: NodeJS.Timeout
  #stats: ConnectionStats
  #told: ConnectionStats
  #toldAt: number

  /** Throws UWAS_ERR_NATIVE_LIMIT. */
  constructor(counting: ConnectionCounting, rules: ConnectionRules, refusal: Uint8Array, log: Log) {
    const { total, perAddress, exempt, shared, place } = rules
    const options = { total, perAddress, refusal, exemptsUnix: exempt.includes('unix') }
    const lists = { exempt: networkBits(exempt), shared: networkBits(shared) }
    this.counts = counting.open({ ...options, ...lists }, place)
    this.refusal = refusal
    this.#rules = rules
    this.#log = log
    this.#stats = this.counts.sweep()
    this.#told = this.#stats
    this.#toldAt = Number.NEGATIVE_INFINITY
    this.#timer = this.#lookIn(SWEEP_MS)
  }

  /** Of this process, as of now. */
  stats(): ConnectionStats {
    this.#stats = this.counts.sweep()
    return this.#stats
  }

  /** Whether there is room for a connection that Node has accepted; the caller closes one that there is none for. */
  admits(socket: Socket): boolean {
    return isTaken(socket, (fd) => this.counts.admit(fd))
  }

  /** Whether there is room for the client whose connection a balancer has handed on, as it has told by now. */
  admitsClient(socket: Socket): boolean {
    return isTaken(socket, (fd) => this.counts.move(fd, peerOf(socket)))
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #lookIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      const startedAt = performance.now()
      this.#look()
      this.#timer = this.#lookIn(Math.max(SWEEP_MS, (performance.now() - startedAt) * SWEEP_SHARE))
    }, ms).unref()
  }

  /** A flood must not become one of the log. */
  #look(): void {
    const { refusedTotal, refusedAddress, lastRefused } = this.stats()
    const total = refusedTotal - this.#told.refusedTotal
    const address = refusedAddress - this.#told.refusedAddress
    const now = performance.now()
    if (total + address === 0 || now - this.#toldAt < TELL_MS) return
    this.#told = this.#stats
    this.#toldAt = now
    const { total: most, perAddress } = this.#rules
    const parts = [
      ...(total > 0 ? [`${total} beyond limits.connections.total (${most})`] : []),
      ...(address > 0
        ? [
            `${address} beyond limits.connections.perAddress (${perAddress}), ${lastRefused} the last`,
          ]
        : []),
    ]
    this.#log.warn(`connections were refused: ${parts.join('; ')}`)
  }
}

/** Null where the site has no such limits. */
export function connectionRules(
  { limits, trustedProxies, proxyProtocol }: SiteConfig,
  place: CountsPlace | null = null,
): ConnectionRules | null {
  if (limits.connections === null) return null
  const shared = [...(trustedProxies?.networks ?? []), ...(proxyProtocol ?? [])]
  return { ...limits.connections, shared, place }
}

/** Node has no word for the descriptor of a socket; one without has been closed. */
function isTaken(socket: Socket, ask: (fd: number) => Admission): boolean {
  const { _handle: handle } = socket as { _handle?: { readonly fd?: number } | null }
  const fd = handle?.fd ?? -1
  return fd < 0 || ask(fd) === 'taken'
}
