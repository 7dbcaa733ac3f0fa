/** Latencies at fixed rates as a table: medians of the rounds, and what makes a row worth less. */
import { generatorLimit, type OpenResult } from '../method/open-load.ts'
import { median } from '../method/statistics.ts'
import { format } from './figures.ts'

export interface AtRate {
  /** Requests a second that were due. */
  readonly rate: number
  /** One a round. */
  readonly samples: OpenResult[]
}

export interface LatencyRow {
  readonly name: string
  /** Requests a second where each connection sends the next one after an answer. */
  readonly most: number
  readonly at: readonly AtRate[]
  /** At half of its own most. */
  readonly half?: AtRate
}

/** Less than this part of the due answers came in time: the server cannot do this rate. */
const KEPT = 0.98

const HEAD = `| req/s | | p50 ms | p99 ms | p99.9 ms | longest ms | errors | |
| ---: | --- | ---: | ---: | ---: | ---: | ---: | --- |`

export function latencyTable(title: string, rows: readonly LatencyRow[]): string {
  const rates = rows[0]?.at.map(({ rate }) => rate) ?? []
  const fixed = rates.flatMap((_, i) =>
    rows.map((row) => line(row.name, row.at[i] as AtRate, false)),
  )
  const halves = rows.flatMap(({ name, half }) =>
    half === undefined ? [] : [line(name, half, true)],
  )
  const most = rows.map(({ name, most: value }) => `${name} ${format(value, 0)}`).join(', ')
  return `## ${title}\n\n${[HEAD, ...fixed, ...halves].join('\n')}\n\nMost requests a second, one after the other: ${most}.`
}

/** Each server at each rate, in words, for the page. */
export function latencyCells(rows: readonly LatencyRow[]): string[][] {
  const all = rows.flatMap(({ name, at, half }) => [
    ...at.map((one) => cellsOf(name, one, false)),
    ...(half === undefined ? [] : [cellsOf(name, half, true)]),
  ])
  const head = ['', 'requests/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'longest ms', 'errors', '']
  return [head, ...all.map(([rate = '', name = '', ...rest]) => [name, rate, ...rest])]
}

function line(name: string, at: AtRate, isHalf: boolean): string {
  return `| ${cellsOf(name, at, isHalf).join(' | ')} |`
}

function cellsOf(name: string, { rate, samples }: AtRate, isHalf: boolean): string[] {
  const middle = (of: (sample: OpenResult) => number, digits = 2): string =>
    format(median(samples.map(of)), digits)
  const errors = samples.reduce((sum, one) => sum + one.errors, 0)
  return [
    `${format(rate, 0)}${isHalf ? ' (half of its most)' : ''}`,
    name,
    middle(({ p50 }) => p50),
    middle(({ p99 }) => p99),
    middle(({ p999 }) => p999),
    middle(({ most }) => most, 1),
    String(errors),
    noteOf(rate, samples),
  ]
}

/** What makes the figures worth less; empty: nothing. */
export function noteOf(rate: number, samples: readonly OpenResult[]): string {
  const limits = samples.map(generatorLimit).filter((one) => one !== undefined)
  if (limits.length * 2 > samples.length) return limits[0] ?? ''
  const reached = median(samples.map(({ requests, seconds }) => requests / seconds))
  return reached < KEPT * rate ? `reaches ${format(reached, 0)}` : ''
}
