/** Settings of the kernel that decide what a server reaches, from /proc/sys. `advice.ts` judges them. */
import { readFileSync } from 'node:fs'

/** By the names of sysctl(8). */
export const SYSCTLS = [
  'net.core.somaxconn',
  'net.core.netdev_max_backlog',
  'net.core.rmem_max',
  'net.core.wmem_max',
  'net.core.default_qdisc',
  'net.ipv4.tcp_max_syn_backlog',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_tw_reuse',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
  'net.ipv4.tcp_slow_start_after_idle',
  'net.ipv4.tcp_congestion_control',
  'net.ipv4.tcp_notsent_lowat',
  'fs.file-max',
  'fs.nr_open',
  'fs.inotify.max_user_watches',
  'vm.swappiness',
  'vm.overcommit_memory',
  'kernel.sched_autogroup_enabled',
  'kernel.numa_balancing',
  'kernel.perf_event_paranoid',
  'kernel.kptr_restrict',
] as const
export type Sysctl = (typeof SYSCTLS)[number]

/** The text of a file of the kernel's, in one line; undefined where there is none. */
export function readLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim().replace(/\s+/g, ' ')
  } catch {
    return undefined
  }
}

/** Undefined where this kernel has no such setting. */
export function sysctl(name: Sysctl): string | undefined {
  return readLine(`/proc/sys/${name.replaceAll('.', '/')}`)
}

export function allSysctls(): Readonly<Record<string, string>> {
  const found = SYSCTLS.map((name) => [name, sysctl(name)] as const)
  return Object.fromEntries(found.filter((one): one is [Sysctl, string] => one[1] !== undefined))
}
