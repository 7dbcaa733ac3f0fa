/**
 * Spans in OTLP's JSON (opentelemetry-proto, "JSON Protobuf Encoding"): ids are hexadecimal, 64-bit numbers strings,
 * enumerations numbers. A span becomes its text when it ends, so that sending many is joining them.
 */
import type { AttributeValue } from '../../core/trace.ts'

/** `SpanKind` of trace.proto. */
export const KIND = { internal: 1, server: 2, client: 3 } as const

/** `SpanFlags`: bits 8 and 9 tell whether the parent is in another process. */
const KNOWS_REMOTE = 0x100
const IS_REMOTE = 0x200

/** More of one span are dropped, as OpenTelemetry's own limit has it. */
export const MAX_ATTRIBUTES = 128
/** Longer texts are cut. */
const MAX_TEXT_LENGTH = 4096
const MAX_NAME_LENGTH = 256

export type Attributes = Iterable<readonly [key: string, value: AttributeValue]>

export interface SpanToTell {
  readonly traceId: string
  readonly spanId: string
  /** Empty: it is the first of its trace. */
  readonly parentId: string
  readonly isParentRemote: boolean
  /** Those of traceparent. */
  readonly flags: number
  /** The tracestate; empty: none. */
  readonly state: string
  readonly name: string
  readonly kind: (typeof KIND)[keyof typeof KIND]
  /** Milliseconds since 1970, with their fractions. */
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Attributes
  readonly droppedAttributes?: number
  readonly hasFailed: boolean
}

export function encodeSpan(span: SpanToTell): string {
  const flags = span.flags | KNOWS_REMOTE | (span.isParentRemote ? IS_REMOTE : 0)
  const parent = span.parentId === '' ? '' : `,"parentSpanId":"${span.parentId}"`
  const state = span.state === '' ? '' : `,"traceState":${quoted(span.state)}`
  const dropped = span.droppedAttributes ?? 0
  const rest = dropped === 0 ? '' : `"droppedAttributesCount":${dropped},`
  const list = encodeAttributes(span.attributes)
  const attributes = list === '[]' ? '' : `"attributes":${list},`
  const status = span.hasFailed ? '{"code":2}' : '{}'
  return `{"traceId":"${span.traceId}","spanId":"${span.spanId}"${parent}${state},"flags":${flags},"name":${quoted(span.name, MAX_NAME_LENGTH)},"kind":${span.kind},"startTimeUnixNano":"${nanoseconds(span.startMs)}","endTimeUnixNano":"${nanoseconds(Math.max(span.startMs, span.endMs))}",${attributes}${rest}"status":${status}}`
}

/** What stands before and behind the spans of one request to the collector. */
export function envelopeOf(
  resource: Attributes,
  version: string,
): readonly [before: string, behind: string] {
  const scope = `{"name":"uwas","version":${quoted(version)}}`
  return [
    `{"resourceSpans":[{"resource":{"attributes":${encodeAttributes(resource)}},"scopeSpans":[{"scope":${scope},"spans":[`,
    ']}]}]}',
  ]
}

function encodeAttributes(attributes: Attributes): string {
  let text = '['
  for (const [key, value] of attributes) {
    if (text !== '[') text += ','
    text += `{"key":${quoted(key, MAX_NAME_LENGTH)},"value":${encodeValue(value)}}`
  }
  return `${text}]`
}

function encodeValue(value: AttributeValue): string {
  if (typeof value === 'string') return `{"stringValue":${quoted(value)}}`
  if (typeof value === 'boolean') return `{"boolValue":${value}}`
  if (Number.isSafeInteger(value)) return `{"intValue":"${value}"}`
  return `{"doubleValue":${Number.isFinite(value) ? value : `"${value}"`}}`
}

/** Half a surrogate pair is no text, and a collector would refuse all spans for it. */
function quoted(text: string, maxLength = MAX_TEXT_LENGTH): string {
  return JSON.stringify(text.slice(0, maxLength).toWellFormed())
}

/** A double has no room for them, so milliseconds and the rest are written apart. */
function nanoseconds(ms: number): string {
  const whole = Math.floor(ms)
  const rest = Math.min(999_999, Math.round((ms - whole) * 1e6))
  return `${whole}${String(rest).padStart(6, '0')}`
}
