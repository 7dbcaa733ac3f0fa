/**
 * The folders of uploads, one for each request that has any, named for the process that made it: what a process left
 * that has died is removed at the next start, and nothing of one that runs. Called by `multipart.ts`.
 */
import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { identify, isStill, type ProcessId } from '../../core/process-id.ts'

/** Of processes that cannot be asked, since their pids mean others here: longer than any request lasts. */
const OLD_MS = 24 * 60 * 60 * 1000
const NAME = /^(\d+)-(\d*)-([0-9a-f]{16})-/

/** Whose process it was, and where its pid means that. */
interface Maker extends ProcessId {
  readonly space: string
}

let own: Maker | undefined

/** A path for another folder. */
export function newFolder(dir: string): string {
  const { pid, startedAt, space } = ownMaker()
  return join(dir, `${pid}-${startedAt}-${space}-${crypto.randomUUID()}`)
}

export async function removeLeft(dir: string): Promise<void> {
  const names = await readdir(dir).catch(() => [])
  for (const name of names) {
    const path = join(dir, name)
    if (await isLeft(name, path)) await rm(path, { recursive: true, force: true })
  }
}

async function isLeft(name: string, path: string): Promise<boolean> {
  const [, pid, startedAt = '', space] = NAME.exec(name) ?? []
  if (space === ownMaker().space) return !isStill({ pid: Number(pid), startedAt })
  return (await changedAt(path)) < Date.now() - OLD_MS
}

/** When something was last written there; a file that grows does not touch its folder. */
async function changedAt(path: string): Promise<number> {
  const names = await readdir(path).catch(() => [])
  const paths = [path, ...names.map((name) => join(path, name))]
  const times = paths.map((each) =>
    stat(each).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    ),
  )
  return Math.max(...(await Promise.all(times)))
}

function ownMaker(): Maker {
  own ??= { ...identify(process.pid), space: pidSpace() }
  return own
}

/** Differs from machine to machine, from container to container, and after every start of the machine. */
function pidSpace(): string {
  const parts = [
    hostname(),
    read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    read(() => readlinkSync('/proc/self/ns/pid')),
  ]
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16)
}

/** Empty where the system does not tell. */
function read(tell: () => string): string {
  try {
    return tell().trim()
  } catch {
    return ''
  }
}
