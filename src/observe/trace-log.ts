/** The last requests with the time of each of their steps, in memory, for pages and tools that show them. */

import type { ServiceKey } from '../core/services.ts'
import type { Span, Trace } from '../core/trace.ts'
import type { Request } from '../http/request.ts'

/** A request that has been answered, with the time of each of its steps. */
export interface RecordedTrace {
  readonly method: string
  /** Canonical path, without query. */
  readonly path: string
  /** `static`: answered from the file catalogue; `page`: with a page that was made before; `view`: by the URL conf. */
  readonly lane: 'static' | 'page' | 'view'
  readonly status: number
  readonly startedAt: Date
  readonly totalMs: number
  readonly spans: readonly Span[]
}

/** Requests kept of each lane. */
const KEPT = 50

export const TRACES: ServiceKey<TraceLog> = {
  name: 'record of timings',
  hint: 'set `timings: true` in uwas.config.ts',
}

interface Kept {
  /** Counts up: two requests may begin in the same millisecond. */
  readonly order: number
  readonly recorded: RecordedTrace
}

/** Keeps the last requests of each lane, so that a page's many files do not push its view out. */
export class TraceLog {
  readonly #byLane = { static: [] as Kept[], page: [] as Kept[], view: [] as Kept[] }
  #count = 0

  /** Takes over a finished trace; its total ends now. */
  record(
    lane: RecordedTrace['lane'],
    method: string,
    path: string,
    status: number,
    trace: Trace,
  ): void {
    const kept = this.#byLane[lane]
    const totalMs = performance.now() - trace.startedAt
    const startedAt = new Date(performance.timeOrigin + trace.startedAt)
    const { spans } = trace
    kept.push({
      order: this.#count++,
      recorded: { method, path, lane, status, startedAt, totalMs, spans },
    })
    if (kept.length > KEPT) kept.shift()
  }

  /** Last finished first, all lanes together. */
  recent(): RecordedTrace[] {
    const all = Object.values(this.#byLane).flat()
    return all.sort((a, b) => b.order - a.order).map(({ recorded }) => recorded)
  }
}

/** The last requests of this process, newest first. Throws UWAS_ERR_CORE_SERVICE_MISSING without `timings: true`. */
export function recentTraces(req: Request): RecordedTrace[] {
  return req.services.get(TRACES).recent()
}
