/**
 * For `--import` of a process whose steps in the file system are to meet those of others: each begins some milliseconds
 * late. With UWAS_TEST_NO_LINKS as where there are no hard links: a new file is there before its content.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const MOST_MS = 8
const cell = new Int32Array(new SharedArrayBuffer(4))
const pause = (): unknown => Atomics.wait(cell, 0, 0, Math.random() * MOST_MS)

const real = { ...fs }
for (const name of ['linkSync', 'openSync', 'renameSync', 'rmSync'] as const) {
  const step = real[name] as (...args: unknown[]) => unknown
  Object.assign(fs, {
    [name]: (...args: unknown[]) => {
      pause()
      return step(...args)
    },
  })
}
if (process.env['UWAS_TEST_NO_LINKS'] !== undefined) {
  fs.linkSync = () => {
    throw Object.assign(new Error('no links here'), { code: 'EPERM' })
  }
  const writeSlowly: typeof fs.writeFileSync = (path, data, options) => {
    const fd = real.openSync(String(path), (options as { flag?: string } | undefined)?.flag ?? 'w')
    pause()
    real.writeFileSync(fd, data)
    real.closeSync(fd)
  }
  fs.writeFileSync = writeSlowly
  fs.copyFileSync = (from, to) => writeSlowly(String(to), real.readFileSync(from), { flag: 'wx' })
}
syncBuiltinESMExports()
