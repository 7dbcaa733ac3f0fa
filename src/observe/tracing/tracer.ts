/**
 * OpenTelemetry traces of one process: decides for each request whether it is told, and tells of it when its last byte
 * has left. Made by `app.ts`, asked by the lanes, told by the observer.
 */
import { readFileSync } from 'node:fs'
import type { Log } from '../../core/log.ts'
import { type Span, Trace } from '../../core/trace.ts'
import { newSpanId, newTraceId, SAMPLED, TraceContext } from '../../core/trace-context.ts'
import { uuid7 } from '../../core/uuid7.ts'
import { readTraceFields } from '../../http/trace-fields.ts'
import { createRedact, type Redact } from '../access/redact.ts'
import type { ExchangeRecord } from '../exchange-record.ts'
import type { Registry } from '../metrics/registry.ts'
import type { ExchangeListener } from '../observer.ts'
import { encodeSpan, envelopeOf, KIND } from './encode.ts'
import { ExportQueue } from './export-queue.ts'
import type { SiteTracing } from './options.ts'
import { attributesOf, hasFailed, nameOf, stepOf } from './server-span.ts'

/** Of the fields of a request. */
type Fields = Readonly<Record<string, string>> | null

/** Milliseconds since 1970. */
interface Times {
  readonly startMs: number
  readonly endMs: number
}

/** 2^52: what thirteen hexadecimal digits tell apart. */
const MOST_RANDOM = 2 ** 52
const SAMPLED_DIGITS = 13

export class Tracer implements ExchangeListener {
  readonly needsTime = true
  readonly needsClient = true
  readonly skipsFiles = true
  readonly fields: readonly string[] = ['traceparent', 'tracestate']
  readonly queue: ExportQueue
  readonly #options: SiteTracing
  readonly #redact: Redact
  /** Of trace ids: those beyond it are sampled. */
  readonly #threshold: number
  /** Whether one that is not sampled may be told all the same. */
  readonly #mayKeep: boolean

  /** `worker`: its number, from 1; 0 where there are none. */
  constructor(options: SiteTracing, { worker, log }: { worker: number; log: Log }) {
    this.#options = options
    this.#redact = createRedact(options.redact)
    this.#threshold = (1 - options.sampleRatio) * MOST_RANDOM
    this.#mayKeep = options.keepErrors || options.keepSlowMs > 0
    const version = readVersion()
    const envelope = envelopeOf(Object.entries(resourceOf(options, worker, version)), version)
    this.queue = new ExportQueue({ ...options, envelope, log })
  }

  /** The trace of a request that a view, or whoever stands before it, answers. */
  begin(startedAt: number, fields: Fields): Trace {
    const context = this.#contextOf(fields)
    const trace = new Trace(startedAt, context)
    trace.isRecording = context.isSampled || this.#mayKeep
    return trace
  }

  ended(record: ExchangeRecord): void {
    const { answerer, trace } = record
    if (answerer === 'page') return this.#tellPage(record)
    if (trace === null || trace.context === null) return
    // Of a file, or of what was refused before it came to a view, there is nothing to tell but that; a guard may have failed.
    if (answerer !== 'view' && record.status < 500) return
    if (trace.context.isSampled || this.#isKept(record, trace)) this.#tell(record, trace)
  }

  close(): Promise<void> {
    return this.queue.close()
  }

  /** Counts what has become of spans. */
  measure(registry: Registry): () => void {
    const spans = registry.counter('uwas_tracing_spans_total', {
      help: 'Spans that the collector has taken, and those that were lost.',
      labels: ['result'],
    })
    const sent = spans.at('sent')
    const dropped = spans.at('dropped')
    return registry.onCollect(() => {
      sent.set(this.queue.sent)
      dropped.set(this.queue.dropped)
    })
  }

  #contextOf(fields: Fields): TraceContext {
    const parent = readTraceFields(fields?.['traceparent'], fields?.['tracestate'])
    const traceId = parent?.traceId ?? newTraceId()
    const isSampled =
      parent !== null && this.#options.parentBased
        ? (parent.flags & SAMPLED) === SAMPLED
        : Number.parseInt(traceId.slice(-SAMPLED_DIGITS), 16) >= this.#threshold
    return new TraceContext(parent, traceId, isSampled)
  }

  /** By the time until the reply was there: one that goes on for long, or has a slow reader, is not slow. */
  #isKept(record: ExchangeRecord, trace: Trace): boolean {
    const { keepErrors, keepSlowMs } = this.#options
    if (keepErrors && hasFailed(record)) return true
    const ms = trace.repliedAt === 0 ? record.durationMs : trace.repliedAt - trace.startedAt
    return keepSlowMs > 0 && ms >= keepSlowMs
  }

  /** Sent like a file: there is nothing in it, and it is never slow. */
  #tellPage(record: ExchangeRecord): void {
    const context = this.#contextOf(record.fields)
    record.trace = new Trace(record.startedAt, context)
    if (context.isSampled) this.#tellRequest(record, context, timesOf(record.startedAt))
  }

  #tell(record: ExchangeRecord, trace: Trace): void {
    const { context } = trace
    if (context === null) return
    const times = timesOf(trace.startedAt)
    this.#tellRequest(record, context, times)
    for (const span of trace.spans) this.#tellStep(span, context, times.startMs)
  }

  #tellRequest(record: ExchangeRecord, context: TraceContext, times: Times): void {
    if (!this.queue.hasRoom()) return
    const { parent, traceId, spanId, flags } = context
    const text = encodeSpan({
      traceId,
      spanId,
      parentId: parent?.spanId ?? '',
      isParentRemote: parent !== null,
      flags,
      state: parent?.state ?? '',
      name: nameOf(record),
      kind: KIND.server,
      ...times,
      attributes: attributesOf(record, this.#redact),
      hasFailed: hasFailed(record),
    })
    this.queue.add(text)
  }

  #tellStep(span: Span, context: TraceContext, startMs: number): void {
    const told = stepOf(span)
    if (told === null || !this.queue.hasRoom()) return
    const { more } = span
    const isClient = span.step === 'model' || more?.self?.isClient === true
    const from = startMs + span.startMs
    const text = encodeSpan({
      traceId: context.traceId,
      spanId: more?.self?.id ?? newSpanId(),
      parentId: more?.within?.id ?? context.spanId,
      isParentRemote: false,
      flags: context.flags,
      state: context.parent?.state ?? '',
      name: told.name,
      kind: isClient ? KIND.client : KIND.internal,
      startMs: from,
      endMs: from + span.durationMs,
      attributes: told.attributes,
      droppedAttributes: more?.self?.droppedAttributes ?? 0,
      hasFailed: (more?.failure ?? null) !== null,
    })
    this.queue.add(text)
  }
}

/** Of what ends now. By the clock of the wall, which may have been set since the process has started. */
function timesOf(startedAt: number): Times {
  const endMs = Date.now()
  return { startMs: endMs - (performance.now() - startedAt), endMs }
}

/** What the process is; the site has the last word. An id that it has given to all its workers gets their number. */
function resourceOf(
  { serviceName, resource }: SiteTracing,
  worker: number,
  version: string,
): Record<string, string | number> {
  const given = resource['service.instance.id']
  const instance = given === undefined ? uuid7() : worker === 0 ? given : `${given}.${worker}`
  return {
    'telemetry.sdk.name': 'uwas',
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.version': version,
    'process.pid': process.pid,
    ...(worker === 0 ? {} : { 'uwas.worker': worker }),
    ...resource,
    'service.name': serviceName,
    'service.instance.id': instance,
  }
}

function readVersion(): string {
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
