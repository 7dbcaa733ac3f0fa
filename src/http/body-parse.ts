/**
 * Bodies as values: JSON and HTML forms, within bounds that no honest client meets and a hostile one must
 * not pass. Called by `request.ts`.
 */
import { createError } from '../core/errors.ts'

/** Nesting, and values in all, of one JSON text. */
const MAX_JSON_DEPTH = 100
const MAX_JSON_VALUES = 100_000
/** Fields of one form (Django's default). */
const MAX_FORM_FIELDS = 1000

const UTF8 = new TextDecoder('utf-8', { fatal: true })

export function decodeUtf8(body: Uint8Array, type: string): string {
  try {
    return UTF8.decode(body)
  } catch (error) {
    throw malformed(type, 'it is not UTF-8', error)
  }
}

/**
 * The media type of a Content-Type has to match, and its charset, if it names one, has to be UTF-8.
 * Throws UWAS_ERR_HTTP_BODY_TYPE (415).
 */
export function expectType(value: string | undefined, expected: string, pattern: RegExp): void {
  const [type = '', ...parameters] = (value ?? '').split(';')
  const name = type.trim().toLowerCase()
  if (!pattern.test(name)) {
    throw createError('UWAS_ERR_HTTP_BODY_TYPE', {
      type: name === '' ? 'of no type' : name,
      expected,
    })
  }
  for (const parameter of parameters) {
    const charset = /^\s*charset\s*=\s*"?([^\s"]*)"?\s*$/i.exec(parameter)?.[1]
    if (charset === undefined || /^utf-?8$|^us-ascii$/i.test(charset)) continue
    throw createError('UWAS_ERR_HTTP_BODY_TYPE', { type: `in ${charset}`, expected: 'UTF-8' })
  }
}

/**
 * JSON within bounds. Of a key that stands twice the last value counts, as JSON.parse has it; the keys
 * `__proto__` and `constructor.prototype` are refused, because they end in prototypes where objects are
 * merged. Throws UWAS_ERR_HTTP_BODY_MALFORMED (400), UWAS_ERR_HTTP_BODY_BOUND (413).
 */
export function parseJson(source: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch (error) {
    throw malformed('JSON', (error as Error).message, error)
  }
  if (isSuspicious(source)) checkJson(value)
  return value
}

/** The fields of an HTML form. Throws UWAS_ERR_HTTP_BODY_BOUND (413), UWAS_ERR_HTTP_BODY_MALFORMED (400) for what is not UTF-8. */
export function parseForm(source: string): URLSearchParams {
  let count = 1
  for (let at = source.indexOf('&'); at !== -1; at = source.indexOf('&', at + 1)) {
    if (++count > MAX_FORM_FIELDS) throw beyond('fields', MAX_FORM_FIELDS)
  }
  const fields = new URLSearchParams(source)
  if (source.includes('%')) checkEscapes(source)
  return fields
}

/** URLSearchParams makes U+FFFD of bytes that are not UTF-8; then another text would be kept than was sent. */
function checkEscapes(source: string): void {
  for (const [run] of source.matchAll(/(?:%[89a-f][0-9a-f])(?:%[0-9a-f]{2})*/gi)) {
    try {
      decodeURIComponent(run)
    } catch (error) {
      throw malformed('application/x-www-form-urlencoded', 'it is not UTF-8', error)
    }
  }
}

/** Whether a text could pass a bound at all: nearly none could, and nobody walks its values then. */
function isSuspicious(source: string): boolean {
  if (source.length > MAX_JSON_VALUES || source.includes('\\u')) return true
  if (source.includes('__proto__') || source.includes('"constructor"')) return true
  let openers = 0
  for (let i = 0; i < source.length; i++) {
    const code = source.charCodeAt(i)
    if ((code === 0x5b || code === 0x7b) && ++openers > MAX_JSON_DEPTH) return true
  }
  return false
}

/** Level by level, so that no depth of the input is a depth of the stack. */
function checkJson(root: unknown): void {
  let count = 0
  let level: unknown[] = [root]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_JSON_DEPTH) throw beyond('levels', MAX_JSON_DEPTH)
    count += level.length
    if (count > MAX_JSON_VALUES) throw beyond('values', MAX_JSON_VALUES)
    const below: unknown[] = []
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue
      if (!Array.isArray(value)) refusePrototypes(value)
      for (const item of Object.values(value)) below.push(item)
    }
    level = below
  }
}

function refusePrototypes(value: object): void {
  const isForged =
    Object.hasOwn(value, '__proto__') ||
    (Object.hasOwn(value, 'constructor') &&
      Object.hasOwn(Object((value as { constructor: unknown }).constructor), 'prototype'))
  if (isForged) throw malformed('JSON', 'a key names a prototype')
}

function malformed(type: string, problem: string, cause?: unknown): Error {
  return createError('UWAS_ERR_HTTP_BODY_MALFORMED', { type, problem }, cause)
}

function beyond(what: string, limit: number): Error {
  return createError('UWAS_ERR_HTTP_BODY_BOUND', { what, limit })
}
