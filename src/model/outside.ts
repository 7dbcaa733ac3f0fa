/** A way past the transaction that is open around: for what has to stay when that is undone. Used by sites. */
import type { Trace } from '../core/trace.ts'
import { DATABASE, Database } from './database.ts'
import type { Query } from './query.ts'
import type { RequestLike } from './statement.ts'

/** Made by `outside`; statements, streams and `atomic` take it like the database. */
export class Outside {
  readonly db: Database
  readonly trace: Trace | null

  constructor(db: Database, trace: Trace | null) {
    this.db = db
    this.trace = trace
  }

  /** For `statement.ts`. */
  submit(query: Query): void {
    this.db.submitOutside(query)
  }
}

/**
 * The database of a request, to use inside of an `atomic` on purpose: what is run on it does not see the
 * transaction's changes and stays when they are undone, as a log of attempts has to. On the request or the
 * database itself that is UWAS_ERR_MODEL_ESCAPED. It takes a second connection while the first is held.
 */
export function outside(on: RequestLike | Database): Outside {
  return on instanceof Database
    ? new Outside(on, null)
    : new Outside(on.services.get(DATABASE), on.trace)
}
