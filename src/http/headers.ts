/** Field names and values by grammar (RFC 9110 section 5): what may be written to a socket. */
import { createError } from '../core/errors.ts'

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** VCHAR, obs-text as Latin-1, SP and HTAB; not at the ends (RFC 9110 section 5.5). */
const FIELD_VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/

/** Field names in their written form and values, in the order in which they are sent. */
export type HeaderList = [name: string, value: string][]

export function isToken(text: string): boolean {
  return TOKEN.test(text)
}

/** Throws UWAS_ERR_HTTP_HEADER_NAME or _VALUE unless the pair can be sent as it is. */
export function checkHeader(name: string, value: string): void {
  if (!TOKEN.test(name))
    throw createError('UWAS_ERR_HTTP_HEADER_NAME', { name: JSON.stringify(name) })
  if (!FIELD_VALUE.test(value)) throw createError('UWAS_ERR_HTTP_HEADER_VALUE', { name })
}

/** Written by the server itself, so that no reply can contradict its own framing. */
const OWNED = new Set([
  'content-length',
  'date',
  'connection',
  'transfer-encoding',
  'keep-alive',
  'upgrade',
])

/** As `checkHeader`, and UWAS_ERR_HTTP_HEADER_OWNED for a field that the server writes by itself. */
export function checkReplyHeader(name: string, value: string): void {
  checkHeader(name, value)
  if (OWNED.has(name.toLowerCase())) throw createError('UWAS_ERR_HTTP_HEADER_OWNED', { name })
}

/** Of which a reply has one each: two would be two answers to one question (RFC 9110 section 5.3), and HTTP/2 sends none. */
const SINGLE = new Set([
  'access-control-allow-credentials',
  'access-control-max-age',
  'age',
  'content-location',
  'content-range',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'location',
  'retry-after',
  'x-content-type-options',
])

/** Throws UWAS_ERR_HTTP_HEADER_TWICE for a field that a reply has once, and `list` has already. */
export function checkSingle(list: Readonly<HeaderList>, name: string): void {
  const lower = name.toLowerCase()
  if (SINGLE.has(lower) && list.some(([other]) => other.toLowerCase() === lower))
    throw createError('UWAS_ERR_HTTP_HEADER_TWICE', { name })
}

/**
 * Without spaces and tabs at its ends (OWS of RFC 9110 section 5.6.3), and no other white space. Not by a pattern: one
 * that looks for blanks at the end tries again from each blank of a run within.
 */
export function trimBlanks(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** Members of a comma-separated list without quoted strings, trimmed, lower-cased, empty ones dropped. */
export function parseTokenList(value: string): string[] {
  return value
    .split(',')
    .map((member) => member.trim().toLowerCase())
    .filter((member) => member !== '')
}

/**
 * A copy of `list` whose Vary names `field` too (RFC 9110 section 12.5.5); several Vary fields become
 * one, and `*` stays alone.
 */
export function withVary(list: Readonly<HeaderList>, field: string): HeaderList {
  const isVary = (name: string): boolean => name.toLowerCase() === 'vary'
  const members = list.flatMap(([name, value]) => (isVary(name) ? value.split(',') : []))
  const named = members.map((member) => member.trim()).filter((member) => member !== '')
  if (!named.some((member) => member.toLowerCase() === field.toLowerCase())) named.push(field)
  const others = list.filter(([name]) => !isVary(name))
  return [...others, ['Vary', named.includes('*') ? '*' : named.join(', ')]]
}
