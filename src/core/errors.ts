/**
 * Everything that can go wrong by uwas's own judgement, and the way to throw it. The entries stand in
 * error-table/, one file for each folder of src/: message template, HTTP status, base class, and when it
 * happens. Users match on `code`.
 */
import { CACHE_ERRORS } from './error-table/cache.ts'
import { COMMANDS_ERRORS } from './error-table/commands.ts'
import { CORE_ERRORS } from './error-table/core.ts'
import type { ErrorEntry } from './error-table/entry.ts'
import { FILES_ERRORS } from './error-table/files.ts'
import { HTTP_ERRORS } from './error-table/http.ts'
import { MODEL_ERRORS } from './error-table/model.ts'
import { NATIVE_ERRORS } from './error-table/native.ts'
import { OBSERVE_ERRORS } from './error-table/observe.ts'
import { ROUTE_ERRORS } from './error-table/route.ts'
import { SERVER_ERRORS } from './error-table/server.ts'
import { SUPERVISOR_ERRORS } from './error-table/supervisor.ts'
import { TEMPLATE_ERRORS } from './error-table/template.ts'
import { WAS_ERRORS } from './error-table/was.ts'

/** Code → entry. Areas are the folders of `src/`. A code is never reused for another meaning. */
export const ERRORS = {
  ...CACHE_ERRORS,
  ...COMMANDS_ERRORS,
  ...CORE_ERRORS,
  ...FILES_ERRORS,
  ...HTTP_ERRORS,
  ...MODEL_ERRORS,
  ...NATIVE_ERRORS,
  ...OBSERVE_ERRORS,
  ...ROUTE_ERRORS,
  ...SERVER_ERRORS,
  ...SUPERVISOR_ERRORS,
  ...TEMPLATE_ERRORS,
  ...WAS_ERRORS,
} as const satisfies Record<`UWAS_ERR_${string}`, ErrorEntry>

/** What `code` of an error of uwas can be: a key of `ERRORS`. */
export type ErrorCode = keyof typeof ERRORS

/** The `{name}` places of a message template, as the keys that `createError` asks for. */
type Places<M extends string> = M extends `${string}{${infer K}}${infer Rest}`
  ? K | Places<Rest>
  : never

type Values<C extends ErrorCode> = {
  readonly [K in Places<(typeof ERRORS)[C]['message']>]: unknown
}

/** What every error of uwas carries besides its message. */
export interface CodedError extends Error {
  readonly code: ErrorCode
  /** HTTP status that answers the request in which it was thrown. */
  readonly status: number
}

const BASES = { Error, TypeError, RangeError }

/**
 * Makes (does not throw) the error of `code` with its message filled in.
 * `values` fills the places of the message; `cause` is what led to it, where there is such a thing.
 */
export function createError<C extends ErrorCode>(
  code: C,
  values: Values<C>,
  cause?: unknown,
): CodedError {
  const entry: ErrorEntry = ERRORS[code]
  const message = entry.message.replace(/\{(\w+)\}/g, (_, key: string) =>
    String((values as Record<string, unknown>)[key]),
  )
  const error = new BASES[entry.base](message, cause === undefined ? undefined : { cause })
  Error.captureStackTrace(error, createError)
  return Object.assign(error, { code, status: entry.status })
}

/** True for errors made by `createError`, of any copy of uwas in the process. */
export function isCodedError(value: unknown): value is CodedError {
  return (
    value instanceof Error &&
    typeof (value as { code?: unknown }).code === 'string' &&
    Object.hasOwn(ERRORS, (value as { code?: string }).code ?? '')
  )
}

/** The message with its code at the end of the first line, before source excerpts and lists. */
export function withCode({ message, code }: CodedError): string {
  const end = message.indexOf('\n')
  return end === -1
    ? `${message} [${code}]`
    : `${message.slice(0, end)} [${code}]${message.slice(end)}`
}
