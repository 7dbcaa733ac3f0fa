/** `npm run bench -- soak [--minutes N] [--rate N] [--workers N] [--disturb NAMES] [--pause S] [--idle N]`: whether a server can be trusted. */
import { readFileSync } from 'node:fs'
import { missingOpenLoad } from '../method/open-load.ts'
import { describeTools } from '../method/versions.ts'
import { beginRun, stemOf, write } from '../report/result.ts'
import { faultsOf, soakTable, trendsOf } from '../report/soak.ts'
import { missingDescriptors, soakPlan } from '../soak/plan.ts'
import { soak } from '../soak/run.ts'

/** Incidents of each verdict in the result: what a reload closes may be very many. */
const MOST_KEPT = 2000

/** The exit code: 1 when something failed that may not. */
export async function soakCommand(args: string[]): Promise<number> {
  const plan = soakPlan(args)
  const obstacle = missingHere() ?? missingOpenLoad() ?? missingDescriptors(plan.idle, mostFiles())
  if (obstacle !== undefined) throw new Error(obstacle)
  const startedAt = Date.now()
  const outcome = await soak(plan, (line) =>
    console.log(`${String(Math.round((Date.now() - startedAt) / 1000)).padStart(5)} s  ${line}`),
  )
  const trends = trendsOf(outcome.samples, plan.workers)
  const faults = faultsOf(outcome, trends)
  const table = soakTable(plan, outcome, trends, faults)
  console.log(`\n${table}`)
  const head = { rounds: 1, seconds: plan.minutes * 60, absent: [] }
  const { scenarios: _, ...run } = beginRun(describeTools(), head)
  const stem = `${stemOf(run)}-soak`
  const { incidents, disturbances, ...rest } = outcome
  const verdicts = new Map<string, number>()
  const kept = incidents.filter(({ verdict }) => {
    const count = (verdicts.get(verdict) ?? 0) + 1
    verdicts.set(verdict, count)
    return count <= MOST_KEPT
  })
  const result = {
    ...run,
    plan,
    faults,
    trends,
    ...rest,
    disturbances: disturbances.map(({ victims, ...one }) => ({ ...one, victims: victims.size })),
    verdicts: Object.fromEntries(verdicts),
    incidents: kept,
  }
  console.log(`\n${write(`${stem}.md`, `${table}\n`)}`)
  console.log(write(`${stem}.json`, `${JSON.stringify(result, null, 1)}\n`))
  return faults.length === 0 ? 0 : 1
}

function missingHere(): string | undefined {
  return process.platform === 'linux'
    ? undefined
    : 'a soak looks into /proc: it runs on Linux alone'
}

/** Descriptors that a process may have at most. */
function mostFiles(): number {
  const text = readFileSync('/proc/self/limits', 'latin1')
  const most = /^Max open files\s+\S+\s+(\S+)/m.exec(text)?.[1]
  return most === 'unlimited' ? Number.POSITIVE_INFINITY : Number(most)
}
