/** Latencies at fixed rates as one HTML page: a chart of the 99th percentiles for each rate, and all figures as a table. */
import type { OpenResult } from '../method/open-load.ts'
import { median } from '../method/statistics.ts'
import { type Bar, barChart, escapeText } from './chart.ts'
import { format } from './figures.ts'
import { figuresTable, originOf, pageOf } from './html.ts'
import { type AtRate, type LatencyRow, latencyCells, noteOf } from './latency.ts'
import type { Run } from './result.ts'

export interface LatencyResult {
  readonly scenario: string
  readonly title: string
  /** uwas comes first. */
  readonly rows: readonly LatencyRow[]
}

/** A server that cannot do a rate would make all other bars too short to see. */
const LONGEST = 12

export function latencyPage(run: Run, results: readonly LatencyResult[]): string {
  return pageOf(run, 'Latency at fixed rates', [
    `<p class="quiet">From when a request was due until its answer, so that a server which stops is late for all that was due meanwhile. Bars are
medians of the rounds, lines in them reach from the smallest to the largest.</p>`,
    ...results.map(section),
    '<h2>Where the figures come from</h2>',
    originOf(run),
  ])
}

function section({ scenario, title, rows }: LatencyResult): string {
  const rates = rows[0]?.at.map(({ rate }) => rate) ?? []
  const charts = rates.map((rate, i) => {
    const at = rows.map((row): readonly [string, AtRate] => [row.name, row.at[i] as AtRate])
    return chart(`${scenario}-${i}`, `${format(rate, 0)} requests a second`, at)
  })
  const halves = rows.flatMap(({ name, half }) =>
    half === undefined ? [] : [[`${name}, ${format(half.rate, 0)}/s`, half] as const],
  )
  const last =
    halves.length === 0
      ? []
      : [chart(`${scenario}-half`, 'half of what each can do at most', halves)]
  return `<h2>${escapeText(title)}</h2>
${[...charts, ...last].join('\n')}
${figuresTable(scenario, latencyCells(rows))}`
}

function chart(
  id: string,
  what: string,
  servers: readonly (readonly [name: string, at: AtRate])[],
): string {
  const bars = servers.map(([label, at], i) => barOf(label, at, i === 0))
  const own = bars.find(({ isOwn }) => isOwn)?.value ?? Number.POSITIVE_INFINITY
  const words = bars.map(({ label, text }) => `${label} ${text}`).join('; ')
  return `<figure>
<figcaption>At ${escapeText(what)}: 99 of 100 answers take no longer. Shorter is better.</figcaption>
${barChart({ id, title: `99th percentile at ${what}`, description: `${words}.`, limit: own * LONGEST, bars: bars.sort((a, b) => a.value - b.value) })}
</figure>`
}

function barOf(label: string, { rate, samples }: AtRate, isOwn: boolean): Bar {
  const values = samples.map(({ p99 }: OpenResult) => p99)
  const value = median(values)
  const note = noteOf(rate, samples)
  return {
    label,
    value,
    text: `${format(value, 2)} ms${note === '' ? '' : ` (${note})`}`,
    low: Math.min(...values),
    high: Math.max(...values),
    part: 0,
    isOwn,
  }
}
