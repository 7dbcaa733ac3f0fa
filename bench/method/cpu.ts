/** CPU time from the kernel's own books: of one core, and of processes. */
import { readFileSync } from 'node:fs'

/** Jiffies are hundredths of a second on every Linux that matters here (USER_HZ). */
const MS_PER_JIFFY = 10

/** Milliseconds the core has been busy since boot: user, nice, system, irq, softirq. */
export function coreBusyMs(cpu: number): number {
  const line = readFileSync('/proc/stat', 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`cpu${cpu} `))
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (line ?? '')
    .split(' ')
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softirq) * MS_PER_JIFFY
}

/** Milliseconds that the processes have run, user and kernel, all threads. */
export function processMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return sum + (Number(fields[11]) + Number(fields[12])) * MS_PER_JIFFY
  }, 0)
}
