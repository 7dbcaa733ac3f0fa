/**
 * What is kept of an authority between starts, below the site's state: the account's key, certificates, what has
 * failed, the answers to open challenges. Nobody else may read it, and a reader finds the old file or the new one.
 */
import { randomUUID } from 'node:crypto'
import {
  access,
  constants,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
} from 'node:fs/promises'
import { join } from 'node:path'
import { createError } from '../../../core/errors.ts'
import type { SiteAcme } from '../../../was/acme.ts'

const FOLDER_MODE = 0o700
const FILE_MODE = 0o600
/** An order is given up long before. */
const CHALLENGE_MS = 3_600_000

/** Of all authorities: their tokens are never the same (RFC 8555 section 8.3). */
export function challengesDir({ dir }: Pick<SiteAcme, 'dir'>): string {
  return join(dir, 'challenges')
}

/** Makes the folders. Rejects with UWAS_ERR_SERVER_ACME_STATE. */
export async function openStore(acme: SiteAcme): Promise<void> {
  try {
    for (const dir of [acme.dir, acme.authorityDir, challengesDir(acme)]) {
      await mkdir(dir, { recursive: true, mode: FOLDER_MODE })
      await access(dir, constants.R_OK | constants.W_OK)
    }
  } catch (error) {
    const problem = (error as Error).message
    throw createError('UWAS_ERR_SERVER_ACME_STATE', { dir: acme.dir, problem }, error)
  }
}

/** Rejects when it cannot be written; the old file then stays. What has been written outlives a loss of power. */
export async function replaceSecret(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`
  try {
    const file = await open(temporary, 'wx', FILE_MODE)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}

/** Null where there is none. */
export async function readSecret(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Takes away answers that a process has left behind which was killed. */
export async function removeOldChallenges(acme: SiteAcme, nowMs = Date.now()): Promise<void> {
  const dir = challengesDir(acme)
  for (const name of await readdir(dir)) {
    const file = join(dir, name)
    const found = await stat(file).catch(() => null)
    if (found !== null && nowMs - found.mtimeMs > CHALLENGE_MS) await rm(file, { force: true })
  }
}
