/** Memory from the kernel's books: a page that processes share counts for each of them in part. */
import { readFileSync } from 'node:fs'

/** Proportional set size of the processes together, in MiB. */
export function pssMib(pids: readonly number[]): number {
  const kib = pids.reduce((sum, pid) => {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    return sum + Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1])
  }, 0)
  return kib / 1024
}
