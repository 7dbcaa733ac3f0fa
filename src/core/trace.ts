/**
 * How long each step of one request took. A request carries a `Trace` only when the site asked for
 * timings or traces, so every stage writes `req.trace?.add(…)`.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { isCodedError } from './errors.ts'
import { newSpanId, type TraceContext } from './trace-context.ts'

/** `part`: what the site itself has named, by `span()`. */
export type Step =
  | 'server'
  | 'middleware'
  | 'route'
  | 'view'
  | 'model'
  | 'transaction'
  | 'template'
  | 'part'
  | 'files'
  | 'reply'

/** One step of one request, as it was measured. */
export interface Span {
  readonly step: Step
  /** What exactly: the route's pattern, a statement's, template's or part's name; empty where there is nothing to add. */
  readonly detail: string
  /** Milliseconds since the request arrived. */
  readonly startMs: number
  readonly durationMs: number
  /** PostgreSQL's plan of a statement that took long, for any values, a line each: there a moment after its answer. */
  plan?: readonly string[]
  /** What else is known of a part, a transaction or a statement. */
  readonly more?: SpanDetails
}

/** For whoever tells others of a span. */
export interface SpanDetails {
  /** The part or transaction that it was in; null: the request alone. */
  readonly within: Part | null
  /** The part or transaction that it is; null: it has nothing in it. */
  readonly self?: Part
  /** Of a statement: its text, without values. */
  readonly sql?: string
  /** What it failed with: a code, an SQLSTATE, the name of a class. */
  readonly failure?: string | null
}

/** What one request, or some other work, has done, in the order in which it began: for tests. */
export interface Recording {
  /** Names. */
  readonly statements: string[]
  readonly templates: { readonly name: string; readonly data: object }[]
}

export type AttributeValue = string | number | boolean

/** Spans of one request that are kept: a stream may go on for days. */
const MAX_SPANS = 1000

/** Something of a request that has other things in it, while it goes on. */
export class Part {
  readonly trace: Trace
  readonly within: Part | null
  /** What the site has said of it; null: nothing. */
  attributes: Map<string, AttributeValue> | null
  /** What was too many. */
  droppedAttributes: number
  /** Whether it waits for another server. */
  readonly isClient: boolean
  #id: string

  constructor(trace: Trace, within: Part | null, isClient: boolean) {
    this.trace = trace
    this.within = within
    this.attributes = null
    this.droppedAttributes = 0
    this.isClient = isClient
    this.#id = ''
  }

  /** Names its span. */
  get id(): string {
    if (this.#id === '') this.#id = newSpanId()
    return this.#id
  }
}

const running = new AsyncLocalStorage<Part>()

/** Collects spans in the order in which they ended. Times are `performance.now()` values. */
export class Trace {
  readonly startedAt: number
  readonly spans: Span[] = []
  /** Null where nobody wants one. */
  recording: Recording | null = null
  /** The distributed trace that it is part of; null: of none. */
  readonly context: TraceContext | null
  /** Whether spans are kept. False where it is there for its context alone. */
  isRecording: boolean
  /** Spans that were too many. */
  dropped = 0
  /** When its reply was there; 0 until then. */
  repliedAt = 0
  /** What the request failed with; null: nothing that is the server's fault. */
  failure: string | null = null

  constructor(startedAt: number = performance.now(), context: TraceContext | null = null) {
    this.startedAt = startedAt
    this.context = context
    this.isRecording = true
  }

  /** Adds a step that began at `from` and ends now. */
  add(
    step: Step,
    from: number,
    detail = '',
    to: number = performance.now(),
    more?: SpanDetails,
  ): Span {
    const times = { step, detail, startMs: from - this.startedAt, durationMs: to - from }
    if (!this.isRecording) return times
    const within = more === undefined ? this.part : null
    const told = within === null ? more : { within }
    const span = told === undefined ? times : { ...times, more: told }
    if (this.spans.length < MAX_SPANS) this.spans.push(span)
    else this.dropped++
    return span
  }

  /** The reply is there, and begins to leave. */
  reply(): number {
    this.repliedAt = performance.now()
    return this.repliedAt
  }

  /** The innermost part that this code was called from, also after `await`; null: none. */
  get part(): Part | null {
    const part = running.getStore()
    return part?.trace === this ? part : null
  }

  /** The fields for whoever is asked by the code that calls this; null: it is part of no distributed trace. */
  headers(): Record<string, string> | null {
    const part = this.isRecording ? this.part : null
    return this.context?.headers(part?.id) ?? null
  }
}

/** What is known of a part besides its name. */
interface PartOptions {
  readonly step: 'part' | 'transaction'
  readonly name?: string
  readonly isClient?: boolean
}

/** Runs `work`, and adds how long it took; what it adds itself meanwhile is in it. Null: nobody wants to know. */
export function inPart<T>(
  trace: Trace | null,
  { step, name = '', isClient = false }: PartOptions,
  work: (part: Part | null) => T,
): T {
  if (trace === null || !trace.isRecording) return work(null)
  const part = new Part(trace, trace.part, isClient)
  const from = performance.now()
  const end = (failure: string | null): void => {
    trace.add(step, from, name, performance.now(), { within: part.within, self: part, failure })
  }
  let result: T
  try {
    result = running.run(part, work, part)
  } catch (error) {
    end(failureOf(error))
    throw error
  }
  if (!isThenable(result)) {
    end(null)
    return result
  }
  return Promise.resolve(result).then(
    (value) => {
      end(null)
      return value
    },
    (error) => {
      end(failureOf(error))
      throw error
    },
  ) as T
}

/** How traces name what went wrong: never by its words, which may have values in them. */
export function failureOf(error: unknown): string {
  if (isCodedError(error)) return error.code
  if (!(error instanceof Error)) return typeof error
  const { name } = error
  return typeof name === 'string' && /^[\w.$-]{1,100}$/.test(name) ? name : 'Error'
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  const isObject = typeof value === 'object' || typeof value === 'function'
  return isObject && value !== null && 'then' in value && typeof value.then === 'function'
}
