/**
 * The compiled addon (native/): its file comes in, its functions come out, typed. Called by
 * `load.ts`, which has the stand-in for everything that can go wrong here.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { RawNative } from './skin.ts'

/** Loads the addon at `file`, an absolute path. Throws an Error whose message says in one line why not. */
export function loadAddon(file: string): RawNative {
  if (!existsSync(file)) throw new Error(`${file} is not there, it was not built`)
  const exports = requireAddon(file)
  for (const name of ['mapFile', 'openBeneath'] as const) {
    if (typeof exports[name] !== 'function') throw new Error(`${file} is of another version`)
  }
  return exports as RawNative
}

function requireAddon(file: string): Partial<RawNative> {
  try {
    return createRequire(import.meta.url)(file)
  } catch (error) {
    const [firstLine] = (error instanceof Error ? error.message : String(error)).split('\n')
    throw new Error(`${file} does not load: ${firstLine}`, { cause: error })
  }
}
