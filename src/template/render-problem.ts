/** What generated code is, and how it fails. Used by `runtime.ts` and what that is made of. */
import type { Stack } from './lookup.ts'

/** A template, or a part of one, as a function of the contexts around it. */
export type RenderUnit = (
  context: unknown,
  outer: Stack | null,
  indent: string,
  depth: number,
) => string

/** A failure that `program.ts` reports with template and line. */
export class RenderProblem extends Error {
  readonly what: 'RECURSION' | 'PROMISE' | 'UNKNOWN_NAME' | 'CACHED' | 'CHOSEN' | 'LAMBDA'
  readonly values: Readonly<Record<string, unknown>>

  constructor(what: RenderProblem['what'], values: Readonly<Record<string, unknown>> = {}) {
    super(what)
    this.what = what
    this.values = values
  }
}
