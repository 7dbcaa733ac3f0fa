/**
 * What a request brings, held against a schema: its query, its path's parameters, its JSON. Any library that
 * speaks Standard Schema (https://standardschema.dev) will do, zod among them. Called by views.
 */
import { handled } from '../core/handled.ts'
import { HttpError } from '../http/http-error.ts'
import { type ProblemPlace, pointerOf } from '../http/problem.ts'
import type { Request } from '../http/request.ts'

/** A schema of any library: the part of Standard Schema (version 1) that is used here. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

/** What a schema says of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

/** One thing that is wrong with it. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/**
 * The query as the schema has it: a name that stands once is a text, one that stands several times a list of
 * texts; numbers are for the schema to make (`z.coerce.number()`). What does not fit is 400, with problem
 * details that name each parameter (RFC 9457).
 */
export function validQuery<T>(req: Request, schema: StandardSchema<T>): Promise<T> {
  const entries = [...new Set(req.query.keys())].map((name) => {
    const all = req.query.getAll(name)
    return [name, all.length === 1 ? all[0] : all] as const
  })
  // Own properties of any name: `__proto__` is one like the others.
  return handled(validate(Object.fromEntries(entries), schema, 400, parameterPlace))
}

/** The parameters of the route, beyond what its converters say. What does not fit is 400, as `validQuery`. */
export function validParams<T>(req: Request, schema: StandardSchema<T>): Promise<T> {
  return handled(validate({ ...req.params }, schema, 400, parameterPlace))
}

/**
 * The JSON body as the schema has it. What does not fit is 422, with a JSON pointer to each place; what is no
 * JSON rejects as `req.json()` does (400, 413, 415).
 */
export function validJson<T>(req: Request, schema: StandardSchema<T>): Promise<T> {
  return handled(req.json().then((value) => validate(value, schema, 422, bodyPlace)))
}

type PlaceOf = (path: readonly PropertyKey[]) => Omit<ProblemPlace, 'detail'>

const bodyPlace: PlaceOf = (path) => ({ pointer: pointerOf(path) })
const parameterPlace: PlaceOf = ([name]) => (name === undefined ? {} : { parameter: String(name) })

/** More of them help nobody, and one request could ask for as many as its body has values. */
const MAX_PLACES = 100

async function validate<T>(
  value: unknown,
  schema: StandardSchema<T>,
  status: number,
  placeOf: PlaceOf,
): Promise<T> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  const places = result.issues.slice(0, MAX_PLACES).map(({ message, path = [] }) => ({
    detail: message,
    ...placeOf(path.map((part) => (typeof part === 'object' ? part.key : part))),
  }))
  throw new HttpError(status, wordsOf(places), { places })
}

/** For clients that get a page: the first few, in a line. */
function wordsOf(places: readonly ProblemPlace[]): string {
  const shown = places.slice(0, 5).map(({ detail, pointer, parameter }) => {
    const place = parameter ?? pointer ?? ''
    return place === '' || place === '#' ? detail : `${place}: ${detail}`
  })
  return shown.join('; ') + (places.length > shown.length ? '; …' : '')
}
