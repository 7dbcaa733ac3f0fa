import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createLog } from '../../src/core/log.ts'
import { claimPidFile, readPidFile } from '../../src/supervisor/pid-file.ts'
import { folder } from '../support/binary.ts'
import { eventually } from '../support/supervised.ts'

const ROUNDS = 100
const PROCESSES = 3
/** No process has such a pid. */
const STALE = '4194305\n1\n\n'

t.test('of processes that claim a file at the same moment, one gets it', async (t) => {
  const dir = folder(t, {})
  const script = join(import.meta.dirname, '../support/claim-child.ts')
  for (let i = 0; i < PROCESSES; i++) {
    const args = ['--import=tsx', script, dir, String(ROUNDS)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
  }
  const ends = (i: number): string[] =>
    readdirSync(dir).filter((name) => new RegExp(`^(got|lost)-${i}-`).test(name))
  for (let i = 0; i < ROUNDS; i++) {
    // Every second one is one that a killed server has left.
    if (i % 2 === 0) writeFileSync(join(dir, String(i)), STALE)
    writeFileSync(join(dir, 'new'), '')
    renameSync(join(dir, 'new'), join(dir, `go-${i}`))
    const found = await eventually('all have tried', () => ends(i).length === PROCESSES && ends(i))
    const got = found.filter((name) => name.startsWith('got'))
    t.equal(got.length, 1)
    t.equal(got[0], `got-${i}-${Number.parseInt(readFileSync(join(dir, String(i)), 'utf8'), 10)}`)
  }
  const rest = readdirSync(dir).filter((name) => /\.\d+/.test(name))
  t.strictSame(rest, [], 'nothing is left beside them')
})

t.test('who follows a server takes its file, and another one does not', async (t) => {
  const dir = folder(t, {})
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  const { pid = 0 } = child
  const file = join(dir, 'uwas.pid')
  const startedAt = await eventually('it runs', () => {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19]
  })
  const content = `${pid}\n${startedAt}\n\n`
  writeFileSync(file, content)
  const lines: string[] = []
  const log = createLog((line) => lines.push(line))
  t.equal(claimPidFile(file, '', log, process.pid), false)
  t.equal(readFileSync(file, 'utf8'), content)
  t.match(lines.join(), `is of another server (pid ${pid})`)
  t.equal(claimPidFile(file, '/s', log, pid), true)
  t.match(readPidFile(file), { pid: process.pid, socket: '/s' })
  t.equal(lines.length, 1)
})
