import t from 'tap'
import { processMs } from '../../bench/method/cpu.ts'

t.test(
  'the time of a process is counted finer than by hundredths of a second',
  { skip: process.platform === 'linux' ? false : 'it is read from /proc' },
  async (t) => {
    const before = processMs([process.pid])
    const began = process.cpuUsage()
    while (process.cpuUsage(began).user < 60_000) Math.sqrt(Math.random())
    const after = processMs([process.pid])
    // The kernel brings the books of what runs up to date at its ticks, every ten milliseconds at the slowest.
    t.ok(after - before >= 40, `${after - before} ms`)
    t.not(after % 10, 0, `${after} ms`)
  },
)
