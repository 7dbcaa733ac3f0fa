/**
 * Knows which requests are inside an `atomic` of theirs. A statement that is run on such a request would
 * use another connection: it would not see the transaction's changes, and stay when they are undone. So
 * it is refused. Called by `atomic.ts` and `statement.ts`.
 */
import { createError } from '../core/errors.ts'

const open = new WeakMap<object, number>()
/** Nearly always 0, and then nothing else is looked at. */
let openCount = 0

/** `on` is a request: nothing else can be mistaken for its transaction. Call the result at the end. */
export function enterTransaction(on: object): () => void {
  open.set(on, (open.get(on) ?? 0) + 1)
  openCount++
  return () => {
    openCount--
    open.set(on, (open.get(on) ?? 1) - 1)
  }
}

/** Throws UWAS_ERR_MODEL_ESCAPED when `on` is a request whose `atomic` is not over. */
export function refuseEscape(on: object, what: string): void {
  if (openCount === 0 || (open.get(on) ?? 0) === 0) return
  throw createError('UWAS_ERR_MODEL_ESCAPED', { what })
}
