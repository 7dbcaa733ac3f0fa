/** `npm run bench -- [--scenario NAME]… [--rival NAME]… [--rounds N] [--seconds N]`: measures, and writes the report. */
import { parseArgs } from 'node:util'
import { bench, WrongAnswer } from '../bench.ts'
import { missingLoad, whyNoLoad } from '../method/load.ts'
import { describeTools } from '../method/versions.ts'
import { collect } from '../report/collect.ts'
import { runPage } from '../report/page.ts'
import { beginRun, type Run, readRun, stemOf, write } from '../report/result.ts'
import { runTable, scenarioTable } from '../report/table.ts'
import type { Rival } from '../rivals/rival.ts'
import { scenarios } from '../scenarios/all.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { entrantsFor, scenariosOf, whole } from './options.ts'

/** The exit code: 1 when uwas itself answers a scenario wrongly. */
export async function runCommand(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: 'string', multiple: true, default: ['static-1k'] },
      rival: { type: 'string', multiple: true },
      rounds: { type: 'string', default: '7' },
      seconds: { type: 'string', default: '3' },
      list: { type: 'boolean', default: false },
    },
  })
  if (values.list) {
    for (const { name, title } of scenarios) console.log(`${name.padEnd(14)} ${title}`)
    return 0
  }
  const obstacle = missingLoad()
  if (obstacle !== undefined) throw new Error(obstacle)
  const wanted = scenariosOf(values.scenario)
  const rounds = whole(values.rounds, 'rounds')
  const seconds = whole(values.seconds, 'seconds')
  const entrants = new Map(wanted.map((one) => [one, entrantsFor(one, values.rival)]))
  const absent = [...new Set([...entrants.values()].flatMap((one) => one.absent))]
  for (const line of absent) console.log(line)
  let run = beginRun(describeTools(), { rounds, seconds, absent })
  for (const line of run.doubts ?? []) console.log(line)
  let isRight = true
  for (const scenario of wanted) {
    const why = whyNoLoad(scenario)
    if (why !== undefined) {
      console.log(`\n${scenario.name} is left out: ${why}`)
      continue
    }
    const next = await measure(run, scenario, entrants.get(scenario)?.here ?? [])
    isRight &&= next !== undefined
    run = next ?? run
  }
  return isRight ? 0 : 1
}

/** The run with the scenario's figures in it, saved; undefined when uwas answered wrongly. */
async function measure(
  run: Run,
  scenario: Scenario,
  here: readonly Rival[],
): Promise<Run | undefined> {
  const load = `${run.rounds} rounds of ${run.seconds} s, ${scenario.connections} connections`
  console.log(`\n${scenario.name}, ${scenario.title}: ${load}\n`)
  try {
    const outcome = await bench(scenario, here, run.rounds, run.seconds)
    const result = collect(scenario, here, outcome)
    const { postgres } = outcome
    const tools = postgres === undefined ? run.tools : { ...run.tools, postgres }
    const next = { ...run, tools, scenarios: [...run.scenarios, result] }
    console.log(`${scenarioTable(result)}\n\n${save(next).join('\n')}`)
    return next
  } catch (error) {
    if (!(error instanceof WrongAnswer)) throw error
    console.error(`${scenario.name} is answered wrongly by ${error.message}`)
    return undefined
  }
}

/** JSON, page and Markdown; the paths. A run that is broken off leaves the scenarios that were done. */
function save(run: Run): string[] {
  const stem = stemOf(run)
  return [
    write(`${stem}.json`, `${JSON.stringify(run, null, 1)}\n`),
    write(`${stem}.html`, runPage(run)),
    write(`${stem}.md`, runTable(run)),
  ]
}

/** `npm run bench -- report FILE.json`: the page and the Markdown once more, of a result that is there. */
export function reportCommand(args: string[]): number {
  const { positionals } = parseArgs({ args, allowPositionals: true })
  const [file] = positionals
  if (file === undefined || positionals.length > 1) {
    throw new Error('report takes one result: npm run bench -- report bench/results/TIME.json')
  }
  const run = readRun(file)
  const stem = file.replace(/\.json$/, '')
  console.log(write(`${stem}.html`, runPage(run)))
  console.log(write(`${stem}.md`, runTable(run)))
  return 0
}
