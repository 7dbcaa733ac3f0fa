/** What `uwas check` has found so far, and how a part of a site is looked at. Called by `check.ts` and `check-data.ts`. */
import { isCodedError, withCode } from '../core/errors.ts'
import { describeError } from '../core/log.ts'
import type { StaticReference } from './template-data/static-references.ts'

/** Collects what is found; the parts of a site are checked one after the other, all of them. */
export interface Findings {
  readonly problems: string[]
  readonly warnings: string[]
  /** What is right and worth a look. */
  readonly notes: string[]
  /** What was proved, for the summary: `12 routes`. */
  readonly proved: string[]
  /** Static files that templates and modules name. */
  readonly references: StaticReference[]
}

/** One part that fails as a whole is one problem; the others are still looked at. */
export async function part(findings: Findings, check: () => Promise<void> | void): Promise<void> {
  try {
    await check()
  } catch (error) {
    const problem = isCodedError(error) ? withCode(error) : describeError(error)
    // What the files are served with is looked at on its own, too.
    if (!findings.problems.includes(problem)) findings.problems.push(problem)
  }
}
