/**
 * What signs the board's cookies: SECRET of the environment, else one that the board makes for itself and keeps beside
 * its data, so that it starts without any setting up. Called by `uwas.config.ts`.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export function secretIn(dir: string): string {
  const given = process.env['SECRET']
  if (given !== undefined && given !== '') return given
  const file = join(dir, 'secret')
  mkdirSync(dir, { recursive: true })
  try {
    // Of servers that start together the first one makes it.
    writeFileSync(file, randomBytes(48).toString('base64'), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(file, 'utf8')
}
