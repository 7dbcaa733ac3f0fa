/** Where the timings of a request begin, for those that want them. Called by the native lane. */
import { Trace } from '../core/trace.ts'
import type { ExchangeRecord } from '../observe/exchange-record.ts'
import type { Application } from './application.ts'

/** When a request has come, by `performance.now()`; 0 where nobody wants to know. */
export function arrivedAt({ traces, tracer }: Application): number {
  return traces === null && tracer === null ? 0 : performance.now()
}

/** Null where nobody wants to know. */
export function beginTrace(
  { traces, tracer }: Application,
  record: ExchangeRecord | null,
  startedAt: number,
): Trace | null {
  if (tracer === null) return traces === null ? null : new Trace(startedAt)
  const trace = tracer.begin(startedAt, record?.fields ?? null)
  if (traces !== null) trace.isRecording = true
  return trace
}
