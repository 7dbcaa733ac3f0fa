/**
 * What the parts of a site have counted by themselves: its caches, its files, its database. They come as they are,
 * since they stand above this folder. Called by `app.ts`.
 */
import type { Registry } from './registry.ts'

const STATEMENT_BOUNDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
]

interface Counted {
  readonly budget: { readonly bytes: number; readonly maxBytes: number; readonly evicted: number }
  readonly count: number
  readonly hits: number
  readonly misses: number
}

/** As `DatabaseStats` and `Database` have it. */
interface Pool {
  readonly poolSize: number
  readonly stats: {
    readonly open: number
    readonly inUse: number
    readonly inFlight: number
    readonly waiting: number
    readonly waited: number
    readonly waitedMs: number
    readonly refused: number
    readonly cancelled: number
    readonly retries: number
  }
}

export interface MeasuredBackends {
  readonly files: {
    readonly stats: { readonly files: number }
    readonly memory: Counted['budget'] & Pick<Counted, 'hits' | 'misses'>
  }
  readonly values: Counted
  readonly pages: Pick<Counted, 'count' | 'hits' | 'misses'>
  readonly database: Pool | null
}

/** Reads them for each report, until what it returns is called. */
export function measureBackends(registry: Registry, backends: MeasuredBackends): () => void {
  const readers = [measureCaches(registry, backends)]
  if (backends.database !== null) readers.push(measurePool(registry, backends.database))
  return registry.onCollect(() => {
    for (const read of readers) read()
  })
}

function measureCaches(registry: Registry, { files, values, pages }: MeasuredBackends): () => void {
  const requests = registry.counter('uwas_cache_requests_total', {
    help: 'What was asked of the caches of pages and values, and contents of static files that were sent; whether it was in memory.',
    labels: ['cache', 'result'],
  })
  const entries = registry.gauge('uwas_cache_entries', {
    help: 'Pages and values that are kept, and static files that answer.',
    labels: ['cache'],
  })
  const bytes = registry.gauge('uwas_cache_bytes', {
    help: 'Memory of static files, and of pages and values together.',
    labels: ['cache'],
  })
  const most = registry.gauge('uwas_cache_max_bytes', {
    help: 'Memory that they may take.',
    labels: ['cache'],
  })
  const evicted = registry.counter('uwas_cache_evictions_total', {
    help: 'What has left memory for something that is asked for more often.',
    labels: ['cache'],
  })
  return () => {
    requests.at('pages', 'hit').set(pages.hits)
    requests.at('pages', 'miss').set(pages.misses)
    requests.at('values', 'hit').set(values.hits)
    requests.at('values', 'miss').set(values.misses)
    entries.at('pages').set(pages.count)
    entries.at('values').set(values.count)
    entries.at('files').set(files.stats.files)
    const { memory } = files
    requests.at('files', 'hit').set(memory.hits)
    requests.at('files', 'miss').set(memory.misses)
    bytes.at('files').set(memory.bytes)
    most.at('files').set(memory.maxBytes)
    evicted.at('files').set(memory.evicted)
    // Pages and values have one budget together.
    bytes.at('pages and values').set(values.budget.bytes)
    most.at('pages and values').set(values.budget.maxBytes)
    evicted.at('pages and values').set(values.budget.evicted)
  }
}

function measurePool(registry: Registry, database: Pool): () => void {
  const gauge = (name: string, help: string) =>
    registry.gauge(`uwas_database_${name}`, { help }).at()
  const counter = (name: string, help: string) =>
    registry.counter(`uwas_database_${name}_total`, { help }).at()
  const open = gauge('connections', 'Connections to PostgreSQL that are open.')
  const most = gauge('connections_max', 'Connections that may be open.')
  const inUse = gauge(
    'connections_in_use',
    'Connections that one transaction or long statement has to itself.',
  )
  const inFlight = gauge(
    'statements_in_flight',
    'Single statements that are sent and not answered.',
  )
  const waiting = gauge('waiting', 'Requests that wait for a connection of their own.')
  const waits = counter('waits', 'Requests that have waited for a connection.')
  const waited = counter('wait_seconds', 'How long they have waited.')
  const refused = counter('refused', 'Requests that have waited for a connection in vain.')
  const cancelled = counter('cancelled', 'Statements that PostgreSQL was asked to stop.')
  const retries = counter('retries', 'Transactions that were run again after a conflict.')
  return () => {
    const { stats } = database
    open.set(stats.open)
    most.set(database.poolSize)
    inUse.set(stats.inUse)
    inFlight.set(stats.inFlight)
    waiting.set(stats.waiting)
    waits.set(stats.waited)
    waited.set(stats.waitedMs / 1000)
    refused.set(stats.refused)
    cancelled.set(stats.cancelled)
    retries.set(stats.retries)
  }
}

/** Lines of the access log that nobody will read. */
export function measureAccessLog(registry: Registry, log: { readonly dropped: number }): void {
  const dropped = registry
    .counter('uwas_access_log_lines_dropped_total', {
      help: 'Lines of the access log that were lost: its file took them too slowly, or not at all.',
    })
    .at()
  registry.onCollect(() => dropped.set(log.dropped))
}

/** Requests that were refused since there was too much to do, by what there was too much of. */
export function measureShedding(
  registry: Registry,
  { counts }: { readonly counts: Readonly<Record<string, number>> },
): void {
  const shed = registry.counter('uwas_http_requests_shed_total', {
    help: 'Requests that were answered 503 since there was too much to do: the event loop was late, or the database behind.',
    labels: ['reason'],
  })
  registry.onCollect(() => {
    for (const [reason, count] of Object.entries(counts)) shed.at(reason).set(count)
  })
}

/** How long statements take, by their names: for `createDatabase`. */
export function measureStatements(registry: Registry): {
  note(statement: string, ms: number, hasFailed: boolean): void
} {
  const seconds = registry.histogram('uwas_database_statement_duration_seconds', {
    help: 'How long declared statements take, from sent to answered.',
    labels: ['statement'],
    bounds: STATEMENT_BOUNDS,
  })
  const failures = registry.counter('uwas_database_statement_errors_total', {
    help: 'Declared statements that have failed.',
    labels: ['statement'],
  })
  return {
    note(statement, ms, hasFailed) {
      seconds.at(statement).observe(ms / 1000)
      if (hasFailed) failures.at(statement).add()
    },
  }
}
