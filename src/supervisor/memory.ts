/** Memory that a process has for itself: files that it maps are shared with others, and the kernel can take them back. */
import { readFileSync } from 'node:fs'

/** Of this process, in bytes: Linux proc(5), RssAnon; elsewhere its whole resident memory. */
export function ownMemoryBytes(): number {
  try {
    const found = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))
    if (found !== null) return Number(found[1]) * 1024
  } catch {
    // No Linux.
  }
  return process.memoryUsage.rss()
}
