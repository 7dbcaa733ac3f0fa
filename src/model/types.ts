/**
 * PostgreSQL types as values: what a statement's parameters and columns are declared with. Each knows
 * its TypeScript type, how a value is checked and written as PostgreSQL's text form, how that text is
 * read, and which type ids (pg_type.oid) it stands for. Called by `statement.ts` and `warm.ts`; sites
 * write `types.int`, `types.nullable(types.text)`, `types.json<Settings>()`.
 */
import { readArray, type TextItem, writeArray } from './array.ts'
import type { CellKind } from './cells.ts'
import { readDate, readLocalTimestamp, readTimestamp } from './timestamp.ts'
import { Unfit } from './unfit.ts'

export type { Range } from './range.ts'
// biome-ignore lint/performance/noBarrelFile: sites have all types under one name, pg
export { multirange, range } from './range-types.ts'

/** `T` is the value in TypeScript; `null` only inside `nullable`. */
export interface Type<T> {
  /** As in messages: `int`, `nullable(text)`, `array(uuid)`. */
  readonly name: string
  readonly nullable: boolean
  /** Column types it reads, by oid; null = every type that is not listed as another's. */
  readonly columns: readonly number[] | null
  /** Parameter types it may be sent for, by oid; null = every type. */
  readonly params: readonly number[] | null
  /** The oid of an array of it; 0 when there is none to tell. */
  readonly arrayOids: readonly number[]
  /** The SQL type that a new column of it gets; null where there is none to tell. */
  readonly sqlType: string | null
  /** What an array holds; null for all else. */
  readonly element: Type<unknown> | null
  /** The only texts it has; null for all else. */
  readonly choices: readonly string[] | null
  /** How its cells are read: by `decode`, or by a quicker way to the same value. */
  readonly cell: CellKind
  /** The text form, or null for null. Throws TypeError with what was expected. */
  encode(value: T): string | null
  /** Reads the text form. Throws when the value has no place in `T`. */
  decode(text: string): T
}

// biome-ignore lint/suspicious/noExplicitAny: a shape holds types of any value
export type Shape = { readonly [key: string]: Type<any> }

/** The object that a shape describes: `{ id: int, title: text }` is `{ id: number, title: string }`. */
export type ValuesOf<S extends Shape> = {
  -readonly [K in keyof S]: S[K] extends Type<infer T> ? T : never
}

/** Oids below this belong to PostgreSQL itself; enums, domains and extensions come above. */
export const FIRST_USER_OID = 16384

/** `int` may be any whole number column; a new one gets room. */
const SQL_TYPES: Readonly<Record<string, string>> = {
  int: 'bigint',
  bigint: 'bigint',
  numeric: 'numeric',
  float: 'double precision',
  text: 'text',
  bool: 'boolean',
  timestamptz: 'timestamptz',
  timestamp: 'timestamp',
  date: 'date',
  uuid: 'uuid',
  bytea: 'bytea',
  json: 'jsonb',
}

const WHOLE = [21, 23, 20, 26]
const NUMBERS = [...WHOLE, 700, 701, 1700]

/** smallint, integer, and bigint columns whose values stay below 2^53; a larger one is an error. */
export const int: Type<number> = plain(
  'int',
  WHOLE,
  NUMBERS,
  [1005, 1007, 1016, 1028],
  {
    encode(value) {
      if (!Number.isSafeInteger(value)) throw expected('a whole number', value)
      return String(value)
    },
    decode(text) {
      const value = Number(text)
      if (!Number.isSafeInteger(value)) throw new RangeError(`${text} does not fit int; use bigint`)
      return value
    },
  },
  'int',
)

/** bigint and smaller, with every digit, as a JavaScript `bigint`. */
export const bigint: Type<bigint> = plain('bigint', WHOLE, [...WHOLE, 1700], [1005, 1007, 1016], {
  encode(value) {
    if (typeof value !== 'bigint') throw expected('a bigint', value)
    return String(value)
  },
  decode: BigInt,
})

const NUMERIC = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$|^NaN$|^[+-]?Infinity$/i

/** numeric (and whole numbers) as text, so that every digit stays: `'0.10'`. */
export const numeric: Type<string> = plain(
  'numeric',
  [1700, ...WHOLE],
  NUMBERS,
  [1231, 1016],
  {
    encode(value) {
      if (typeof value !== 'string' || !NUMERIC.test(value)) throw expected('digits as text', value)
      return value
    },
    decode: (text) => text,
  },
  'text',
)

/** real and double precision. */
export const float: Type<number> = plain('float', [700, 701], [700, 701, 1700], [1021, 1022], {
  encode(value) {
    if (typeof value !== 'number') throw expected('a number', value)
    return Object.is(value, -0) ? '-0' : String(value)
  },
  decode: Number,
})

/** text, varchar, char, enums, and every other type in PostgreSQL's own text form. */
export const text: Type<string> = plain(
  'text',
  null,
  null,
  [1009, 1015, 1014],
  {
    encode(value) {
      if (typeof value !== 'string') throw expected('a string', value)
      if (value.includes('\0')) throw new Unfit('PostgreSQL text cannot hold the character U+0000')
      return value
    },
    decode: (value) => value,
  },
  'text',
)

export const bool: Type<boolean> = plain(
  'bool',
  [16],
  [16],
  [1000],
  {
    encode(value) {
      if (typeof value !== 'boolean') throw expected('true or false', value)
      return value ? 't' : 'f'
    },
    decode: (value) => value === 't',
  },
  'bool',
)

/** timestamptz as `Date` (milliseconds; finer digits are cut off). `infinity` is an error. */
export const timestamptz: Type<Date> = plain('timestamptz', [1184], [1184], [1185], {
  encode(value) {
    if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw expected('a Date', value)
    const year = value.getUTCFullYear()
    if (year < 1) throw new TypeError('a Date before the year 1 cannot be sent')
    return value.toISOString().replace(/^\+0*/, '')
  },
  decode: readTimestamp,
})

/**
 * timestamp without time zone as text `2026-01-31 09:30:00.123456`: what a clock on a wall shows, so that a
 * `Date`, which is a moment, cannot hold it. A text with a zone is an error: PostgreSQL would drop it.
 */
export const timestamp: Type<string> = plain(
  'timestamp',
  [1114],
  [1114],
  [1115],
  {
    encode(value) {
      if (typeof value !== 'string') throw expected('text like 2026-01-31 09:30:00', value)
      return readLocalTimestamp(value)
    },
    decode: (value) => value,
  },
  'text',
)

/** date as text `YYYY-MM-DD`: a day has no time zone, a `Date` would. */
export const date: Type<string> = plain(
  'date',
  [1082],
  [1082, 1114, 1184],
  [1182],
  {
    encode(value) {
      if (typeof value !== 'string') throw expected('text like 2026-01-31', value)
      return readDate(value)
    },
    decode: (value) => value,
  },
  'text',
)

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i

export const uuid: Type<string> = plain(
  'uuid',
  [2950],
  [2950],
  [2951],
  {
    encode(value) {
      if (typeof value !== 'string' || !UUID.test(value)) throw expected('a UUID', value)
      return value
    },
    decode: (value) => value,
  },
  'text',
)

/** bytea. The bytes read are the caller's own copy. */
export const bytea: Type<Uint8Array> = plain('bytea', [17], [17], [1001], {
  encode(value) {
    if (!(value instanceof Uint8Array)) throw expected('a Uint8Array', value)
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  },
  decode(value) {
    if (!value.startsWith('\\x')) throw new TypeError('bytea_output must be hex')
    return new Uint8Array(Buffer.from(value.slice(2), 'hex'))
  },
})

/** json and jsonb. `T` is believed, not checked. The JSON value null is `null` of `T`. */
export function json<T = unknown>(): Type<T> {
  return plain<T>('json', [114, 3802], [114, 3802], [199, 3807], {
    encode(value) {
      const written = JSON.stringify(value) as string | undefined
      if (written === undefined) throw expected('a value that JSON can hold', value)
      return written
    },
    decode: (value) => JSON.parse(value) as T,
  })
}

/** A column that holds one of these texts: an enum, or text with a check. Another text is an error both ways. */
export function oneOf<const T extends string>(...values: readonly T[]): Type<T> {
  const checked = (value: string): T => {
    if (values.includes(value as T)) return value as T
    throw new TypeError(`expected is one of ${values.join(', ')}, not another text`)
  }
  return {
    ...text,
    name: `oneOf(${values.join(', ')})`,
    // What type it has in the schema, an enum's name or text, is for the column to say.
    sqlType: null,
    choices: values,
    cell: 'other',
    encode(value) {
      if (typeof value !== 'string') throw expected('a string', value)
      return checked(value)
    },
    decode: checked,
  }
}

/** SQL NULL as `null`. Without it a NULL in a column is an error. */
export function nullable<T>(type: Type<T>): Type<T | null> {
  return {
    ...type,
    name: `nullable(${type.name})`,
    nullable: true,
    encode: (value) => (value === null ? null : type.encode(value)),
  }
}

/**
 * An array of `type`; elements may be NULL when `type` is nullable. `array(array(int))` has two dimensions: as
 * PostgreSQL has it, all inner arrays are of one length, which is not 0, and none is NULL.
 */
export function array<T>(type: Type<T>): Type<T[]> {
  if (type.element !== null && type.nullable) {
    throw new TypeError('PostgreSQL has no arrays with inner arrays that are NULL')
  }
  const isNested = type.element !== null
  return {
    name: `array(${type.name})`,
    nullable: false,
    // One array type has all dimensions.
    columns: isNested ? type.columns : type.arrayOids,
    params: isNested ? type.params : type.arrayOids,
    arrayOids: [],
    sqlType: type.sqlType === null || isNested ? type.sqlType : `${type.sqlType}[]`,
    element: type as Type<unknown>,
    choices: null,
    cell: 'other',
    encode: (value) => writeArray(itemsOf(type, value)),
    decode: (value) => readArray(value).map((item) => decodeItem(type, item)),
  }
}

/** The text forms of an array's elements. Throws TypeError for what PostgreSQL has no array for. */
function itemsOf(type: Type<unknown>, value: unknown): TextItem[] {
  if (!Array.isArray(value)) throw expected('an array', value)
  const { element } = type
  if (element === null) return value.map((item) => encodeItem(type, item))
  const items = value.map((inner) => itemsOf(element, inner))
  const shape = shapeOf(items[0])
  if (items.some((inner) => inner.length === 0 || shapeOf(inner) !== shape)) {
    throw new TypeError('expected are inner arrays of one length, which is not 0')
  }
  return items
}

/** The lengths of an array and of the first of those inside: `2x3`. */
function shapeOf(item: TextItem | undefined): string {
  return typeof item === 'object' && item !== null ? `${item.length}x${shapeOf(item[0])}` : ''
}

function encodeItem<T>(type: Type<T>, item: T): string | null {
  if (item === undefined || (item === null && !type.nullable)) {
    throw expected(`elements of type ${type.name}`, item)
  }
  return type.encode(item)
}

function decodeItem<T>(type: Type<T>, item: TextItem): T {
  const { element } = type
  if (element !== null) {
    if (item === null || typeof item === 'string') {
      throw new TypeError('the array has fewer dimensions than its type')
    }
    return item.map((inner) => decodeItem(element, inner)) as T
  }
  if (typeof item === 'string') return type.decode(item)
  if (item !== null) throw new TypeError('the array has more dimensions; use array(array(…))')
  if (!type.nullable) throw new TypeError('an element is NULL; use array(nullable(…))')
  return null as T
}

function plain<T>(
  name: string,
  columns: readonly number[] | null,
  params: readonly number[] | null,
  arrayOids: readonly number[],
  code: Pick<Type<T>, 'encode' | 'decode'>,
  cell: CellKind = 'other',
): Type<T> {
  const sqlType = SQL_TYPES[name] ?? null
  return {
    name,
    nullable: false,
    columns,
    params,
    arrayOids,
    sqlType,
    element: null,
    choices: null,
    cell,
    ...code,
  }
}

/** Names the kind of a wrong value, never the value: it may be a secret. */
function expected(what: string, value: unknown): TypeError {
  return new TypeError(`expected is ${what}, not ${kindOf(value)}`)
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Number.isNaN(value)) return 'NaN'
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return `the number ${value}`
  if (typeof value === 'object') return value.constructor?.name ?? 'an object'
  return typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`
}
