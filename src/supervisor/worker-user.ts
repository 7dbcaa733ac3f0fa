/** As whom workers run, where the supervisor is root. A name comes in, numbers come out. Called by `uwas serve`. */
import { execFileSync, spawnSync } from 'node:child_process'
import { lchownSync, mkdirSync, readFileSync } from 'node:fs'
import { createError } from '../core/errors.ts'

export interface WorkerUser {
  readonly uid: number
  readonly gid: number
  readonly name: string
  /** What of the environment says who runs it, as systemd.exec(5) and setpriv(1) have it. */
  readonly env: Readonly<Record<string, string>>
}

const PASSWD_FILE = '/etc/passwd'
/** Fields of passwd(5): name, password, uid, gid, comment, home, shell. */
const UID_FIELD = 2
const HOME_FIELD = 5
const SHELL_FIELD = 6

/** The system's user `name`, with its own group. Throws UWAS_ERR_SUPERVISOR_USER. */
export function workerUser(name: string, passwdFile = PASSWD_FILE): WorkerUser {
  if (process.getuid?.() !== 0) refuseUser(name, 'only root can do that')
  const idOf = (option: string): number => Number(ask(name, 'id', [option, '--', name]))
  const [uid, gid] = [idOf('-u'), idOf('-g')]
  const fields = passwdFields(name, String(uid), passwdFile)
  // A field may be empty, and a user unknown but to id(1): what login(1) and systemd take then.
  const USER = fields[0] || name
  const HOME = fields[HOME_FIELD] || '/'
  const SHELL = fields[SHELL_FIELD] || '/bin/sh'
  return { uid, gid, name, env: { USER, LOGNAME: USER, HOME, SHELL } }
}

/** By name first: two names may share a uid. Empty where nothing is known. */
function passwdFields(name: string, uid: string, passwdFile: string): readonly string[] {
  const entries = [...asked(name), ...asked(uid), ...linesOf(passwdFile)].map((line) =>
    line.split(':'),
  )
  const own = entries.filter((fields) => fields[UID_FIELD] === uid)
  return own.find((fields) => fields[0] === name) ?? own[0] ?? []
}

/** Of whatever the system's users are in; not every system has getent(1). */
function asked(key: string): string[] {
  const { stdout } = spawnSync('getent', ['passwd', key], { encoding: 'utf8' })
  return stdout?.trim().split('\n') ?? []
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    return []
  }
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
