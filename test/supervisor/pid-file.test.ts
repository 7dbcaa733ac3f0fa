import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createLog } from '../../src/core/log.ts'
import { claimPidFile, readPidFile } from '../../src/supervisor/pid-file.ts'
import { folder } from '../support/binary.ts'
import { eventually } from '../support/supervised.ts'

// Many rounds, on machines that have other work.
t.setTimeout(120_000)

const PROCESSES = 3
/** No process has such a pid. */
const STALE = '4194305\n1\n\n'
const SUPPORT = join(import.meta.dirname, '../support')

/** Starts a process that claims the files `0` to `rounds - 1` of the folder. */
function claimer(t: Test, dir: string, rounds: number, more: string[] = [], env = {}): void {
  const script = join(SUPPORT, 'claim-child.ts')
  const args = ['--import=tsx', ...more, script, dir, String(rounds)]
  const options = { env: { ...process.env, ...env } }
  const child = spawn(process.execPath, args, {
    ...options,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
}

function go(dir: string, round: number): void {
  writeFileSync(join(dir, 'new'), '')
  renameSync(join(dir, 'new'), join(dir, `go-${round}`))
}

const endsOf = (dir: string, round: number): string[] =>
  readdirSync(dir).filter((name) => new RegExp(`^(got|lost)-${round}-`).test(name))

/** Has several processes claim a file in each round; `prepare` puts there what they find. */
async function claimTogether(
  t: Test,
  rounds: number,
  prepare: (path: string, round: number) => void,
  more: string[] = [],
  env = {},
): Promise<void> {
  const dir = folder(t, {})
  for (let i = 0; i < PROCESSES; i++) claimer(t, dir, rounds, more, env)
  for (let i = 0; i < rounds; i++) {
    const path = join(dir, String(i))
    prepare(path, i)
    go(dir, i)
    const found = await eventually(
      'all have tried',
      () => endsOf(dir, i).length === PROCESSES && endsOf(dir, i),
    )
    const got = found.filter((name) => name.startsWith('got'))
    t.strictSame(got, [`got-${i}-${Number.parseInt(readFileSync(path, 'utf8'), 10)}`])
  }
  const rest = readdirSync(dir).filter((name) => /\.(\d|lock)/.test(name))
  t.strictSame(rest, [], 'nothing is left beside them')
}

t.test('of processes that claim a file at the same moment, one gets it', async (t) => {
  // Every second one is one that a killed server has left.
  await claimTogether(t, 100, (path, i) => {
    if (i % 2 === 0) writeFileSync(path, STALE)
  })
})

/** What processes have left that were killed while they had the lock, the second when it followed the first. */
function leaveLocks(path: string, round: number): void {
  writeFileSync(`${path}.lock`, STALE)
  if (round % 3 === 0) writeFileSync(`${path}.lock.4194305-1`, '4194306\n1\n\n')
  if (round % 2 === 0) writeFileSync(path, STALE)
}

const SLOW = ['--import', join(SUPPORT, 'slow-files.ts')]

t.test('one gets it where the lock is of a killed one, whoever is slow', async (t) => {
  await claimTogether(t, 40, leaveLocks, SLOW)
})

t.test('so it is where a file has one name only', async (t) => {
  await claimTogether(t, 40, leaveLocks, SLOW, { UWAS_TEST_NO_LINKS: '1' })
})

t.test('a lock without its content is of who writes it, for some seconds', async (t) => {
  const dir = folder(t, {})
  const [young, old] = [join(dir, '0.lock'), join(dir, '1.lock')]
  writeFileSync(young, '')
  writeFileSync(old, '')
  utimesSync(old, 1e9, 1e9)
  claimer(t, dir, 2)
  go(dir, 0)
  await eventually('it has come to the lock', () =>
    readdirSync(dir).some((one) => /^0\.\d/.test(one)),
  )
  await sleep(300)
  t.strictSame(endsOf(dir, 0), [])
  t.equal(readFileSync(young, 'utf8'), '')
  rmSync(young)
  await eventually('it has got it', () => endsOf(dir, 0)[0]?.startsWith('got'))
  go(dir, 1)
  await eventually('the old one is of nobody', () => endsOf(dir, 1)[0]?.startsWith('got'))
  t.strictSame(
    readdirSync(dir).filter((one) => one.includes('lock')),
    [],
  )
})

t.test('another file in the place of the lock stays', async (t) => {
  const dir = folder(t, { 'uwas.pid.lock': 'of somebody' })
  utimesSync(join(dir, 'uwas.pid.lock'), 1e9, 1e9)
  t.throws(
    () =>
      claimPidFile(
        join(dir, 'uwas.pid'),
        '',
        createLog(() => {}),
      ),
    {
      code: 'UWAS_ERR_SUPERVISOR_PID_FILE',
      message: /uwas\.pid\.lock .*its content is not that of uwas/,
    },
  )
  t.strictSame(readdirSync(dir), ['uwas.pid.lock'])
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
