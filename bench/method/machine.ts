/** What the figures come from: the machine, its kernel, and the versions of what is not a rival. Kept with each result. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, version } from 'node:os'
import { fileURLToPath } from 'node:url'
import { allSysctls, readLine } from './kernel.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const CPU = '/sys/devices/system/cpu/'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  /** As `L1d 48K × 2`. */
  readonly caches: readonly string[]
  readonly governor: string
  readonly memoryMib: number
  /** `none` on bare metal, `unknown` where nothing tells. */
  readonly virtualization: string
  readonly kernel: string
  readonly sysctls: Readonly<Record<string, string>>
}

export interface Commit {
  readonly commit: string
  /** The work tree has changes that are in no commit. */
  readonly dirty: boolean
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    caches: caches(),
    governor: readLine(`${CPU}cpu0/cpufreq/scaling_governor`) ?? 'none (the frequency is not ours)',
    memoryMib: Math.round(totalmem() / 1024 / 1024),
    virtualization: virtualization(),
    kernel: `${release()} ${version()}`,
    sysctls: allSysctls(),
  }
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

function caches(): string[] {
  const counts = new Map<string, Set<string>>()
  for (const cpu of foldersOf(CPU, /^cpu\d+$/)) {
    for (const index of foldersOf(`${CPU}${cpu}/cache/`, /^index\d+$/)) {
      const of = (name: string) => readLine(`${CPU}${cpu}/cache/${index}/${name}`) ?? '?'
      const kind = { Data: 'd', Instruction: 'i' }[of('type')] ?? ''
      const name = `L${of('level')}${kind} ${of('size')}`
      counts.set(name, (counts.get(name) ?? new Set()).add(of('shared_cpu_list')))
    }
  }
  return [...counts].map(([name, shared]) => `${name} × ${shared.size}`)
}

function foldersOf(dir: string, pattern: RegExp): string[] {
  try {
    return readdirSync(dir).filter((name) => pattern.test(name))
  } catch {
    return []
  }
}

function virtualization(): string {
  const { error, stdout } = spawnSync('systemd-detect-virt', [], { encoding: 'utf8' })
  if (error === undefined) return stdout.trim()
  const flags = readLine('/proc/cpuinfo') ?? ''
  return / hypervisor /.test(flags) ? 'a virtual machine' : 'unknown'
}

function wrkVersion(): string {
  const { error, stdout } = spawnSync('wrk', ['-v'], { encoding: 'utf8' })
  return error === undefined ? (/^wrk (\S+)/.exec(stdout)?.[1] ?? 'unknown') : 'not here'
}
