/**
 * `npm run bench -- compare A B`: two results, or two commits (`.`: the work tree) that are built and measured in turn. A
 * verdict only outside of the noise.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine } from '../../src/commands/doctor/machine.ts'
import { bench, WrongAnswer } from '../bench.ts'
import { type Build, build } from '../method/builds.ts'
import { missingLoad } from '../method/load.ts'
import { median, ratios } from '../method/statistics.ts'
import { describeTools } from '../method/versions.ts'
import { missingCallgrind } from '../profile/kinds/instructions.ts'
import { requestInstructions } from '../profile/request-instructions.ts'
import { format, ofProcesses } from '../report/figures.ts'
import { readRun, stemOf, write } from '../report/result.ts'
import { judgeCounts, judgePairs, judgeRuns, LEAST_PAIRS, type Verdict } from '../report/verdict.ts'
import { siteAt, uwasAt } from '../rivals/uwas.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { scenariosOf, whole } from './options.ts'

/** The exit code: 1 when B is dearer in any scenario. */
export async function compareCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      scenario: { type: 'string', multiple: true, default: ['static-1k', 'json'] },
      starts: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      instructions: { type: 'boolean', default: false },
    },
  })
  const [a, b] = positionals
  if (a === undefined || b === undefined || positionals.length > 2) {
    throw new Error('compare takes two: results (.json), or commits (. is the work tree)')
  }
  const isFile = [a, b].map((name) => name.endsWith('.json'))
  if (isFile[0] !== isFile[1]) throw new Error('a result cannot be compared with a commit')
  if (isFile[0] && values.instructions) throw new Error('--instructions is for two commits')
  if (isFile[0]) return compareRuns(a, b)
  const { starts, rounds, seconds } = values
  if (values.instructions && [starts, rounds, seconds].some((one) => one !== undefined)) {
    throw new Error('--instructions counts: it has no --starts, --rounds and --seconds')
  }
  const obstacle = values.instructions ? missingCallgrind() : missingLoad()
  if (obstacle !== undefined) throw new Error(obstacle)
  if (values.instructions) return await compareInstructions([a, b], scenariosOf(values.scenario))
  const plan = {
    starts: whole(starts ?? String(LEAST_PAIRS), 'starts', LEAST_PAIRS, 100),
    rounds: whole(rounds ?? '2', 'rounds'),
    seconds: whole(seconds ?? '1', 'seconds'),
  }
  return await compareBuilds([a, b], scenariosOf(values.scenario), plan)
}

const HEAD = `| | verdict | B's cost in times of A's | 99 % interval |
| --- | --- | ---: | ---: |`

function line(name: string, { judgement, ratio, low, high }: Verdict): string {
  const interval = `${format(low, 3)}–${format(high, 3)}`
  return `| ${name} | ${judgement} | ${format(ratio, 3)} | ${interval} |`
}

function exitCode(verdicts: readonly Verdict[]): number {
  return verdicts.some(({ judgement }) => judgement === 'B is dearer') ? 1 : 0
}

function compareRuns(a: string, b: string): number {
  const [first, second] = [readRun(a), readRun(b)]
  const verdicts = judgeRuns(first, second)
  if (verdicts.length === 0) throw new Error('the two results have no scenario in common')
  for (const [name, run] of Object.entries({ A: first, B: second })) {
    console.log(`${name}: ${run.commit.slice(0, 10)}${run.dirty ? ' with changes' : ''}, ${run.at}`)
  }
  if (first.machine.cpu !== second.machine.cpu || first.machine.kernel !== second.machine.kernel) {
    console.log('The machines differ: so may the servers that stand for them, each in its way.')
  }
  if (JSON.stringify(first.place) !== JSON.stringify(second.place)) {
    console.log('They were measured on other cores, or with another load: so is what is compared.')
  }
  console.log(`\n${HEAD}`)
  for (const verdict of verdicts) console.log(line(verdict.scenario, verdict))
  const controls = [...new Set(verdicts.flatMap((verdict) => verdict.controls))]
  console.log(
    controls.length === 0
      ? '\nNo other server is the same in both: what the machine gave at each time is in the verdict.'
      : `\nIn times of the median of ${controls.join(', ')} in the same round.`,
  )
  return exitCode(verdicts)
}

interface Plan {
  readonly starts: number
  readonly rounds: number
  readonly seconds: number
}

async function compareBuilds(
  names: readonly [a: string, b: string],
  scenarios: readonly Scenario[],
  plan: Plan,
): Promise<number> {
  return await withBuilds(names, async (a, b) => {
    console.log(
      `${plan.starts} starts of both, ${plan.rounds} rounds of ${plan.seconds} s each\n\n${HEAD}`,
    )
    const results = []
    for (const scenario of scenarios) {
      const pairs: number[] = []
      for (let start = 0; start < plan.starts; start++) {
        pairs.push(await measureOnce(scenario, [a.root, b.root], plan, start))
      }
      const verdict = judgePairs(pairs)
      console.log(line(scenario.name, verdict))
      results.push({ scenario: scenario.name, pairs, ...verdict })
    }
    const at = new Date().toISOString()
    const commits = { a: { ...a, root: undefined }, b: { ...b, root: undefined } }
    const head = { at, ...commits, ...plan, machine: describeMachine(), tools: describeTools() }
    const text = JSON.stringify({ ...head, scenarios: results }, null, 1)
    console.log(`\n${write(`${stemOf({ at })}-compare.json`, `${text}\n`)}`)
    return exitCode(results)
  })
}

/** No clock, so one start of each will do; a difference within what starts differ by is none. */
async function compareInstructions(
  names: readonly [a: string, b: string],
  scenarios: readonly Scenario[],
): Promise<number> {
  return await withBuilds(names, async (a, b) => {
    console.log('\n| | verdict | A | B | B in times of A |\n| --- | --- | ---: | ---: | ---: |')
    const verdicts = []
    for (const scenario of scenarios) {
      const target = { name: scenario.name, scenario }
      const counts = [
        await requestInstructions(target, a.root),
        await requestInstructions(target, b.root),
      ] as const
      const { judgement, ratio } = judgeCounts(...counts)
      const cells = [
        scenario.name,
        judgement,
        ...counts.map((each) => format(each, 0)),
        format(ratio, 3),
      ]
      console.log(`| ${cells.join(' | ')} |`)
      verdicts.push(judgement)
    }
    return verdicts.includes('B is dearer') ? 1 : 0
  })
}

async function withBuilds<T>(
  names: readonly [a: string, b: string],
  use: (a: Build, b: Build) => Promise<T>,
): Promise<T> {
  const scratch = mkdtempSync(join(tmpdir(), 'uwas-compare-'))
  const builds: Build[] = []
  try {
    for (const [i, name] of names.entries()) {
      console.log(`building ${name}`)
      builds.push(build(name, join(scratch, 'ab'.charAt(i))))
    }
    const [a, b] = builds as [Build, Build]
    console.log(`A: ${a.name} (${a.commit})\nB: ${b.name} (${b.commit})`)
    return await use(a, b)
  } finally {
    for (const one of builds) one.remove()
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Starts both, and gives the median of the rounds' ratios B to A. Who comes first takes turns. */
async function measureOnce(
  scenario: Scenario,
  [a, b]: readonly [a: string, b: string],
  { rounds, seconds }: Plan,
  start: number,
): Promise<number> {
  const at = scenario.view === undefined ? uwasAt : siteAt
  const both = [at(a, 'A'), at(b, 'B')]
  if (start % 2 === 1) both.reverse()
  const { samples, leftOut } = await bench(scenario, both, rounds, seconds)
  for (const [name, why] of leftOut) throw new WrongAnswer(`${name}: ${why}`)
  const costs = (name: string): number[] => (samples.get(name) ?? []).map(ofProcesses.of)
  return median(ratios(costs('B'), costs('A')))
}
