/**
 * What PostgreSQL or the driver threw → the coded error of uwas. Called wherever SQL is run; users
 * ask `sqlStateOf` and `constraintOf` to tell expected failures from others.
 */
import { type CodedError, createError, isCodedError } from '../core/errors.ts'
import type { HeaderList } from '../http/headers.ts'

/** Sent with every 503 of the model: seconds after which a client may try again. */
const RETRY_AFTER: HeaderList = [['Retry-After', '1']]

/** Node's and postgres.js's codes that mean: no connection, or no longer. */
const CONNECTION_CODES = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'EACCES',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/** SQLSTATEs that end a connection or refuse one (PostgreSQL 18, appendix A). */
const CONNECTION_STATES = new Set(['57P01', '57P02', '57P03', '57P05', '53300', '25P03', '25P04'])

interface DriverError extends Error {
  readonly code?: unknown
  readonly constraint_name?: unknown
  readonly routine?: unknown
}

/**
 * The SQLSTATE behind an error of the model, or undefined: `'23505'` is a unique violation.
 * Looks through causes. PostgreSQL 18, appendix A.
 */
export function sqlStateOf(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code, name } = each as DriverError
    if (name === 'PostgresError' && typeof code === 'string') return code
  }
  return undefined
}

/** The name of the constraint that a statement violated, or undefined. Looks through causes. */
export function constraintOf(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { constraint_name: name } = each as DriverError
    if (typeof name === 'string') return name
  }
  return undefined
}

/** True when a transaction that failed with `error` may succeed when it is run again. */
export function isConflict(error: unknown): boolean {
  if (isCommitUnknown(error)) return false
  const state = sqlStateOf(error)
  return state === '40001' || state === '40P01' || isStalePlan(error)
}

function isCommitUnknown(error: unknown): boolean {
  return isCodedError(error) && error.code === 'UWAS_ERR_MODEL_COMMIT_UNKNOWN'
}

/** True when the schema has changed under a prepared statement, which is made anew when it is next run. */
function isStalePlan(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code, routine } = each as DriverError
    if (code === '0A000' && routine === 'RevalidateCachedQuery') return true
  }
  return false
}

/** True when the server has refused a write: a standby, or what a failover has left of the old primary. */
export function isRefusedWrite(error: unknown): boolean {
  return sqlStateOf(error) === '25006'
}

/** True when `error` says that the connection is gone, or was refused. */
export function isConnectionFailure(error: unknown): boolean {
  if (isCodedError(error)) return error.code === 'UWAS_ERR_MODEL_UNAVAILABLE'
  if (!(error instanceof Error)) return false
  const { code } = error as DriverError
  if (typeof code !== 'string') return false
  return CONNECTION_CODES.has(code) || CONNECTION_STATES.has(code) || code.startsWith('08')
}

/** UWAS_ERR_MODEL_UNAVAILABLE (503, Retry-After). */
export function unavailable(where: string, problem: string, cause?: unknown): CodedError {
  return withRetryAfter(createError('UWAS_ERR_MODEL_UNAVAILABLE', { where, problem }, cause))
}

/** UWAS_ERR_MODEL_BUSY (503, Retry-After). */
export function busy(problem: string): CodedError {
  return withRetryAfter(createError('UWAS_ERR_MODEL_BUSY', { problem }))
}

/** UWAS_ERR_MODEL_COMMIT_UNKNOWN (503; no Retry-After, since a blind retry may do the work twice). */
export function commitUnknown(what: string, cause: unknown): CodedError {
  return createError('UWAS_ERR_MODEL_COMMIT_UNKNOWN', { what }, cause)
}

/**
 * The coded error for what `what` (a statement by name, a transaction) threw: UNAVAILABLE, TIMEOUT,
 * CONFLICT, LOCKED, READ_ONLY (unless the transaction wants to be), UNFIT or QUERY; coded errors pass unchanged.
 */
export function translate(
  error: unknown,
  what: string,
  where: string,
  wantsReadOnly = false,
): CodedError {
  if (isCodedError(error)) return error
  const problem = problemOf(error)
  if (isConnectionFailure(error)) return unavailable(where, problem, error)
  const sqlState = sqlStateOf(error) ?? 'unknown'
  if (sqlState === '57014') {
    return withRetryAfter(createError('UWAS_ERR_MODEL_TIMEOUT', { what, problem }, error))
  }
  if (isConflict(error)) return conflict(what, 1, error)
  if (sqlState === '55P03') return createError('UWAS_ERR_MODEL_LOCKED', { what, problem }, error)
  if (isRefusedWrite(error) && !wantsReadOnly) {
    return withRetryAfter(createError('UWAS_ERR_MODEL_READ_ONLY', { what, where, problem }, error))
  }
  if (isUnfit(error)) return unfit(what, problem, error)
  return createError('UWAS_ERR_MODEL_QUERY', { what, problem, sqlState }, error)
}

/**
 * UWAS_ERR_MODEL_UNFIT (400): a value that a client may have chosen (an id beyond `integer`, U+0000) is none that the
 * column can hold. Whose fault that is nobody can tell, but the request is what has to change.
 */
export function unfit(what: string, problem: string, cause: unknown): CodedError {
  return createError('UWAS_ERR_MODEL_UNFIT', { what, problem }, cause)
}

/**
 * A data exception (class 22) while a parameter was read: then a line of its context says `unnamed portal parameter $1`,
 * in whatever language the server speaks. The same from within the SQL is a mistake of its own.
 */
function isUnfit(error: unknown): boolean {
  if (sqlStateOf(error)?.startsWith('22') !== true) return false
  const { where } = error as { where?: unknown }
  return typeof where === 'string' && /^[^"\n]*\$\d/m.test(where)
}

/** UWAS_ERR_MODEL_CONFLICT (503, Retry-After) after `attempts` runs; `cause` is the last failure. */
export function conflict(what: string, attempts: number, cause: unknown): CodedError {
  const sqlState = sqlStateOf(cause)
  const problem = problemOf(isCodedError(cause) ? cause.cause : cause)
  return withRetryAfter(
    createError('UWAS_ERR_MODEL_CONFLICT', { what, attempts, problem, sqlState }, cause),
  )
}

/** The message of an error; for refused connections (AggregateError) those of its parts. */
export function problemOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(problemOf).join('; ')
  }
  return error instanceof Error ? error.message : String(error)
}

function withRetryAfter(error: CodedError): CodedError {
  return Object.assign(error, { headers: RETRY_AFTER })
}
