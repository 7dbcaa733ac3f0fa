/**
 * What serves, in numbers: replies that are not complete, open connections, certificates. It comes after all else, and
 * stands above this folder. Called by the processes that serve.
 */
import type { GaugeSeries, Registry } from './registry.ts'

/** As `Serving` of `server/` has it. */
export interface MeasuredServer {
  pendingCount(): number
  connectionCount(): { readonly http: number; readonly https: number }
  /** Null where they are not limited. */
  connectionLimits(): { readonly refusedTotal: number; readonly refusedAddress: number } | null
  certificateEnds(): readonly {
    readonly file: string
    readonly name: string
    readonly endsMs: number
  }[]
}

/** Reads them for each report. */
export function measureServer(registry: Registry, server: MeasuredServer): void {
  const inFlight = registry
    .gauge('uwas_http_requests_in_flight', {
      help: 'Replies that have begun and have not been handed over completely.',
    })
    .at()
  const connections = registry.gauge('uwas_connections_open', {
    help: 'Connections of clients that are open, WebSockets too.',
    labels: ['scheme'],
  })
  const tellRefused = server.connectionLimits() === null ? null : measureRefused(registry)
  const tellEnds = measureEnds(registry)
  registry.onCollect(() => {
    inFlight.set(server.pendingCount())
    const { http, https } = server.connectionCount()
    connections.at('http').set(http)
    connections.at('https').set(https)
    tellRefused?.(server.connectionLimits())
    tellEnds(server.certificateEnds())
  })
}

/** As `keepCertificates` of `server/` gives it. */
export interface MeasuredOrders {
  kept(): readonly { readonly name: string; readonly failures: number }[]
}

/** Of the one process that orders certificates. */
export function measureOrders(registry: Registry, keeper: MeasuredOrders): void {
  const failures = registry.gauge('uwas_acme_failed_orders', {
    help: 'Orders of a certificate for this name that have failed since the last one that came.',
    labels: ['name'],
    merge: 'max',
  })
  registry.onCollect(() => {
    for (const one of keeper.kept()) failures.at(one.name).set(one.failures)
  })
}

function measureRefused(
  registry: Registry,
): (stats: ReturnType<MeasuredServer['connectionLimits']>) => void {
  const refused = registry.counter('uwas_connections_refused_total', {
    help: 'Connections that there was no room for, by the limit.',
    labels: ['limit'],
  })
  return (stats) => {
    if (stats === null) return
    refused.at('total').set(stats.refusedTotal)
    refused.at('address').set(stats.refusedAddress)
  }
}

/** Of several certificates for a name, here and over workers, the first to end counts: its clients are those who see it end. */
function measureEnds(
  registry: Registry,
): (ends: ReturnType<MeasuredServer['certificateEnds']>) => void {
  const expiry = registry.gauge('uwas_tls_certificate_expiry_timestamp_seconds', {
    help: 'When the certificate that is served for this name ends, in seconds since 1970.',
    labels: ['name'],
    merge: 'min',
  })
  let told: ReadonlySet<GaugeSeries> = new Set()
  return (ends) => {
    const least = new Map<string, number>()
    for (const { file, name, endsMs } of ends) {
      const key = name === '' ? file : name
      least.set(key, Math.min(endsMs, least.get(key) ?? endsMs))
    }
    const now = new Set<GaugeSeries>()
    for (const [key, endsMs] of least) {
      const series = expiry.at(key)
      series.set(endsMs / 1000)
      now.add(series)
    }
    // A new certificate may have another name in front.
    for (const series of told) if (!now.has(series)) series.clear()
    told = now
  }
}
