/**
 * Where in the site's source a route was written. `path()` and `include()` ask once, at start, so that
 * every message about URLs can name the line to look at.
 */
import { isAbsolute, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Place {
  /** Absolute path of the file, or what the stack calls it when it is no file. */
  readonly file: string
  /** Counted from 1; 0 when the stack does not tell. */
  readonly line: number
}

const FRAME = /\(?([^()\s][^()]*):(\d+):\d+\)?$/

/** The caller of `above`: the function of ours that the site called. Source maps are honoured. */
export function capturePlace(above: (...args: never[]) => unknown): Place {
  const holder: { stack?: unknown } = {}
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 1
  Error.captureStackTrace(holder, above)
  const stack = String(holder.stack)
  Error.stackTraceLimit = limit
  const frame = FRAME.exec(
    stack.slice(stack.lastIndexOf('\n') + 1).replace(/^\s*at (?:async )?/, ''),
  )
  if (frame === null) return { file: 'unknown', line: 0 }
  return { file: toPath(frame[1] as string), line: Number(frame[2]) }
}

/** `urls.ts:12`, relative to the current folder where the file is beneath it. */
export function formatPlace(place: Place): string {
  const near = isAbsolute(place.file) ? relative(process.cwd(), place.file) : place.file
  return `${near.startsWith('..') ? place.file : near}:${place.line}`
}

function toPath(source: string): string {
  return source.startsWith('file:') ? fileURLToPath(source.replace(/\?.*$/, '')) : source
}
