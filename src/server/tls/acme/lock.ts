/**
 * One process orders at a time: of several workers, of servers that share a folder, of a server and the one that takes
 * its place. A file says who it is. Called by `keeper.ts`.
 */
import { randomUUID } from 'node:crypto'
import { open, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { identify, isStill } from '../../../core/process-id.ts'
import { readSecret } from './store.ts'

/** No order takes so long: its process has gone, on whatever machine. */
const STALE_MS = 15 * 60_000

/** What gives it back; null: another process has it. */
export async function takeLock(file: string): Promise<(() => Promise<void>) | null> {
  if (await isHeld(file)) return null
  const own = JSON.stringify({ host: hostname(), ...identify(process.pid), id: randomUUID() })
  try {
    await writeNew(file, own)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null
    throw error
  }
  return async () => {
    if ((await readSecret(file)) === own) await rm(file, { force: true })
  }
}

/** Leaves no lock that names nobody. */
async function writeNew(file: string, text: string): Promise<void> {
  const made = await open(file, 'wx', 0o600)
  try {
    await made.writeFile(text)
  } catch (error) {
    await rm(file, { force: true })
    throw error
  } finally {
    await made.close()
  }
}

/**
 * Takes one away that nobody holds any more. Two that see the same one at once may both go on, the later one without
 * the lock of the earlier: then two certificates are ordered, and the last one stays, which is no harm.
 */
async function isHeld(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => null)
  if (found === null) return false
  if (Math.abs(Date.now() - found.mtimeMs) < STALE_MS && !(await hasGone(file))) return true
  const away = `${file}.${randomUUID()}`
  await rename(file, away).catch(() => undefined)
  await rm(away, { force: true })
  return false
}

/** Of another machine that cannot be known. */
async function hasGone(file: string): Promise<boolean> {
  try {
    const { host, pid, startedAt } = JSON.parse((await readSecret(file)) ?? '')
    return host === hostname() && !isStill({ pid: Number(pid), startedAt: String(startedAt) })
  } catch {
    // It is just being written.
    return false
  }
}
