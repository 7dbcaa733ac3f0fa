/**
 * Counts reads of one statement for one request: a list whose rows each ask the database again (N+1) is
 * found in development, before it is slow in production. Called by `statement.ts`.
 */
import { createError } from '../core/errors.ts'

const MAX_READS = 10

export class Repeats {
  readonly #counts = new WeakMap<object, Map<string, number>>()

  /** Throws UWAS_ERR_MODEL_REPEATED from the eleventh read on. */
  note(req: object, statement: string): void {
    let counts = this.#counts.get(req)
    if (counts === undefined) {
      counts = new Map()
      this.#counts.set(req, counts)
    }
    const count = (counts.get(statement) ?? 0) + 1
    counts.set(statement, count)
    if (count > MAX_READS) throw createError('UWAS_ERR_MODEL_REPEATED', { statement, count })
  }
}
