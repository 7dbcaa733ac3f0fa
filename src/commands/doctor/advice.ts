/** What a kernel's settings should be for a web server, and why. Read by `doctor`; values of this kernel come in, judgements come out. */
import type { Sysctl } from './kernel.ts'

export interface Advice {
  readonly name: string
  readonly current: string
  /** As it would stand in sysctl.d; undefined where any value will do. */
  readonly advised: string | undefined
  readonly isGood: boolean
  readonly why: string
}

interface Rule {
  readonly advised?: string
  readonly why: string
  isGood?(current: string): boolean
}

const atLeast = (least: number) => (current: string) => Number(current) >= least
const atMost = (most: number) => (current: string) => Number(current) <= most
const oneOf =
  (...values: string[]) =>
  (current: string) =>
    values.includes(current)
/** The last of three numbers. */
const mostAtLeast = (least: number) => (current: string) =>
  Number(current.split(' ').at(-1)) >= least

const RULES: Readonly<Record<Sysctl, Rule>> = {
  'net.core.somaxconn': {
    advised: '4096',
    isGood: atLeast(4096),
    why: 'connections that wait to be accepted; beyond it they are dropped',
  },
  'net.core.netdev_max_backlog': {
    advised: '16384',
    isGood: atLeast(16384),
    why: 'packets that wait for the kernel, on cards of 10 Gbit/s and more',
  },
  'net.core.rmem_max': { why: 'only of sockets that set their buffer themselves; uwas does not' },
  'net.core.wmem_max': { why: 'only of sockets that set their buffer themselves; uwas does not' },
  'net.core.default_qdisc': { why: 'fq where congestion control is bbr' },
  'net.ipv4.tcp_max_syn_backlog': {
    advised: '8192',
    isGood: atLeast(4096),
    why: 'connections that are half open',
  },
  'net.ipv4.tcp_syncookies': {
    advised: '1',
    isGood: oneOf('1', '2'),
    why: 'a flood of SYN does not shut others out',
  },
  'net.ipv4.ip_local_port_range': {
    advised: '1024 65535',
    isGood: (current) => {
      const [first = 0, last = 0] = current.split(' ').map(Number)
      return last - first >= 50_000
    },
    why: 'connections to one upstream, and of a load generator',
  },
  'net.ipv4.tcp_tw_reuse': {
    advised: '1',
    isGood: oneOf('1', '2'),
    why: 'ports of closed connections to upstreams, used again; 2: on loopback',
  },
  'net.ipv4.tcp_fin_timeout': {
    advised: '30',
    isGood: atMost(60),
    why: 'seconds that a half-closed connection is kept',
  },
  'net.ipv4.tcp_rmem': {
    advised: '4096 131072 6291456',
    isGood: mostAtLeast(6_291_456),
    why: 'uploads over long distances',
  },
  'net.ipv4.tcp_wmem': {
    advised: '4096 16384 4194304',
    isGood: mostAtLeast(4_194_304),
    why: 'downloads over long distances: bytes under way to one client',
  },
  'net.ipv4.tcp_slow_start_after_idle': {
    advised: '0',
    isGood: oneOf('0'),
    why: 'a connection that is kept alive stays fast after a pause',
  },
  'net.ipv4.tcp_congestion_control': {
    advised: 'bbr',
    isGood: oneOf('bbr', 'cubic'),
    why: 'cubic is good, bbr better where packets get lost',
  },
  'net.ipv4.tcp_notsent_lowat': {
    advised: '131072',
    isGood: atMost(1_048_576),
    why: 'less memory for slow readers, and HTTP/2 can still change what goes first',
  },
  'fs.file-max': { advised: '1048576', isGood: atLeast(1_000_000), why: 'files and connections' },
  'fs.nr_open': {
    advised: '1048576',
    isGood: atLeast(1_000_000),
    why: 'the most that LimitNOFILE can give one process',
  },
  'fs.inotify.max_user_watches': {
    advised: '524288',
    isGood: atLeast(65_536),
    why: 'folders whose changes uwas sees at once',
  },
  'vm.swappiness': {
    advised: '10',
    isGood: atMost(30),
    why: 'the pages of the server stay, those of files go first',
  },
  'vm.overcommit_memory': { why: 'PostgreSQL advises 2 where nothing else runs on the machine' },
  'kernel.sched_autogroup_enabled': {
    advised: '0',
    isGood: oneOf('0'),
    why: 'for desktops: it shares the CPU by terminals',
  },
  'kernel.numa_balancing': {
    advised: '0',
    isGood: oneOf('0'),
    why: 'workers are pinned: moving their pages only costs',
  },
  'kernel.perf_event_paranoid': {
    why: 'at most 1 where somebody who is not root profiles; higher is safer',
  },
  'kernel.kptr_restrict': {
    why: 'at most 0 where somebody who is not root wants names of kernel functions in profiles; higher is safer',
  },
}

/** Of each setting that this kernel has. */
export function advise(sysctls: Readonly<Record<string, string>>): readonly Advice[] {
  return Object.entries(RULES).flatMap(([name, { advised, why, isGood }]) => {
    const current = sysctls[name]
    if (current === undefined) return []
    return [{ name, current, advised, isGood: isGood?.(current) ?? true, why }]
  })
}
