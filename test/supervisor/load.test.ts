import { Agent, get } from 'node:http'
import t, { type Test } from 'tap'
import {
  answering,
  childrenOf,
  eventually,
  skipWithoutGate,
  superviseSite,
} from '../support/supervised.ts'

/** What clients have seen, who ask one request after the other until they are told to stop. */
interface Load {
  readonly answered: () => number
  readonly failures: readonly string[]
  /** Resolves when all have had their last reply. */
  stop(): Promise<void>
}

/** Half of the clients keep their connections, half make one for each request. */
function startLoad(t: Test, url: string, clients: number): Load {
  let answered = 0
  let isOver = false
  const failures: string[] = []
  const agents = Array.from({ length: clients }, (_, i) =>
    i % 2 === 0 ? new Agent({ keepAlive: true, maxSockets: 1 }) : new Agent({ keepAlive: false }),
  )
  t.teardown(() => {
    isOver = true
    for (const agent of agents) agent.destroy()
  })
  const loops = agents.map(async (agent) => {
    while (!isOver) {
      const failure = await askOnce(url, agent)
      if (failure === null) answered++
      else failures.push(failure)
    }
  })
  return {
    answered: () => answered,
    failures,
    async stop() {
      isOver = true
      await Promise.all(loops)
    },
  }
}

/** Null, or why there was no whole reply. */
function askOnce(url: string, agent: Agent): Promise<string | null> {
  return new Promise((resolve) => {
    const request = get(url, { agent, timeout: 60_000 }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      response.once('error', (error) => resolve(`reply: ${error.message}`))
      response.once('end', () => {
        const isWhole = response.statusCode === 200 && /^\d+$/.test(text)
        resolve(isWhole ? null : `${response.statusCode} ${text}`)
      })
    })
    request.once('timeout', () => request.destroy(new Error('no reply for a minute')))
    request.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })
}

const CLIENTS = 16

/** Lets clients get so many further replies, so that what happened has met all of them. */
async function goOn({ answered }: Load, count = 20 * CLIENTS): Promise<void> {
  const from = answered()
  await eventually('clients are answered', () => answered() >= from + count)
}

t.test('reloads under load lose no request', { skip: skipWithoutGate }, async (t) => {
  const { child, url, printed, stderr } = await superviseSite(t, 'workers: 2')
  await answering(url, 2)
  const load = startLoad(t, url, CLIENTS)
  await goOn(load)
  for (let i = 0; i < 3; i++) {
    const from = stderr().length
    const before = childrenOf(child.pid ?? 0)
    child.kill('SIGHUP')
    await printed(/reloaded in/, from)
    await eventually('the old workers have ended', () => {
      const now = childrenOf(child.pid ?? 0)
      return !before.some((pid) => now.includes(pid))
    })
    await goOn(load)
  }
  await load.stop()
  t.strictSame(load.failures, [])
})

t.test(
  'replacing workers one by one under load loses no request',
  { skip: skipWithoutGate },
  async (t) => {
    const { child, url } = await superviseSite(t, 'workers: 2')
    const first = await answering(url, 2)
    const load = startLoad(t, url, CLIENTS)
    await goOn(load)
    for (const pid of first) {
      process.kill(pid, 'SIGTERM')
      await eventually('it has ended', () => !childrenOf(child.pid ?? 0).includes(pid))
      await goOn(load)
    }
    await load.stop()
    t.strictSame(load.failures, [])
  },
)

t.test(
  'a worker that is killed under load costs the connections that it had, and no other',
  { skip: skipWithoutGate },
  async (t) => {
    const { child, url } = await superviseSite(t, 'workers: 2')
    const [first = 0] = await answering(url, 2)
    const load = startLoad(t, url, CLIENTS)
    await goOn(load)
    process.kill(first, 'SIGKILL')
    await eventually('another one has its place', () => {
      const now = childrenOf(child.pid ?? 0)
      return now.length === 2 && !now.includes(first)
    })
    await goOn(load)
    await load.stop()
    // Each client has one connection at a time; those of the other worker, and all that came later, were answered.
    t.ok(load.failures.length <= CLIENTS, `${load.failures.length} failures: ${load.failures}`)
    for (const failure of load.failures) t.match(failure, /ECONNRESET|socket hang up|aborted|EPIPE/)
  },
)

t.test(
  'workers that serve a few requests each, under load',
  { skip: skipWithoutGate },
  async (t) => {
    const { url, stderr } = await superviseSite(t, 'workers: { count: 2, maxRequests: 500 }')
    const load = startLoad(t, url, CLIENTS)
    await eventually('several have been replaced', () => stderr().split('is replaced').length > 4)
    await load.stop()
    t.strictSame(load.failures, [])
  },
)
