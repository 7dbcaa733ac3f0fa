/**
 * Types of ranges and multiranges. Called by sites as `pg.range(pg.int)`, `pg.multirange(pg.date)`.
 */
import {
  type Range,
  readMultirange,
  readRange,
  type TextRange,
  writeMultirange,
  writeRange,
} from './range.ts'
import type { Type } from './types.ts'

/** PostgreSQL's own range types by what they are of, with their oids. */
interface Family {
  /** Before `range` and `multirange`; null for the site's own. */
  readonly sql: string | null
  readonly range: readonly number[]
  readonly multirange: readonly number[]
}

const RANGES: Readonly<Record<string, Family>> = {
  int: { sql: 'int8', range: [3904, 3926], multirange: [4451, 4536] },
  bigint: { sql: 'int8', range: [3904, 3926], multirange: [4451, 4536] },
  numeric: { sql: 'num', range: [3906], multirange: [4532] },
  timestamp: { sql: 'ts', range: [3908], multirange: [4533] },
  timestamptz: { sql: 'tstz', range: [3910], multirange: [4534] },
  date: { sql: 'date', range: [3912], multirange: [4535] },
}

/** Of the array type of each range and multirange type. */
const ARRAY_OF: ReadonlyMap<number, number> = new Map([
  [3904, 3905],
  [3926, 3927],
  [3906, 3907],
  [3908, 3909],
  [3910, 3911],
  [3912, 3913],
  [4451, 6150],
  [4532, 6151],
  [4533, 6152],
  [4534, 6153],
  [4535, 6155],
  [4536, 6157],
])

/** int4range, int8range, numrange, tsrange, tstzrange, daterange, and range types of the site's own. */
export function range<T>(type: Type<T>): Type<Range<T>> {
  const { sql, range: oids } = familyOf(type)
  return {
    ...rangeLike(`range(${type.name})`, oids, sql === null ? null : `${sql}range`),
    encode: (value) => writeRange(textRange(type, value)),
    decode: (value) => valueRange(type, readRange(value)),
  }
}

/** The multirange types of the same: what several ranges cover together. */
export function multirange<T>(type: Type<T>): Type<Range<T>[]> {
  const { sql, multirange: oids } = familyOf(type)
  return {
    ...rangeLike(`multirange(${type.name})`, oids, sql === null ? null : `${sql}multirange`),
    encode(value) {
      if (!Array.isArray(value)) throw new TypeError('expected is an array of ranges')
      return writeMultirange(value.map((each) => textRange(type, each)))
    },
    decode: (value) => readMultirange(value).map((each) => valueRange(type, each)),
  }
}

function familyOf({ name, nullable }: Type<unknown>): Family {
  if (nullable)
    throw new TypeError(
      'a bound that is null is one without end; the type of bounds is not nullable',
    )
  return RANGES[name] ?? { sql: null, range: [], multirange: [] }
}

function rangeLike(name: string, oids: readonly number[], sqlType: string | null) {
  return {
    name,
    nullable: false,
    columns: oids,
    params: oids,
    arrayOids: oids.map((oid) => ARRAY_OF.get(oid) as number),
    sqlType,
    element: null,
    choices: null,
    cell: 'other' as const,
  }
}

function textRange<T>(type: Type<T>, value: Range<T>): TextRange {
  if (value === 'empty') return value
  if (typeof value !== 'object' || value === null)
    throw new TypeError('expected is a range { lower, upper }')
  const { lower, upper, ...rest } = value
  if (lower === undefined || upper === undefined) {
    throw new TypeError('expected is a range { lower, upper }; null is a bound without end')
  }
  const bound = (each: T | null) => (each === null ? null : type.encode(each))
  return { lower: bound(lower), upper: bound(upper), ...rest }
}

function valueRange<T>(type: Type<T>, text: TextRange): Range<T> {
  if (text === 'empty') return text
  const bound = (each: string | null) => (each === null ? null : type.decode(each))
  return { ...text, lower: bound(text.lower), upper: bound(text.upper) }
}
