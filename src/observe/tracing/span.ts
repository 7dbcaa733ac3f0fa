/** What a site says of its own parts, and passes on to other servers, for traces and timings. Called by views and middleware. */
import { type AttributeValue, inPart, isThenable, type Part, type Trace } from '../../core/trace.ts'
import type { Request } from '../../http/request.ts'
import { passedOn } from '../../http/trace-fields.ts'
import { MAX_ATTRIBUTES } from './encode.ts'

/** What else is to be told of a part. */
export interface SpanOptions {
  /** `client`: it waits for another server. Default `internal`. */
  readonly kind?: 'internal' | 'client'
  /** Known beforehand. Names as OpenTelemetry has them: `http.request.method`, `app.order.id`. */
  readonly attributes?: Readonly<Record<string, AttributeValue>>
}

/** A part that goes on. */
export interface SpanInfo {
  /** Tells something of it, again and again if need be; of more than 128 names the rest is dropped. Never throws. */
  set(name: string, value: AttributeValue): void
}

/** A request, or whatever else has its trace. */
interface Traced {
  readonly trace: Trace | null
}

const NOBODY: SpanInfo = { set() {} }

/**
 * Runs `fn`, and tells how long it took as a span of the request's trace (`tracing` of the configuration), in
 * `recentTraces` and in Server-Timing. Statements, templates and spans that `fn` runs are inside of it, also after
 * `await`. Returns what `fn` returns, and throws what it throws: its class or code is told, never its words. A query that
 * begins when it is waited for begins at once, and a promise of it is returned. Where nobody wants to know nothing more is
 * done.
 *
 *     const price = await span(req, 'ask for the price', async () => {
 *       const reply = await fetch(url, { headers: traceHeaders(req) })
 *       return reply.json()
 *     }, { kind: 'client' })
 */
export function span<T>(
  req: Traced,
  name: string,
  fn: (info: SpanInfo) => T,
  { kind = 'internal', attributes }: SpanOptions = {},
): T {
  const told = typeof name === 'string' ? name : typeof name
  return inPart(req.trace, { step: 'part', name: told, isClient: kind === 'client' }, (part) => {
    if (part === null) return begun(fn(NOBODY))
    const info = { set: (key: string, value: AttributeValue) => set(part, key, value) }
    for (const [key, value] of Object.entries(attributes ?? {})) set(part, key, value)
    return begun(fn(info))
  })
}

/** A promise of what only begins when it is waited for: it begins here, so that all that it does is inside of the span. */
function begun<T>(result: T): T {
  return isThenable(result) ? (Promise.resolve(result) as T) : result
}

/** What is no value of an attribute is told by its kind: nothing here may throw, now or when it is told. */
function set(part: Part, name: string, value: AttributeValue): void {
  part.attributes ??= new Map()
  const isValue = ['string', 'number', 'boolean'].includes(typeof value)
  if (part.attributes.size >= MAX_ATTRIBUTES && !part.attributes.has(name)) part.droppedAttributes++
  else part.attributes.set(String(name), isValue ? value : typeof value)
}

/**
 * The fields traceparent and tracestate (W3C Trace Context) for a request that the site makes itself, so that what it
 * leads to is part of the same trace; inside of `span` its parent is that. Without `tracing` those of the request are
 * passed on as they came; without any: an empty object.
 */
export function traceHeaders(req: Request): Record<string, string> {
  const own = req.trace?.headers() ?? null
  if (own !== null) return own
  return passedOn(req.header('traceparent'), req.header('tracestate')) ?? {}
}
