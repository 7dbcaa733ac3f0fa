/** The repository's own text, for the tests that hold one part of it against another. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface Source {
  /** Path from the repository's root: `src/core/errors.ts`. */
  readonly path: string
  readonly text: string
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** All files below `folder` whose names end with `ending`, sorted. */
export function sources(folder: string, ending = '.ts'): Source[] {
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes('node_modules'))
    .sort()
    .map((path) => ({ path, text: readText(path) }))
}
