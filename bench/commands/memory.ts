/** `npm run bench -- memory [--scenario NAME]… [--rival NAME]… [--seconds N] [--idle N]`: what servers keep, before, at and after a load. */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Entered, WrongAnswer, withRivals } from '../bench.ts'
import { cores } from '../method/cores.ts'
import { load, missingLoad } from '../method/load.ts'
import { pssMib } from '../method/memory.ts'
import { settledPids } from '../method/rounds.ts'
import { describeTools } from '../method/versions.ts'
import { type MemoryRow, memoryTable } from '../report/memory.ts'
import { beginRun, stemOf, write } from '../report/result.ts'
import type { Rival } from '../rivals/rival.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { entrantsFor, scenariosOf, whole } from './options.ts'

/** The exit code: 1 when uwas itself answers a scenario wrongly. */
export async function memoryCommand(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: 'string', multiple: true, default: ['static-1k', 'page'] },
      rival: { type: 'string', multiple: true },
      seconds: { type: 'string', default: '10' },
      idle: { type: 'string', default: '30' },
    },
  })
  const obstacle = missingLoad()
  if (obstacle !== undefined) throw new Error(obstacle)
  const wanted = scenariosOf(values.scenario)
  const seconds = whole(values.seconds, 'seconds')
  const idle = whole(values.idle, 'idle')
  const { scenarios: _, ...run } = beginRun(describeTools(), { rounds: 1, seconds, absent: [] })
  const results = []
  try {
    for (const scenario of wanted) {
      const { here, absent } = entrantsFor(scenario, values.rival)
      for (const line of absent) console.log(line)
      const rows = await measure(scenario, here, seconds, idle)
      console.log(`\n${memoryTable(scenario.title, rows, { seconds, idle })}`)
      results.push({ scenario: scenario.name, title: scenario.title, rows })
    }
  } catch (error) {
    if (!(error instanceof WrongAnswer)) throw error
    console.error(`answered wrongly by ${error.message}`)
    return 1
  }
  const text = JSON.stringify({ ...run, idle, results }, null, 1)
  console.log(`\n${write(`${stemOf(run)}-memory.json`, `${text}\n`)}`)
  return 0
}

/** Loads one after the other; then all are idle at once. */
function measure(
  scenario: Scenario,
  rivals: readonly Rival[],
  seconds: number,
  idle: number,
): Promise<MemoryRow[]> {
  return withRivals(scenario, rivals, async ({ entered, leftOut }) => {
    for (const [name, why] of leftOut) console.log(`${name} is left out: ${why}`)
    const memory = ({ running }: Entered): number => pssMib(running.pids)
    await settledPids(entered.flatMap(({ running }) => running.pids))
    const before = entered.map(memory)
    const loaded: number[] = []
    for (const one of entered) {
      await load(one.plan, cores(), seconds)
      loaded.push(memory(one))
    }
    await sleep(idle * 1000)
    return entered.map((one, i) => ({
      name: one.name,
      before: before[i] as number,
      loaded: loaded[i] as number,
      after: memory(one),
    }))
  })
}
