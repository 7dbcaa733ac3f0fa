/** `npm run bench -- [--scenario NAME]... [--rounds N] [--seconds N] [--list]`: see README.md here. */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { bench, WrongAnswer } from './bench.ts'
import { missingLoad } from './method/load.ts'
import { notes, save, table } from './report.ts'
import { rivals } from './rivals/all.ts'
import type { Rival } from './rivals/rival.ts'
import { viewRivals } from './rivals/views.ts'
import { scenarios } from './scenarios/all.ts'
import type { Scenario } from './scenarios/scenario.ts'

function isHere(rival: Rival): boolean {
  const missing = rival.missing()
  if (missing !== undefined) console.log(`${rival.name} is left out: ${missing}`)
  return missing === undefined
}

function whole(text: string, name: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 1000) {
    throw new Error(`--${name} is ${text}; it has to be a whole number from 1 to 1000`)
  }
  return value
}

function chosen(names: readonly string[]): readonly Scenario[] {
  if (names.includes('all')) return scenarios
  return names.map((name) => {
    const scenario = scenarios.find((one) => one.name === name)
    if (scenario === undefined) throw new Error(`there is no scenario ${name}; --list shows all`)
    return scenario
  })
}

/** Whether uwas answered as it has to. */
async function report(
  scenario: Scenario,
  here: readonly Rival[],
  rounds: number,
  seconds: number,
): Promise<boolean> {
  const load = `${rounds} rounds of ${seconds} s, ${scenario.connections} connections`
  console.log(`\n${scenario.name}, ${scenario.title}: ${load}\n`)
  try {
    const outcome = await bench(scenario, here, rounds, seconds)
    const file = save(scenario, here, outcome)
    console.log(`${table(scenario, here, outcome)}\n${notes(outcome)}\n${file}`)
    return true
  } catch (error) {
    if (!(error instanceof WrongAnswer)) throw error
    console.error(`${scenario.name} is answered wrongly by ${error.message}`)
    return false
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', multiple: true, default: ['static-1k'] },
      rounds: { type: 'string', default: '7' },
      seconds: { type: 'string', default: '3' },
      list: { type: 'boolean', default: false },
    },
  })
  if (values.list) {
    for (const { name, title } of scenarios) console.log(`${name.padEnd(14)} ${title}`)
    return 0
  }
  const obstacle =
    missingLoad() ??
    (availableParallelism() < 2 ? 'two cores are needed: one serves, one loads' : undefined)
  if (obstacle !== undefined) throw new Error(obstacle)
  const wanted = chosen(values.scenario)
  const rounds = whole(values.rounds, 'rounds')
  const seconds = whole(values.seconds, 'seconds')
  const isOf = (kind: boolean) => wanted.some(({ view }) => (view !== undefined) === kind)
  const ofFiles = isOf(false) ? rivals.filter(isHere) : []
  const ofViews = isOf(true) ? viewRivals.filter(isHere) : []
  let right = true
  for (const scenario of wanted) {
    const here = scenario.view === undefined ? ofFiles : ofViews
    right = (await report(scenario, here, rounds, seconds)) && right
  }
  return right ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(`bench: ${(error as Error).message}`)
  process.exitCode = 2
}
