/** What disturbs a soaked server, one after the other. Each leaves in the ledger when it was and whose connections it took away. */
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Disturbance, DisturbanceName } from './ledger.ts'
import { clientsOf } from './processes.ts'
import { type SoakSite, TIMEOUT_MS } from './site.ts'

/** For a recycled worker to serve enough, for a worker that stands still to be replaced. */
const MOST_MS = 60_000
/** Seconds of its share of the load after which a worker is recycled. */
const RECYCLE_AFTER = 3
const LOOK_MS = 20

export interface Disturbing {
  readonly site: SoakSite
  /** Requests a second. */
  readonly rate: number
  /** How often each has happened so far. */
  readonly times: number
}

/** Returns when the server is whole again; what did not go as it has to stands in the ledger. */
export async function disturb(
  name: DisturbanceName,
  context: Disturbing,
  ledger: Disturbance[],
): Promise<void> {
  const one: Disturbance = {
    name,
    startedAt: Date.now(),
    endedAt: undefined,
    victims: new Set(),
    victimsAt: 0,
  }
  ledger.push(one)
  try {
    await WAYS[name](context, one)
  } catch (error) {
    one.problem = (error as Error).message.trim()
  }
  one.endedAt = Date.now()
}

const WAYS: Record<DisturbanceName, (context: Disturbing, one: Disturbance) => Promise<void>> = {
  reload: async ({ site }) => void (await site.command('reload')),
  upgrade: async ({ site }) => void (await site.command('upgrade')),
  kill,
  /** A loop of its own code and a process that is stopped take turns. */
  stuck: (context, one) => (context.times % 2 === 0 ? loop(context, one) : freeze(context, one)),
  recycle,
}

/** It is stopped first, so that what it has accepted is known exactly: it accepts nothing more. */
async function kill({ site, times }: Disturbing, one: Disturbance): Promise<void> {
  const pid = await stopOne(site, times, one)
  process.kill(pid, 'SIGKILL')
  await site.settled(new Set([pid]), MOST_MS)
}

async function freeze({ site, times }: Disturbing, one: Disturbance): Promise<void> {
  const pid = await stopOne(site, times, one)
  await site.settled(new Set([pid]), MOST_MS)
}

async function stopOne(site: SoakSite, times: number, one: Disturbance): Promise<number> {
  const pids = await site.settled(new Set())
  const pid = pids[times % pids.length] as number
  process.kill(pid, 'SIGSTOP')
  mark(one, clientsOf(pid, site.port))
  return pid
}

/** Whoever takes the request for ever is found by its connection. */
async function loop({ site }: Disturbing, one: Disturbance): Promise<void> {
  const pids = await site.settled(new Set())
  const asking = request(`${site.origin}/loop`, { method: 'POST', agent: false })
  asking.on('error', () => {})
  asking.end()
  try {
    const end = await ownEnd(asking)
    const until = Date.now() + TIMEOUT_MS
    while (Date.now() < until) {
      const pid = pids.find((each) => clientsOf(each, site.port).has(end))
      if (pid !== undefined) {
        // It has accepted the connection; the view begins within a turn of its loop, and then it accepts nothing more.
        await sleep(LOOK_MS * 5)
        mark(one, clientsOf(pid, site.port))
        await site.settled(new Set([pid]), MOST_MS)
        return
      }
      await sleep(LOOK_MS)
    }
    throw new Error('no worker has taken the request that never ends')
  } finally {
    asking.destroy()
  }
}

function ownEnd(asking: ReturnType<typeof request>): Promise<string> {
  return new Promise((resolve) => {
    asking.once('socket', (socket) => {
      const tell = (): void => resolve(`${socket.localAddress}:${socket.localPort}`)
      if (socket.connecting) socket.once('connect', tell)
      else tell()
    })
  })
}

/** Workers that have served enough are replaced by themselves; the limit holds until both have been. */
async function recycle({ site, rate }: Disturbing): Promise<void> {
  const { workers } = await site.status()
  site.configure(Math.max(1, Math.round((rate * RECYCLE_AFTER) / workers.length)))
  try {
    await site.command('reload')
    const first = await site.settled(new Set())
    await site.settled(new Set(first), MOST_MS)
  } finally {
    site.configure(0)
    await site.command('reload')
  }
}

function mark(one: Disturbance, victims: ReadonlySet<string>): void {
  one.victims = victims
  one.victimsAt = Date.now()
}
