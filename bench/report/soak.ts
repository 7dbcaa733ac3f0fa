/** A soak in words and tables: what failed and whose fault it was, and whether memory is flat. */
import { type Slope, slope } from '../method/statistics.ts'
import { CLOSING, DISTURBANCES, type Judged, type Verdict } from '../soak/ledger.ts'
import type { SoakPlan } from '../soak/plan.ts'
import type { MemorySample } from '../soak/processes.ts'
import type { SoakOutcome } from '../soak/run.ts'
import { format } from './figures.ts'

/** The interval has to be above that, for so long at least: a server warms up, and its collector takes its time. */
const MOST_MIB_PER_HOUR = 20
const MOST_DESCRIPTORS_PER_HOUR = 20
const LEAST_MINUTES = 10
const MOST_LISTED = 20
/** It fills its shared buffers as it goes: told, and no fault. */
const POSTGRES = 'PostgreSQL'
const MS_PER_HOUR = 3_600_000

export interface Trend {
  readonly name: string
  readonly unit: string
  readonly first: number
  readonly last: number
  readonly perHour: Slope
  readonly verdict: 'flat' | 'grows' | 'too short to tell'
}

/** Of the second half, where the server was its supervisor and its workers and nothing else. */
export function trendsOf(samples: readonly MemorySample[], workers: number): Trend[] {
  const whole = samples.filter(({ processes }) => processes === workers + 1)
  const second = whole.slice(whole.length >> 1)
  const minutes = ((second.at(-1)?.at ?? 0) - (second[0]?.at ?? 0)) / 60_000
  const trend = (name: string, unit: string, most: number, of: (one: MemorySample) => number) => {
    const perHour = slope(second.map((one) => [one.at / MS_PER_HOUR, of(one)]))
    const grows = perHour.low > most
    const verdict = minutes < LEAST_MINUTES ? 'too short to tell' : grows ? 'grows' : 'flat'
    const ends = [whole[0], whole.at(-1)].map((one) => (one === undefined ? Number.NaN : of(one)))
    const [first = Number.NaN, last = Number.NaN] = ends
    return { name, unit, first, last, perHour, verdict } as const
  }
  return [
    trend('uwas', 'MiB', MOST_MIB_PER_HOUR, ({ uwasMib }) => uwasMib),
    trend(POSTGRES, 'MiB', MOST_MIB_PER_HOUR, ({ postgresMib }) => postgresMib),
    trend('descriptors', '', MOST_DESCRIPTORS_PER_HOUR, ({ descriptors }) => descriptors),
  ]
}

/** What may not be; empty when the server has kept its word. */
export function faultsOf(outcome: SoakOutcome, trends: readonly Trend[]): string[] {
  const { incidents, disturbances, leftOver, loads, stopProblem } = outcome
  const faults = incidents.filter(({ verdict }) => verdict === 'fault')
  const undone = disturbances.filter(({ problem }) => problem !== undefined)
  const growing = trends.filter(({ name, verdict }) => verdict === 'grows' && name !== POSTGRES)
  const told = incidents.filter(
    ({ kind, client }) => client in loads && kind !== 'retried' && kind !== 'idle-closed',
  )
  const failed = Object.values(loads).reduce((sum, { errors }) => sum + errors, 0)
  return [
    ...(faults.length > 0
      ? [`${faults.length} failures that a healthy worker could have spared`]
      : []),
    ...undone.map(({ name, problem }) => `${name} did not work: ${problem}`),
    ...growing.map(({ name }) => `${name} grows`),
    ...(leftOver > 0 ? [`${leftOver} processes are left over`] : []),
    ...(stopProblem === undefined ? [] : [`stop did not work: ${stopProblem}`]),
    ...(failed > told.length
      ? [`${failed - told.length} failed requests that nobody told of`]
      : []),
  ]
}

export function soakTable(
  plan: SoakPlan,
  outcome: SoakOutcome,
  trends: readonly Trend[],
  faults: readonly string[],
): string {
  const parts = [
    `## Soak: ${plan.rate} requests a second for ${format((outcome.endedAt - outcome.startedAt) / 60_000, 1)} minutes, ${plan.workers} workers`,
    clientTable(outcome),
    disturbanceTable(outcome),
    memoryTable(trends),
    ...idleLine(outcome),
    ...faultList(outcome.incidents),
    ...logLines(outcome.errors),
    faults.length === 0
      ? `Passed: not one request failed that a healthy worker could have answered.${sentAgain(outcome)}`
      : `Failed: ${faults.join('; ')}.${sentAgain(outcome)}`,
  ]
  return parts.join('\n\n')
}

function clientTable({ loads, streamMessages }: SoakOutcome): string {
  const rows = Object.entries(loads).map(
    ([name, { sent, requests, errors, retried, opened, p50, p99, p999, most }]) => {
      const latencies = [p50, p99, p999, most].map((ms) => format(ms, 1))
      return `| ${[name, sent, requests, errors, retried, opened, ...latencies].join(' | ')} |`
    },
  )
  return `| client | sent | answered | failed | sent again | connections opened | p50 ms | p99 ms | p99.9 ms | longest ms |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.join('\n')}

WebSockets and event streams: ${streamMessages} messages.`
}

const VERDICTS: readonly Verdict[] = ['fault', 'victim', 'retried', 'closed']

function disturbanceTable({ disturbances, incidents }: SoakOutcome): string {
  const rows = (['quiet', ...DISTURBANCES] as const).map((name) => {
    const own = disturbances.filter((one) => one.name === name)
    const counts = VERDICTS.map((verdict) =>
      countByKind(incidents.filter((one) => one.during === name && one.verdict === verdict)),
    )
    const undone = own.filter(({ problem }) => problem !== undefined).length
    const seconds = own.map(({ startedAt, endedAt = startedAt }) => (endedAt - startedAt) / 1000)
    const longest = own.length === 0 ? '' : format(Math.max(...seconds), 1)
    return `| ${[name, name === 'quiet' ? '' : own.length, undone || '', longest, ...counts].join(' | ')} |`
  })
  return `| during | times | not done | longest s | may not fail | of a killed or stuck worker | answered at the second try | closed between requests |
| --- | ---: | ---: | ---: | --- | --- | --- | --- |
${rows.join('\n')}`
}

/** A server that drops requests which it has taken shows in these numbers, where clients send them once more. */
function sentAgain({ disturbances, incidents }: SoakOutcome): string {
  const counts = DISTURBANCES.flatMap((name) => {
    const times = disturbances.filter((one) => one.name === name).length
    const again = incidents.filter((one) => one.during === name && one.verdict === 'retried').length
    const isTold = again > 0 || (times > 0 && CLOSING.has(name))
    return isTold ? [`${again} in ${times} × ${name}`] : []
  })
  return counts.length === 0 ? '' : ` Requests sent again: ${counts.join(', ')}.`
}

function countByKind(incidents: readonly Judged[]): string {
  const counts = new Map<string, number>()
  for (const { client, kind } of incidents) {
    const name = `${client} ${kind}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].map(([name, count]) => `${count} ${name}`).join(', ') || '0'
}

function memoryTable(trends: readonly Trend[]): string {
  const rows = trends.map(({ name, unit, first, last, perHour, verdict }) => {
    const { middle, low, high, points } = perHour
    const rate = `${format(middle, 1)} (${format(low, 1)} to ${format(high, 1)})`
    return `| ${[`${name}${unit && ` ${unit}`}`, format(first, 1), format(last, 1), rate, points, verdict].join(' | ')} |`
  })
  return `| | first | last | an hour, second half (95 %) | samples | |
| --- | ---: | ---: | ---: | ---: | --- |
${rows.join('\n')}`
}

function idleLine({ idle, loads }: SoakOutcome): string[] {
  if (idle === undefined) return []
  const { connections, kib } = idle
  const again = (loads['idle']?.opened ?? 0) - connections
  const memory = kib === undefined ? '' : ` ${format(kib, 2)} KiB of the server's native heap each;`
  return [`${connections} idle connections:${memory} ${again} were opened again.`]
}

function faultList(incidents: readonly Judged[]): string[] {
  const faults = incidents.filter(({ verdict }) => verdict === 'fault')
  if (faults.length === 0) return []
  const lines = faults
    .slice(0, MOST_LISTED)
    .map(({ at, during, client, kind, from, sent, detail }) => {
      const when = new Date(at).toISOString().slice(11, 23)
      return `- ${when} ${during}: ${client} ${kind} after ${at - sent} ms from ${from}: ${detail}`
    })
  const more = faults.length - lines.length
  return [[...lines, ...(more > 0 ? [`- and ${more} more`] : [])].join('\n')]
}

function logLines(errors: readonly string[]): string[] {
  if (errors.length === 0) return []
  const counts = new Map<string, number>()
  for (const line of errors) {
    const text = line.replace(/\d+/g, 'N')
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  const lines = [...counts].slice(0, MOST_LISTED).map(([text, count]) => `- ${count} × ${text}`)
  return [`Errors in the server's log, numbers left out:\n\n${lines.join('\n')}`]
}
