/** What the figures come from besides the machine: the commit, and the versions of what is not a rival. Kept with each result. */
import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))

export interface Commit {
  readonly commit: string
  /** The work tree has changes that are in no commit. */
  readonly dirty: boolean
}

/** Of the tools of a run: this Node, V8, wrk. */
export function describeTools(): Record<string, string> {
  return { node: process.versions.node, v8: process.versions.v8, wrk: wrkVersion() }
}

export function describeCommit(dir = HERE): Commit {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', cwd: dir, stdio: 'pipe' }).trim()
  try {
    return { commit: git('rev-parse', 'HEAD'), dirty: git('status', '--porcelain') !== '' }
  } catch {
    return { commit: 'unknown: no git', dirty: false }
  }
}

function wrkVersion(): string {
  const { error, stdout } = spawnSync('wrk', ['-v'], { encoding: 'utf8' })
  return error === undefined ? (/^wrk (\S+)/.exec(stdout)?.[1] ?? 'unknown') : 'not here'
}
