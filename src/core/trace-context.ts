/**
 * Which distributed trace a request belongs to (W3C Trace Context), and the names of its spans. Made when a request
 * comes, by `observe/tracing/`; the fields themselves are read by `http/trace-fields.ts`.
 */
import { randomFillSync } from 'node:crypto'

/** What a caller has said of the trace that its request belongs to. */
export interface RemoteContext {
  /** 32 hexadecimal digits in lower case, not all zero. */
  readonly traceId: string
  /** The caller's own span: 16 such digits. */
  readonly spanId: string
  /** One byte: `SAMPLED`, `RANDOM`. */
  readonly flags: number
  /** As it is passed on; empty: none. */
  readonly state: string
}

/** The caller has recorded it (Trace Context level 1, section 3.2.2.5.1). */
export const SAMPLED = 0x01
/** Its last seven bytes are random (level 2). */
export const RANDOM = 0x02

const SPAN_BYTES = 8
const TRACE_BYTES = 16
const pool = Buffer.alloc(4096)
let next = pool.length

export class TraceContext {
  readonly traceId: string
  /** Null: the trace begins here. */
  readonly parent: RemoteContext | null
  readonly isSampled: boolean
  #spanId: string

  constructor(parent: RemoteContext | null, traceId: string, isSampled: boolean) {
    this.traceId = traceId
    this.parent = parent
    this.isSampled = isSampled
    this.#spanId = ''
  }

  /** Names the span of the request. */
  get spanId(): string {
    if (this.#spanId === '') this.#spanId = newSpanId()
    return this.#spanId
  }

  get flags(): number {
    const random = this.parent === null ? RANDOM : this.parent.flags & RANDOM
    return random | (this.isSampled ? SAMPLED : 0)
  }

  /** The fields for whoever is asked by the span `spanId`. */
  headers(spanId = this.spanId): Record<string, string> {
    const flags = this.flags.toString(16).padStart(2, '0')
    const traceparent = `00-${this.traceId}-${spanId}-${flags}`
    const state = this.parent?.state ?? ''
    return state === '' ? { traceparent } : { traceparent, tracestate: state }
  }
}

export function newTraceId(): string {
  return randomHex(TRACE_BYTES)
}

export function newSpanId(): string {
  return randomHex(SPAN_BYTES)
}

/** Never all zero, which would be no name. */
function randomHex(bytes: number): string {
  for (;;) {
    if (next + bytes > pool.length) {
      randomFillSync(pool)
      next = 0
    }
    const text = pool.toString('hex', next, next + bytes)
    next += bytes
    if (/[^0]/.test(text)) return text
  }
}
