/** The machine and its kernel, as they are. Read by `doctor.ts`; the reports of `bench/` keep it with each result. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, version } from 'node:os'
import { allSysctls, readLine } from './kernel.ts'

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
