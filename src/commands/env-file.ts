/**
 * The file `.env` beside a configuration: what it says is put into the environment before the site's code is loaded.
 * The real environment wins. Called by `site.ts`, each time the site is loaded.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { createError } from '../core/errors.ts'

export const ENV_FILE = '.env'

/** What an earlier load has put there: the file may say something else now. */
const ours = new Map<string, string>()

/** As Node's `--env-file` reads it. No such file is no mistake; throws UWAS_ERR_COMMANDS_ENV_FILE for one that cannot be read. */
export function loadEnvFile(dir: string, env: NodeJS.ProcessEnv = process.env): void {
  for (const [name, value] of ours) {
    if (env[name] === value) delete env[name]
  }
  ours.clear()
  for (const [name, value = ''] of Object.entries(parseEnv(readText(join(dir, ENV_FILE))))) {
    if (env[name] !== undefined) continue
    env[name] = value
    ours.set(name, value)
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return ''
    throw createError('UWAS_ERR_COMMANDS_ENV_FILE', { file, problem: message }, error)
  }
}
