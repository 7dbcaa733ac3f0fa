/** PostgreSQL's ErrorResponse and NoticeResponse → an Error with its fields (PostgreSQL 18, section 54.8). */

/** Codes of the fields, and what they are called here: as the driver postgres.js calls them. */
const FIELDS: Readonly<Record<string, keyof ServerFields>> = {
  V: 'severity',
  C: 'code',
  M: 'message',
  D: 'detail',
  H: 'hint',
  P: 'position',
  W: 'where',
  s: 'schema_name',
  t: 'table_name',
  c: 'column_name',
  n: 'constraint_name',
  R: 'routine',
}

export interface ServerFields {
  severity?: string
  /** SQLSTATE. */
  code?: string
  message?: string
  detail?: string
  hint?: string
  /** Where in the SQL text, in characters from 1. */
  position?: string
  where?: string
  schema_name?: string
  table_name?: string
  column_name?: string
  constraint_name?: string
  routine?: string
}

/** What PostgreSQL itself refused. `code` is the SQLSTATE. */
export class ServerError extends Error {
  // The name under which the driver's own errors of this kind are known to sites.
  override readonly name = 'PostgresError'
  declare readonly code: string
  declare readonly severity: string | undefined
  declare readonly routine: string | undefined

  constructor(fields: ServerFields) {
    super(fields.message)
    Object.assign(this, fields)
  }
}

/** Reads the fields between `at` and `end`; unknown ones are left out. */
export function readFields(buffer: Buffer, at: number, end: number): ServerFields {
  const fields: ServerFields = {}
  let from = at
  while (from < end && buffer[from] !== 0) {
    const stop = buffer.indexOf(0, from + 1)
    if (stop < 0 || stop >= end) break
    const name = FIELDS[String.fromCharCode(buffer[from] as number)]
    if (name !== undefined) fields[name] = buffer.toString('utf8', from + 1, stop)
    from = stop + 1
  }
  return fields
}

export function isFatal(error: ServerError): boolean {
  const { severity } = error
  return severity === 'FATAL' || severity === 'PANIC'
}

/**
 * A statement that is gone, or whose plan is no longer that of its text. What else PostgreSQL or a function
 * of the site does not support has the same SQLSTATE, and may have returned rows or had effects already.
 */
export function isStale({ code, routine }: ServerError): boolean {
  return code === '26000' || (code === '0A000' && routine === 'RevalidateCachedQuery')
}
