/**
 * Where a site lies: its configuration file, and the folder for what uwas keeps of a folder that is served without one.
 * Called by every command; those that load no site load nothing else of one.
 */
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { createError } from '../core/errors.ts'
import { userCache } from './user-cache.ts'

const CONFIG_NAMES = ['uwas.config.ts', 'uwas.config.mts', 'uwas.config.js', 'uwas.config.mjs']

/** The configuration file that is meant. Throws UWAS_ERR_COMMANDS_NO_CONFIG. */
export function findConfig(wish: string | undefined): string {
  if (wish !== undefined) {
    const file = resolve(wish)
    if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file
    const hint = 'name a configuration file after --config'
    throw createError('UWAS_ERR_COMMANDS_NO_CONFIG', { file: wish, hint })
  }
  for (const name of CONFIG_NAMES) {
    if (statSync(name, { throwIfNoEntry: false })?.isFile()) return resolve(name)
  }
  throw createError('UWAS_ERR_COMMANDS_NO_CONFIG', {
    file: 'uwas.config.ts',
    hint: 'go to the folder of a site, name its file with --config, or serve a folder of files with "uwas serve DIR"',
  })
}

/** One folder for each served folder, so that two servers never share a manifest by accident. */
export function cacheDir(root: string): string {
  return join(userCache(), createHash('sha256').update(root).digest('hex').slice(0, 16))
}

/** A file's path as people read it: relative to the current folder where that is shorter. */
export function showPath(path: string): string {
  const near = relative(process.cwd(), path)
  return near === '' ? '.' : near.startsWith('..') ? path : near
}
