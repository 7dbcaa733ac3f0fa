/** Where in a template something is wrong: file, line, column and the line itself, for messages. */
import { type CodedError, createError, type ErrorCode } from '../core/errors.ts'

/** A text and what it is called in messages. */
export interface Origin {
  readonly file: string
  readonly source: string
}

export interface Place {
  /** `file:line:column`, both counted from 1. */
  readonly text: string
  readonly line: number
  readonly column: number
}

const MAX_SHOWN = 100

export function placeOf(origin: Origin, at: number): Place {
  const before = origin.source.slice(0, at)
  const line = countLines(before)
  const column = at - (before.lastIndexOf('\n') + 1) + 1
  return { text: `${origin.file}:${line}:${column}`, line, column }
}

/** The error of `code` at an offset; its message begins with the place and ends with the source line. */
export function errorAt(
  code: ErrorCode,
  origin: Origin,
  at: number,
  values: Readonly<Record<string, unknown>>,
  cause?: unknown,
): CodedError {
  const place = placeOf(origin, at)
  const all = { place: place.text, excerpt: excerptOf(origin.source, place), ...values }
  return createError(code, all as unknown as Parameters<typeof createError>[1], cause)
}

/** What stands in a template, for a message: its first characters where it is long. */
export function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

/** The line with its number, and a mark under the column. Long lines are cut around the mark. */
function excerptOf(source: string, { line, column }: Place): string {
  const text = (source.split('\n', line)[line - 1] ?? '').replace(/\r$/, '')
  const from = Math.max(0, column - 60)
  const shown = text.slice(from, from + 90)
  const gutter = `  ${line} | `
  const under = shown.slice(0, column - 1 - from).replace(/[^\t]/g, ' ')
  return `\n${gutter}${shown}\n${' '.repeat(gutter.length - 2)}| ${under}^`
}

function countLines(text: string): number {
  let lines = 1
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines++
  return lines
}
