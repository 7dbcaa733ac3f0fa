/**
 * How long each step of one request took. A request carries a `Trace` only when the site asked for
 * timings, so every stage writes `req.trace?.add(…)`.
 */

export type Step =
  | 'server'
  | 'middleware'
  | 'route'
  | 'view'
  | 'model'
  | 'template'
  | 'files'
  | 'reply'

/** One step of one request, as it was measured. */
export interface Span {
  readonly step: Step
  /** What exactly: the route's pattern, a statement's or template's name; empty where there is nothing to add. */
  readonly detail: string
  /** Milliseconds since the request arrived. */
  readonly startMs: number
  readonly durationMs: number
  /** PostgreSQL's plan of a statement that took long, for any values, a line each: there a moment after its answer. */
  plan?: readonly string[]
}

/** What one request, or some other work, has done, in the order in which it began: for tests. */
export interface Recording {
  /** Names. */
  readonly statements: string[]
  readonly templates: { readonly name: string; readonly data: object }[]
}

/** Collects spans in the order in which they ended. Times are `performance.now()` values. */
export class Trace {
  readonly startedAt: number
  readonly spans: Span[] = []
  /** Null where nobody wants one. */
  recording: Recording | null = null

  constructor(startedAt: number = performance.now()) {
    this.startedAt = startedAt
  }

  /** Adds a step that began at `from` and ends now. */
  add(step: Step, from: number, detail = '', to: number = performance.now()): Span {
    const span = { step, detail, startMs: from - this.startedAt, durationMs: to - from }
    this.spans.push(span)
    return span
  }
}
