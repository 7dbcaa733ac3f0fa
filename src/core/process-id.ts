/** Tells processes apart: a pid is used again sooner or later. Called for pid files, and by the embedded PostgreSQL. */
import { readFileSync } from 'node:fs'

/** A process, with the time of its start where the system tells it. */
export interface ProcessId {
  readonly pid: number
  readonly startedAt: string
}

/** True while a process of this id runs; not for one that has ended and was not yet waited for. */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return readStat(pid)?.state !== 'Z'
}

/** What tells the process that has this pid now from later ones. */
export function identify(pid: number): ProcessId {
  return { pid, startedAt: readStat(pid)?.startedAt ?? '' }
}

/** Whether that very process still runs. */
export function isStill({ pid, startedAt }: ProcessId): boolean {
  return isAlive(pid) && identify(pid).startedAt === startedAt
}

/** Linux proc(5): after the name in parentheses come the state (3rd field) and starttime (22nd). */
function readStat(pid: number): { state: string; startedAt: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] ?? '', startedAt: fields[19] ?? '' }
  } catch {
    return undefined
  }
}
