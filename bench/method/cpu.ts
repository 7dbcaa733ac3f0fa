/** CPU time from the kernel's own books: of one core, and of processes. */
import { readdirSync, readFileSync } from 'node:fs'

/** Jiffies are hundredths of a second on every Linux that matters here (USER_HZ). */
const MS_PER_JIFFY = 10

/** Milliseconds the cores have been busy since boot, together: user, nice, system, irq, softirq. */
export function coresBusyMs(cores: readonly number[]): number {
  const lines = readFileSync('/proc/stat', 'utf8').split('\n')
  return cores.reduce((sum, core) => {
    const line = lines.find((one) => one.startsWith(`cpu${core} `))
    return sum + busyMs(line ?? '')
  }, 0)
}

function busyMs(line: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line
    .split(' ')
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softirq) * MS_PER_JIFFY
}

/** Milliseconds that the processes have run, user and kernel, all threads that live: to the microsecond where the kernel says. */
export function processMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + ownMs(pid), 0)
}

/** Milliseconds that the process's main thread has run. */
export function mainThreadMs(pid: number): number {
  return threadMs(pid, pid) ?? ownMs(pid)
}

function ownMs(pid: number): number {
  const times = threadsOf(pid).map((thread) => threadMs(pid, thread))
  const all = times.reduce((sum: number, ms = 0) => sum + ms, 0)
  if (all > 0) return all
  const { user, system } = timesOf(pid)
  return user + system
}

function threadsOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).map(Number)
}

/**
 * The first number of schedstat, nanoseconds: see the kernel's Documentation/scheduler/sched-stats.rst. Undefined for a
 * thread that has ended since; 0 where the kernel keeps no such books.
 */
function threadMs(pid: number, thread: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')
    return Number(text.split(' ')[0]) / 1e6
  } catch {
    return undefined
  }
}

/** The same of a process and of all its children, those that have ended included. */
export function familyMs(pid: number): number {
  const { ended } = timesOf(pid)
  const living = childrenOf(pid).reduce((sum, child) => {
    try {
      return sum + processMs([child])
    } catch {
      // It has ended since: the next look finds it among those.
      return sum
    }
  }, 0)
  return ownMs(pid) + ended + living
}

/** Process ids. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.trim().split(' ').filter(Boolean).map(Number)
}

/** In milliseconds; `ended`: of children that have ended and were waited for. See proc(5). */
function timesOf(pid: number): { user: number; system: number; ended: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields
    .slice(11, 15)
    .map((jiffies) => Number(jiffies) * MS_PER_JIFFY)
  return { user, system, ended: endedUser + endedSystem }
}
