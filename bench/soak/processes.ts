/** What the kernel knows of a soaked server: its processes, their memory and descriptors, and the clients of a worker. Linux. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { pssMib } from '../method/memory.ts'

export interface ServerProcesses {
  /** The supervisor, a second one that follows or goes, and their workers. */
  readonly uwas: readonly number[]
  readonly postgres: readonly number[]
}

/** Found by the folder of the site: processes of uwas have it in their environment, those of PostgreSQL work in it. */
export function processesOf(dir: string): ServerProcesses {
  const uwas: number[] = []
  const postgres: number[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const works = tried(() => readlinkSync(`/proc/${name}/cwd`)) ?? ''
    const environment = tried(() => readFileSync(`/proc/${name}/environ`, 'latin1')) ?? ''
    if (works.startsWith(`${dir}/`)) postgres.push(Number(name))
    else if (environment.split('\0').includes(`SOAK_DIR=${dir}`)) uwas.push(Number(name))
  }
  return { uwas, postgres }
}

export interface MemorySample {
  readonly at: number
  /** Proportional set size, of those that were still there. */
  readonly uwasMib: number
  readonly postgresMib: number
  /** Open descriptors of the processes of uwas. */
  readonly descriptors: number
  /** Processes of uwas. */
  readonly processes: number
}

export function sampleMemory(dir: string): MemorySample {
  const { uwas, postgres } = processesOf(dir)
  const mib = (pids: readonly number[]): number =>
    pids.reduce((sum, pid) => sum + (tried(() => pssMib([pid])) || 0), 0)
  const descriptors = uwas.reduce(
    (sum, pid) => sum + (tried(() => readdirSync(`/proc/${pid}/fd`).length) ?? 0),
    0,
  )
  const memory = { uwasMib: mib(uwas), postgresMib: mib(postgres) }
  return { at: Date.now(), ...memory, descriptors, processes: uwas.length }
}

/**
 * KiB of the processes of uwas in the heap of the C library, where the engine has its connections. What JavaScript
 * keeps is elsewhere: it comes and goes by tens of MiB with the collector, so nothing small can be weighed by it.
 */
export function nativeHeapKib(dir: string): number {
  return processesOf(dir).uwas.reduce((sum, pid) => {
    const maps = tried(() => readFileSync(`/proc/${pid}/smaps`, 'latin1')) ?? ''
    const heap = /\[heap\]\n(?:[^\n]*\n)*?Pss: +(\d+) kB/.exec(maps)?.[1]
    return sum + Number(heap ?? 0)
  }, 0)
}

/** Client ends, `address:port`, of the connections to `port` that the process has accepted. */
export function clientsOf(pid: number, port: number): Set<string> {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => tried(() => readlinkSync(`/proc/${pid}/fd/${fd}`))),
  )
  const clients = new Set<string>()
  for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)) {
    const [, local = '', remote = '', , , , , , , inode] = line.trim().split(/\s+/)
    const [, localPort] = endOf(local)
    if (localPort !== port || !own.has(`socket:[${inode}]`)) continue
    const [address, remotePort] = endOf(remote)
    if (remotePort !== 0) clients.add(`${address}:${remotePort}`)
  }
  return clients
}

/** An end as proc(5) writes it: the address as a number in the machine's order, little-endian here. */
function endOf(text: string): [address: string, port: number] {
  const [address = '', port = ''] = text.split(':')
  const bytes = [3, 2, 1, 0].map((i) => Number.parseInt(address.slice(2 * i, 2 * i + 2), 16))
  return [bytes.join('.'), Number.parseInt(port, 16)]
}

/** Undefined for a process that has ended meanwhile, or that is another user's. */
function tried<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
