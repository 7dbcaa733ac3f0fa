/** `syscalls`: what the process asks of the kernel, counted by strace, a request. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type Part, publish } from '../report.ts'
import { WARM_SECONDS, withSubject } from '../subject.ts'
import { count, type Kind, type Order, underLoad } from './kind.ts'

export const syscalls: Kind = {
  title: 'system calls a request, by strace',
  missing: missingStrace,
  profile: profileSyscalls,
}

export function missingStrace(): string | undefined {
  return spawnSync('strace', ['-V']).error === undefined
    ? undefined
    : 'strace is not here: apt-get install strace'
}

async function profileSyscalls({
  target,
  connections,
  stem,
  seconds,
}: Order): Promise<readonly string[]> {
  const options = connections === undefined ? {} : { connections }
  const file = `${stem}.strace.txt`
  const result = await withSubject(target, options, async (subject) => {
    await subject.load(WARM_SECONDS)
    return await countedBy(subject.pid, file, () => subject.load(seconds))
  })
  const page = publish(
    {
      title: `syscalls of ${target.name}`,
      head: `${underLoad(result)} (strace makes each call slower, so more answers share one wait than otherwise)`,
      parts: [callsPart(readFileSync(file, 'utf8'), result.requests)],
    },
    stem,
  )
  return [page, file]
}

/** Counts the calls of all threads while `work` runs; the table is in `file` afterwards. */
export async function countedBy<T>(pid: number, file: string, work: () => Promise<T>): Promise<T> {
  const child = spawn('strace', ['-c', '-f', '-p', String(pid), '-o', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let errors = ''
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => reject(new Error(`strace ended: ${errors.trim()}`)))
    child.stderr.on('data', (part) => {
      errors += part
      if (/attached/.test(errors)) resolve()
    })
  })
  try {
    return await work()
  } finally {
    child.kill('SIGINT')
    await ended
  }
}

export interface Counted {
  readonly name: string
  readonly calls: number
  readonly errors: number
}

/** strace's own table: `% time  seconds  usecs/call  calls  [errors]  syscall`. */
export function callsIn(text: string): readonly Counted[] {
  return text.split('\n').flatMap((line) => {
    const [, calls, errors, name] =
      /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:(\d+)\s+)?(\w+)$/.exec(line) ?? []
    if (name === undefined || name === 'total') return []
    return [{ name, calls: Number(calls), errors: Number(errors ?? 0) }]
  })
}

export function callsPart(text: string, requests: number): Part {
  const all = [...callsIn(text)].sort((a, b) => b.calls - a.calls)
  const total = all.reduce((sum, { calls }) => sum + calls, 0)
  const row = (name: string, calls: number, errors: number): string[] => [
    count(calls / requests, 3),
    count(calls),
    count(errors),
    name,
  ]
  return {
    title: 'System calls',
    rows: [
      ['a request', 'in all', 'failed', 'call'],
      ...all.map(({ name, calls, errors }) => row(name, calls, errors)),
      row('all', total, 0).with(2, ''),
    ],
  }
}
