/**
 * Converters turn the text of a `<converter:name>` part into a value and back. No regular expression
 * runs on a request's path; a text that is not the one canonical spelling of a value does not match,
 * so that each page has one URL.
 */

/**
 * `parse` gets the decoded text, never empty. It returns `undefined` for "no match"; what it throws is
 * a bug of the converter and answers the request with 500. `format` is its inverse: `parse(format(v))`
 * must give `v` again.
 */
export interface Converter<T> {
  parse(text: string): T | undefined
  format(value: T): string
  /**
   * All characters that a text of this converter can hold. Only a parameter with an alphabet may be
   * followed by another one in the same segment: `<int:year>-<int:month>`. Default: any but `/`.
   */
  readonly alphabet?: string
  /** True: takes all the rest of the path, slashes included. Only as the last, whole segment. */
  readonly rest?: boolean
}

/** Name → converter, as `converters` of a path or a URL conf takes them. */
export type Converters = Readonly<Record<string, Converter<unknown>>>

/** The type of the values that a converter makes. */
export type ConverterValue<C> = C extends { parse(text: string): infer T }
  ? Exclude<T, undefined>
  : never

/** Makes the compiler see that each `format` takes what its `parse` gives. */
export type ConsistentConverters<C> = { readonly [K in keyof C]: Converter<ConverterValue<C[K]>> }

const DIGITS = '0123456789'
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
const SLUG_ALPHABET = `${DIGITS}${LETTERS}${LETTERS.toUpperCase()}-_`
const UUID_ALPHABET = `${DIGITS}abcdef-`
/** Digits of `Number.MAX_SAFE_INTEGER`. */
const MAX_INT_DIGITS = 16

/**
 * - `int`: decimal digits, no sign, no leading zero (`007` is no match), at most 2⁵³ − 1 → number.
 * - `str`: anything but `/`.
 * - `slug`: ASCII letters, digits, `-` and `_`.
 * - `uuid`: 8-4-4-4-12 hexadecimal digits in lower case (RFC 9562 section 4); upper case is no match,
 *   and `reverse` writes it in lower case.
 * - `path`: the rest of the path, slashes included; the last segment of its pattern only.
 */
export const BUILT_IN_CONVERTERS = {
  int: { parse: parseInteger, format: (value) => String(value), alphabet: DIGITS },
  str: { parse: (text) => text, format: (value) => value },
  slug: { parse: parseSlug, format: (value) => value, alphabet: SLUG_ALPHABET },
  uuid: { parse: parseUuid, format: (value) => value.toLowerCase(), alphabet: UUID_ALPHABET },
  path: { parse: (text) => text, format: (value) => value, rest: true },
} as const satisfies {
  int: Converter<number>
  str: Converter<string>
  slug: Converter<string>
  uuid: Converter<string>
  path: Converter<string>
}

export type BuiltInConverters = typeof BUILT_IN_CONVERTERS

function parseInteger(text: string): number | undefined {
  const { length } = text
  if (length > MAX_INT_DIGITS || (length > 1 && text.charCodeAt(0) === 48)) return undefined
  let value = 0
  for (let i = 0; i < length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined
}

function parseSlug(text: string): string | undefined {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const fits = isDigit(code) || isLetter(code) || code === 45 || code === 95
    if (!fits) return undefined
  }
  return text
}

function parseUuid(text: string): string | undefined {
  if (text.length !== 36) return undefined
  for (let i = 0; i < 36; i++) {
    const code = text.charCodeAt(i)
    const dash = i === 8 || i === 13 || i === 18 || i === 23
    if (dash ? code !== 45 : !isDigit(code) && !(code >= 97 && code <= 102)) return undefined
  }
  return text
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
}
