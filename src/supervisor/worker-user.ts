/** As whom workers run, where the supervisor is root. A name comes in, numbers come out. Called by `uwas serve`. */
import { execFileSync } from 'node:child_process'
import { lchownSync, mkdirSync } from 'node:fs'
import { createError } from '../core/errors.ts'

export interface WorkerUser {
  readonly uid: number
  readonly gid: number
  readonly name: string
}

/** The system's user `name`, with its own group. Throws UWAS_ERR_SUPERVISOR_USER. */
export function workerUser(name: string): WorkerUser {
  if (process.getuid?.() !== 0) refuseUser(name, 'only root can do that')
  return { uid: ask('-u', name), gid: ask('-g', name), name }
}

/** Throws UWAS_ERR_SUPERVISOR_USER. */
export function refuseUser(name: string, problem: string): never {
  throw createError('UWAS_ERR_SUPERVISOR_USER', { name, problem })
}

function ask(option: string, name: string): number {
  try {
    return Number(execFileSync('id', [option, '--', name], { encoding: 'utf8', stdio: 'pipe' }))
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: string }
    const problem = (stderr || message).trim()
    throw createError('UWAS_ERR_SUPERVISOR_USER', { name, problem }, error)
  }
}

/** Makes the folder of the site's state, where it is not there yet, the user's. Throws what the file system throws. */
export function giveFolder(dir: string, { uid, gid }: WorkerUser): void {
  // The folder above it may be the user's, who may have put a link there in the meantime.
  if (mkdirSync(dir, { recursive: true }) !== undefined) lchownSync(dir, uid, gid)
}
