/**
 * Says where a site's modules are wrong. Gets what an import threw; leaves the same for people, with file
 * and line. Called by `site-module.ts`.
 */
import { fileURLToPath } from 'node:url'

/** A place where a JavaScript module may be wrong, as another parser than V8 sees it. */
export interface Doubt {
  /** `/site/a.js:2:11`, columns from 1. */
  readonly place: string
  /** The line, and a mark under the column. */
  readonly excerpt: string
}

/** V8 puts place and excerpt of some syntax errors before the first line of the stack. */
const HEAD = /^(\S.*?)(?:\?uwas-load=\d+)?:(\d+)\n([\s\S]*?\n\s*\^+)\s*\n/
const PLACED = /^.*:\d+:\d+: /

/** A SyntaxError without a place as one with it, where that is known; everything else as it is. */
export function withPlace(error: unknown, doubts: readonly Doubt[]): unknown {
  if (!(error instanceof SyntaxError) || PLACED.test(error.message)) return error
  const head = HEAD.exec(error.stack ?? '')
  if (head !== null) {
    const [, file = '', line, excerpt = ''] = head
    const path = file.startsWith('file:') ? fileURLToPath(file) : file
    return placed(error, { place: `${path}:${line}`, excerpt })
  }
  const doubt = doubts[0]
  return doubt === undefined ? error : placed(error, doubt)
}

function placed(cause: SyntaxError, { place, excerpt }: Doubt): SyntaxError {
  return new SyntaxError(`${place}: ${cause.message}\n${excerpt}`, { cause })
}
