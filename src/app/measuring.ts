/** What is measured of a site's backends. Called by `app.ts`. */
import type { AccessLog } from '../observe/access/access-log.ts'
import {
  type MeasuredBackends,
  measureAccessLog,
  measureBackends,
  measureShedding,
} from '../observe/metrics/backend-metrics.ts'
import { measureProcess } from '../observe/metrics/process-metrics.ts'
import type { Registry } from '../observe/metrics/registry.ts'
import type { Tracer } from '../observe/tracing/tracer.ts'
import type { LoadShedder } from '../was/limits/load-shedder.ts'

/** Null is what a site does not have. */
export interface Measured extends MeasuredBackends {
  readonly access: AccessLog | null
  readonly tracer: Tracer | null
  readonly shedder: LoadShedder | null
}

/** Measures until what it returns is called. */
export function measureAll(
  registry: Registry,
  { access, tracer, shedder, ...backends }: Measured,
): () => void {
  const stop = measureProcess(registry)
  measureBackends(registry, backends)
  tracer?.measure(registry)
  if (access !== null) measureAccessLog(registry, access)
  if (shedder !== null) measureShedding(registry, shedder)
  return stop
}
