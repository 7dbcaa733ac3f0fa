/** `npm run bench -- startup [--scenario NAME]… [--rival NAME]… [--starts N]`: how long servers take until they answer. */
import { parseArgs } from 'node:util'
import { enter, type Ground, leaveOut, WrongAnswer, withPlace } from '../bench.ts'
import type { Verified } from '../method/verify.ts'
import { describeTools } from '../method/versions.ts'
import { beginRun, stemOf, write } from '../report/result.ts'
import { type StartRow, startTable } from '../report/startup.ts'
import type { Rival } from '../rivals/rival.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { entrantsFor, scenariosOf, whole } from './options.ts'

/** The exit code: 1 when uwas itself answers a scenario wrongly. */
export async function startupCommand(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: 'string', multiple: true, default: ['static-1k', 'zipf', 'page'] },
      rival: { type: 'string', multiple: true },
      starts: { type: 'string', default: '5' },
    },
  })
  const wanted = scenariosOf(values.scenario)
  const starts = whole(values.starts, 'starts', 2, 100)
  const { scenarios: _, ...run } = beginRun(describeTools(), {
    rounds: starts,
    seconds: 0,
    absent: [],
  })
  const results = []
  try {
    for (const scenario of wanted) {
      const { here, absent } = entrantsFor(scenario, values.rival)
      for (const line of absent) console.log(line)
      const rows = await withPlace(scenario, (ground) => measure(scenario, here, starts, ground))
      console.log(`\n${startTable(scenario.title, rows)}`)
      results.push({ scenario: scenario.name, title: scenario.title, rows })
    }
  } catch (error) {
    if (!(error instanceof WrongAnswer)) throw error
    console.error(`answered wrongly by ${error.message}`)
    return 1
  }
  const text = JSON.stringify({ ...run, results }, null, 1)
  console.log(`\n${write(`${stemOf(run)}-startup.json`, `${text}\n`)}`)
  return 0
}

/** Each is started once a round and stopped again, alone; what it keeps between its starts is left in its folder. */
async function measure(
  scenario: Scenario,
  rivals: readonly Rival[],
  starts: number,
  { dir, server, scratchOf }: Ground,
): Promise<StartRow[]> {
  const rows = new Map<string, StartRow>()
  const leftOut = new Map<string, string>()
  let model: Verified | undefined
  for (let round = 0; round < starts; round++) {
    for (const rival of rivals.filter(({ name }) => !leftOut.has(name))) {
      try {
        const place = { dir, scratch: scratchOf(rival), model, server }
        const { startMs, startCpuMs, verified, running } = await enter(rival, scenario, place)
        await running.stop()
        model ??= verified
        const row = rows.get(rival.name) ?? { name: rival.name, starts: [] }
        const start = { ms: startMs, cpuMs: startCpuMs }
        rows.set(rival.name, { ...row, starts: [...row.starts, start] })
      } catch (error) {
        leaveOut(leftOut, rival.name, error, rival === rivals[0])
        rows.delete(rival.name)
      }
    }
  }
  for (const [name, why] of leftOut) console.log(`${name} is left out: ${why}`)
  return [...rows.values()]
}
