/**
 * The folder of the embedded PostgreSQL: where its data, log and socket are, made once. Called by
 * `embedded.ts`.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createError } from '../core/errors.ts'
import { isAlive } from '../core/process-id.ts'
import type { Binaries } from './embedded-binaries.ts'
import { endAtExit } from './embedded-exit.ts'
import type { Identity } from './embedded-identity.ts'
import { problemOf } from './failures.ts'

/** Superuser of the embedded server, and the name of the site's database in it. */
export const EMBEDDED_NAME = 'uwas'

const MAX_LOG_BYTES = 10 * 1024 * 1024
/** A unix socket's path with its final NUL fits 108 bytes (Linux, sun_path); 104 elsewhere. */
const MAX_SOCKET_PATH_BYTES = process.platform === 'linux' ? 107 : 103

export interface Layout {
  /** Absolute, without symbolic links; mode 0700. */
  readonly folder: string
  readonly data: string
  readonly log: string
  /** Says which process stops the server. */
  readonly owner: string
  /** Says which process does so once the owner does not any more. */
  readonly heir: string
}

/** Makes the folder when it is not there. Throws UWAS_ERR_MODEL_EMBEDDED_ACCESS. */
export function prepareFolder(dir: string): Layout {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    const folder = realpathSync(dir)
    chmodSync(folder, 0o700)
    return {
      folder,
      data: join(folder, 'data'),
      log: join(folder, 'server.log'),
      owner: join(folder, 'owner.json'),
      heir: join(folder, 'heir.json'),
    }
  } catch (error) {
    throw noAccess(
      dir,
      `${problemOf(error)}. Run uwas as the user who owns it, or change its owner`,
    )
  }
}

/**
 * The folder for the socket: `folder` itself, or, where its path is too long for a socket, a private
 * one in the system's temporary folder. Throws UWAS_ERR_MODEL_EMBEDDED_ACCESS.
 */
export function prepareSocketFolder({ folder }: Layout, identity: Identity): string {
  if (fitsSocket(folder)) return folder
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 16)
  const short = join(tmpdir(), `uwas-${hash}`)
  if (!fitsSocket(short)) throw noAccess(folder, 'its path is too long for a unix socket')
  if (!existsSync(short)) mkdirSync(short, { mode: 0o700 })
  const stat = lstatSync(short)
  const mine = [process.getuid?.(), identity.uid].includes(stat.uid)
  // Somebody else may have made it, to sit between us and the server.
  if (!stat.isDirectory() || !mine || (stat.mode & 0o077) !== 0) {
    throw noAccess(short, 'it is not a private folder of this user; remove it')
  }
  if (stat.uid !== identity.uid) chownSync(short, identity.uid, identity.gid)
  return short
}

/**
 * Makes the data folder unless it is there: under another name first, so that a cluster cut short by
 * a kill is never taken for a whole one. Rejects with UWAS_ERR_MODEL_EMBEDDED_START, _VERSION.
 */
export async function prepareData(
  layout: Layout,
  identity: Identity,
  binaries: Binaries,
  fast: boolean,
): Promise<void> {
  removeLeftovers(layout)
  if (!existsSync(layout.data)) await initialise(layout, identity, binaries, fast)
  checkVersion(layout, binaries)
}

/** Keeps the server's log below 10 MiB: cut to nothing when it has grown past it. */
export function boundLog({ log }: Layout): void {
  if (existsSync(log) && statSync(log).size > MAX_LOG_BYTES) truncateSync(log)
}

async function initialise(
  { folder, data }: Layout,
  identity: Identity,
  binaries: Binaries,
  fast: boolean,
): Promise<void> {
  const fresh = join(folder, `data.new-${process.pid}`)
  const { file, args, options } = identity.wrap(binaries.initdb, [
    ...['--pgdata', fresh, '--username', EMBEDDED_NAME, '--auth', 'trust', '--encoding', 'UTF8'],
    ...['--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
    ...['--data-checksums', '--no-instructions', ...(fast ? ['--no-sync'] : [])],
  ])
  try {
    const running = promisify(execFile)(file, args, { ...options, cwd: '/' })
    endAtExit(running.child, 'SIGTERM')
    await running
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    const { stderr = '' } = error as { stderr?: string }
    const problem = `initdb failed: ${stderr.trim() || problemOf(error)}`
    throw createError('UWAS_ERR_MODEL_EMBEDDED_START', { folder, problem }, error)
  }
  putInPlace(fresh, data)
  if (!fast) syncFolder(folder)
}

/** Another process may have made the data meanwhile: then its data stay. */
function putInPlace(fresh: string, data: string): void {
  try {
    renameSync(fresh, data)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    if (!existsSync(data)) throw error
  }
}

/** The new name itself must survive a power cut. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  fsyncSync(fd)
  closeSync(fd)
}

function removeLeftovers({ folder }: Layout): void {
  for (const name of readdirSync(folder)) {
    const pid = /^data\.new-(\d+)$/.exec(name)?.[1]
    if (pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid)))) {
      // An initdb that was stopped a moment ago may still be writing.
      rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 10 })
    }
  }
}

function checkVersion({ folder, data }: Layout, { majorVersion }: Binaries): void {
  const file = join(data, 'PG_VERSION')
  if (!existsSync(file)) {
    const problem = `${data} is no data folder of PostgreSQL: it has no PG_VERSION; move it away`
    throw createError('UWAS_ERR_MODEL_EMBEDDED_START', { folder, problem })
  }
  const found = readFileSync(file, 'utf8').trim()
  if (found !== majorVersion) {
    const values = { folder: data, found, expected: majorVersion }
    throw createError('UWAS_ERR_MODEL_EMBEDDED_VERSION', values)
  }
}

function fitsSocket(folder: string): boolean {
  return Buffer.byteLength(join(folder, '.s.PGSQL.5432')) <= MAX_SOCKET_PATH_BYTES
}

function noAccess(folder: string, problem: string): Error {
  return createError('UWAS_ERR_MODEL_EMBEDDED_ACCESS', { folder, problem })
}
