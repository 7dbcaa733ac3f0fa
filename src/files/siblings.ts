/**
 * Files that were compressed beforehand: `app.js.br` next to `app.js`. Called by the path map for every
 * file that comes, changes or goes; a sibling stays a file of its own as well.
 */
import type { Coding } from '../http/accept-encoding.ts'
import { codedEtag } from '../http/etag.ts'
import type { Encoded } from './entry.ts'
import type { Source } from './source.ts'
import { refreshVariants } from './variants.ts'

const ENDINGS: readonly (readonly [coding: Coding, ending: string])[] = [
  ['br', '.br'],
  ['zstd', '.zst'],
  ['gzip', '.gz'],
]

/** What the name of a packed file has at its end. */
export const SIBLING_ENDING = /\.(?:br|zst|gz)$/

/** Brings the entries up to date for which the file `relative`, which has just changed, matters. */
export function pairSiblings(files: ReadonlyMap<string, Source>, relative: string): void {
  pairWith(files, relative)
  for (const [, ending] of ENDINGS) {
    if (relative.endsWith(ending)) pairWith(files, relative.slice(0, -ending.length))
  }
}

function pairWith(files: ReadonlyMap<string, Source>, relative: string): void {
  const source = files.get(relative)
  if (source === undefined) return
  const siblings: Encoded[] = []
  for (const [coding, ending] of ENDINGS) {
    const sibling = files.get(relative + ending)
    if (sibling !== undefined && isUsable(sibling, source))
      siblings.push(encodedOf(coding, sibling))
  }
  const { entry } = source
  if (siblings.length === 0 && entry.siblings.length === 0) return
  entry.siblings = siblings
  refreshVariants(entry)
}

/**
 * One that is older than its file was made from another version. Whole seconds, because tools that copy
 * both write them in any order. An empty file is no encoding of anything.
 */
function isUsable(sibling: Source, source: Source): boolean {
  return sibling.size > 0 && sibling.lastModifiedMs >= source.lastModifiedMs
}

/** A tag that is made of the contents is another one for another coding; one of size and time may not be. */
function encodedOf(coding: Coding, { entry, hash, content, size }: Source): Encoded {
  const etag = hash === '' ? codedEtag(entry.etag, coding) : entry.etag
  return { coding, etag, content, open: entry.open, length: size }
}
