/** Clients that ask a site that answers with pids, for as long as a test does something to its server. */
import { Agent, get } from 'node:http'
import type { Test } from 'tap'
import { eventually } from './supervised.ts'

/** What clients have seen, who ask one request after the other until they are told to stop. */
export interface Load {
  readonly answered: () => number
  readonly failures: readonly string[]
  /** Resolves when all have had their last reply. */
  stop(): Promise<void>
}

/** Half of the clients keep their connections, half make one for each request. */
export function startLoad(t: Test, url: string, clients: number): Load {
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

export const CLIENTS = 16

/** Lets clients get so many further replies, so that what happened has met all of them. */
export async function goOn({ answered }: Load, count = 20 * CLIENTS): Promise<void> {
  const from = answered()
  await eventually('clients are answered', () => answered() >= from + count)
}
