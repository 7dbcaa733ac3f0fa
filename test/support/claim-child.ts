/** A process that claims the pid files `0` to `argv[3] - 1` of the folder argv[2], each as soon as there is a file `go-N`, and notes which it has got. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLog } from '../../src/core/log.ts'
import { claimPidFile } from '../../src/supervisor/pid-file.ts'

const [, , dir = '', rounds = '0'] = process.argv
const log = createLog(() => {})
process.setMaxListeners(0)
for (let i = 0; i < Number(rounds); i++) {
  // Without a pause: all that wait are to be there at the same moment.
  while (!existsSync(join(dir, `go-${i}`)));
  const isOwn = claimPidFile(join(dir, String(i)), '', log)
  writeFileSync(join(dir, `${isOwn ? 'got' : 'lost'}-${i}-${process.pid}`), '')
}
// Until it is killed: what it has got is of a process that runs.
setInterval(() => {}, 1_000_000)
