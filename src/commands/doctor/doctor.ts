/** `uwas bench doctor`: the machine, its network cards, the kernel's settings beside what they should be, and the tools. Changes nothing. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { formatTable } from '../table.ts'
import { type Advice, advise } from './advice.ts'
import { readLine } from './kernel.ts'
import { describeMachine, type Machine } from './machine.ts'

const CARDS = '/sys/class/net/'
const HUGE_PAGES = '/sys/kernel/mm/transparent_hugepage/enabled'
const LEAST_FILES = 65_536

/** Command, what it is for, and Debian's package. */
const TOOLS = [
  ['wrk', 'the load of every measurement', 'wrk'],
  ['taskset', 'puts servers and load on cores of their own', 'util-linux'],
  ['c++', 'the C epoll server, load at fixed rates, instructions', 'g++'],
  ['perf', 'profile -- perf', 'linux-perf'],
  ['strace', 'profile -- syscalls', 'strace'],
  ['valgrind', 'profile -- instructions', 'valgrind'],
] as const

/** Exit code 0 whatever it finds: what is advised is no fault. */
export async function doctorCommand({ json }: { readonly json: boolean }): Promise<number> {
  const machine = describeMachine()
  const advice = advise(machine.sysctls)
  const nics = cards()
  const { sysctls: _, ...rest } = machine
  const told = json
    ? JSON.stringify({ ...rest, cards: nics, fileLimit: fileLimit(), settings: advice }, null, 2)
    : doctorText(machine, advice, nics)
  process.stdout.write(`${told}\n`)
  return 0
}

/** A network card, from /sys. */
export interface Card {
  readonly name: string
  readonly facts: readonly string[]
}

export function doctorText(
  machine: Machine,
  advice: readonly Advice[],
  nics: readonly Card[],
): string {
  const lines = [
    ['CPU', `${machine.cores} cores of ${machine.cpu}`],
    ['caches', machine.caches.join(', ') || 'unknown'],
    ['governor', machine.governor],
    ['memory', `${machine.memoryMib.toLocaleString('en')} MiB`],
    ['virtual', machine.virtualization],
    ['kernel', machine.kernel],
    ...nics.map(({ name, facts }) => [`card ${name}`, facts.join(', ')] as const),
  ].map(([name, value]) => `${name?.padEnd(12)} ${value}`)
  const parts = [lines.join('\n'), settingsText(advice), problemsText(machine, advice), toolsText()]
  return parts.join('\n\n')
}

function settingsText(advice: readonly Advice[]): string {
  if (advice.length === 0) return 'This system does not tell its settings by /proc/sys.'
  const rows = advice.map(({ name, current, advised, isGood, why }) => [
    isGood ? 'ok' : 'CHANGE',
    name,
    current,
    advised ?? 'any',
    why,
  ])
  return formatTable(['', 'setting', 'is', 'advised', ''], rows)
}

/** What to do, ready to be pasted. */
function problemsText(machine: Machine, advice: readonly Advice[]): string {
  const bad = advice.filter(({ isGood }) => !isGood)
  const files = fileLimit()
  const settings = bad.map(({ name, advised }) => `${name} = ${advised}`)
  const found = [
    machine.cores < 2 && 'One core: server and load share it, and no figure means anything.',
    /powersave|ondemand|conservative/.test(machine.governor) &&
      'The governor changes the frequency: cpupower frequency-set -g performance.',
    files !== null &&
      files < LEAST_FILES &&
      `A process may open ${files} files: ulimit -n ${LEAST_FILES}, or LimitNOFILE= in the unit.`,
    /\[always\]/.test(readLine(HUGE_PAGES) ?? '') &&
      `Huge pages are always on, which makes memory figures larger: echo madvise > ${HUGE_PAGES}.`,
    settings.length > 0 &&
      `In /etc/sysctl.d/60-uwas.conf, then sysctl --system:\n${settings.map((line) => `  ${line}`).join('\n')}`,
  ].filter((one) => one !== false)
  return found.length === 0 ? 'Nothing has to be changed.' : found.join('\n')
}

/** Null: any number, or nobody tells. */
function fileLimit(): number | null {
  const [, soft = ''] =
    /Max open files\s+(\d+|unlimited)/.exec(readLine('/proc/self/limits') ?? '') ?? []
  return /^\d+$/.test(soft) ? Number(soft) : null
}

function toolsText(): string {
  const lines = TOOLS.map(([command, purpose, name]) => {
    const isHere = spawnSync('which', [command], { stdio: 'ignore' }).status === 0
    return `${isHere ? 'here  ' : 'absent'}  ${command.padEnd(8)} ${purpose}${isHere ? '' : `: apt-get install ${name}`}`
  })
  return `For the measurements in uwas's repository:\n${lines.join('\n')}`
}

/** All but loopback. */
function cards(): readonly Card[] {
  return names(CARDS)
    .filter((name) => name !== 'lo')
    .map((name) => {
      const of = (file: string): string | undefined => readLine(`${CARDS}${name}/${file}`)
      const queues = names(`${CARDS}${name}/queues`).filter((one) => one.startsWith('rx-')).length
      const speed = Number(of('speed') ?? -1)
      return {
        name,
        facts: [
          of('operstate') ?? 'unknown',
          speed > 0 ? `${speed} Mbit/s` : 'no speed told',
          `driver ${driverOf(name)}`,
          `${queues} receive queue${queues === 1 ? '' : 's'}`,
          `MTU ${of('mtu')}`,
        ],
      }
    })
}

function driverOf(card: string): string {
  try {
    return basename(readlinkSync(`${CARDS}${card}/device/driver`))
  } catch {
    return 'none'
  }
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
