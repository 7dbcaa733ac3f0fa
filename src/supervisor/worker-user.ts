/** As whom workers run, where the supervisor is root. A name comes in, numbers come out. Called by `uwas serve`. */
import { execFileSync } from 'node:child_process'
import { lchownSync, mkdirSync } from 'node:fs'
import { createError } from '../core/errors.ts'

export interface WorkerUser {
  readonly uid: number
  readonly gid: number
  readonly name: string
  /** What of the environment says who runs it, as systemd.exec(5) and setpriv(1) have it. */
  readonly env: Readonly<Record<string, string>>
}

/** getent(1): name, password, uid, gid, comment, home, shell. */
const HOME_FIELD = 5
const SHELL_FIELD = 6

/** The system's user `name`, with its own group. Throws UWAS_ERR_SUPERVISOR_USER. */
export function workerUser(name: string): WorkerUser {
  if (process.getuid?.() !== 0) refuseUser(name, 'only root can do that')
  const idOf = (option: string): number => Number(ask(name, 'id', [option, '--', name]))
  const [uid, gid] = [idOf('-u'), idOf('-g')]
  const fields = ask(name, 'getent', ['passwd', String(uid)])
    .trim()
    .split(':')
  const [USER = name, HOME = '/', SHELL = '/bin/sh'] = [
    fields[0],
    fields[HOME_FIELD],
    fields[SHELL_FIELD],
  ]
  return { uid, gid, name, env: { USER, LOGNAME: USER, HOME, SHELL } }
}

/** Throws UWAS_ERR_SUPERVISOR_USER. */
export function refuseUser(name: string, problem: string): never {
  throw createError('UWAS_ERR_SUPERVISOR_USER', { name, problem })
}

function ask(name: string, program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe' })
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
