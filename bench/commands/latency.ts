/** `npm run bench -- latency [--scenario NAME]… [--rival NAME]… [--rate N]…`: how long answers take at fixed rates, the same for all. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Entered, WrongAnswer, withRivals } from '../bench.ts'
import { cores } from '../method/cores.ts'
import { load, missingLoad } from '../method/load.ts'
import {
  buildOpenLoad,
  missingOpenLoad,
  openLoad,
  planOpenLoad,
  whyNotOpen,
} from '../method/open-load.ts'
import { describeTools } from '../method/versions.ts'
import { type AtRate, type LatencyRow, latencyTable } from '../report/latency.ts'
import { latencyPage } from '../report/latency-page.ts'
import { beginRun, stemOf, write } from '../report/result.ts'
import { headLine } from '../report/table.ts'
import type { Rival } from '../rivals/rival.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { entrantsFor, scenariosOf, whole } from './options.ts'

/** Parts of what uwas does at most: a rate that all are asked for. */
const PARTS = [0.25, 0.5, 0.75]
const MOST_SECONDS = 2

interface Plan {
  readonly rounds: number
  readonly seconds: number
  readonly rates: readonly number[] | undefined
}

export async function latencyCommand(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: 'string', multiple: true, default: ['static-1k'] },
      rival: { type: 'string', multiple: true },
      rate: { type: 'string', multiple: true },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
    },
  })
  const obstacle = missingLoad() ?? missingOpenLoad()
  if (obstacle !== undefined) throw new Error(obstacle)
  const wanted = scenariosOf(values.scenario)
  for (const scenario of wanted) {
    const why = whyNotOpen(scenario)
    if (why !== undefined)
      throw new Error(`${scenario.name} cannot be asked at a fixed rate: ${why}`)
  }
  const plan = {
    rounds: whole(values.rounds, 'rounds'),
    seconds: whole(values.seconds, 'seconds'),
    rates: values.rate?.map((rate) => whole(rate, 'rate', 1, 1_000_000)),
  }
  const run = beginRun(describeTools(), { ...plan, absent: [] })
  const scratch = mkdtempSync(join(tmpdir(), 'uwas-latency-'))
  const results = []
  try {
    const binary = buildOpenLoad(scratch)
    for (const scenario of wanted) {
      const { here, absent } = entrantsFor(scenario, values.rival)
      for (const line of absent) console.log(line)
      const rows = await measure(scenario, here, binary, plan)
      results.push({ scenario: scenario.name, title: scenario.title, rows })
      console.log(`\n${latencyTable(scenario.title, rows)}`)
    }
  } catch (error) {
    if (!(error instanceof WrongAnswer)) throw error
    console.error(`answered wrongly by ${error.message}`)
    return 1
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  const stem = `${stemOf(run)}-latency`
  const tables = results.map(({ title, rows }) => latencyTable(title, rows))
  const text = [`# Latency at fixed rates`, headLine(run), ...tables].join('\n\n')
  const { scenarios: _, ...head } = run
  console.log(`\n${write(`${stem}.md`, `${text}\n`)}`)
  console.log(write(`${stem}.html`, latencyPage(run, results)))
  console.log(write(`${stem}.json`, `${JSON.stringify({ ...head, results }, null, 1)}\n`))
  return 0
}

/** Rounds are interleaved: each server once a rate, then the next round. */
function measure(
  scenario: Scenario,
  rivals: readonly Rival[],
  binary: string,
  plan: Plan,
): Promise<LatencyRow[]> {
  return withRivals(scenario, rivals, async ({ entered, leftOut }) => {
    for (const [name, why] of leftOut) console.log(`${name} is left out: ${why}`)
    const most = new Map<Entered, number>()
    for (const one of entered) {
      const { requests, seconds } = await load(one.plan, cores(), MOST_SECONDS)
      most.set(one, requests / seconds)
    }
    const first = most.get(entered[0] as Entered) ?? 0
    const fixed = plan.rates ?? PARTS.map((part) => Math.round(first * part))
    const tries = entered.map((one) => {
      const own = plan.rates === undefined ? [Math.round((most.get(one) ?? 0) / 2)] : []
      const rates = [...fixed, ...own]
      return { one, tries: rates.map((rate) => ({ rate, samples: [] as AtRate['samples'] })) }
    })
    for (let round = 0; round < plan.rounds; round++) {
      const order = round % 2 === 0 ? tries : [...tries].reverse()
      for (const { one, tries: all } of order) {
        const { origin, scratch, verified } = one
        const open = planOpenLoad(binary, scenario, origin, verified.requestHeaders, scratch)
        for (const at of all) {
          at.samples.push(await openLoad(open, cores().load, at.rate, plan.seconds))
        }
      }
    }
    return tries.map(({ one, tries: all }) => ({
      name: one.name,
      most: most.get(one) ?? 0,
      at: all.slice(0, fixed.length),
      ...(all.length > fixed.length && { half: all.at(-1) as AtRate }),
    }))
  })
}
