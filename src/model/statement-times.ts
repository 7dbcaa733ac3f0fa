/** Who hears how long statements took: metrics. Given to `createDatabase`, told by `query.ts`. */

export interface StatementTimes {
  /** The statement's name, and milliseconds from the moment in which it was sent to the one in which it had ended. */
  note(statement: string, ms: number, hasFailed: boolean): void
}
