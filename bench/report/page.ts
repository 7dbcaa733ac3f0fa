/** A run as one HTML page that needs nothing else: charts, each with its table, and all settings. */
import { type Bar, barChart, type DotRow, dotChart, escapeText } from './chart.ts'
import { doubtsOf } from './doubts.ts'
import { core, type Figure, format, ratioOf, spreadOf, throughput } from './figures.ts'
import { figuresTable, originOf, pageOf } from './html.ts'
import type { RivalResult, Run, ScenarioResult } from './result.ts'
import { cellsOf } from './table.ts'

/** A bar longer than this many times that of uwas would make the others too short to compare. */
const LONGEST = 6

export function runPage(run: Run): string {
  return pageOf(run, 'uwas beside others', [
    `<p class="quiet">Servers on cores of their own, load on others. Every answer was checked before it was timed. Rounds are interleaved; bars
are medians of the rounds, lines in them reach from the smallest to the largest. Differences within that spread are none.</p>`,
    overview(run),
    ...run.scenarios.map(section),
    '<h2>Where the figures come from</h2>',
    originOf(run),
    settings(run),
  ])
}

/** What each server costs beside uwas, all scenarios on one axis. */
function overview({ scenarios }: Run): string {
  if (scenarios.length < 2) return ''
  const rows = scenarios.map(({ name, ...scenario }): DotRow => {
    const dots = scenario.rivals.slice(1).map((rival) => {
      const { middle } = ratioOf({ name, ...scenario }, rival, core)
      return { label: rival.name, ratio: middle }
    })
    const best = dots.reduce((a, b) => (b.ratio < a.ratio ? b : a), { label: '', ratio: Infinity })
    const text = dots.length === 0 ? 'nobody else' : `${best.label} ${best.ratio.toFixed(2)}×`
    return { label: name, text, dots }
  })
  const words = rows.map(({ label, text }) => `${label}: the best other is ${text}`).join('; ')
  return `<figure>
<figcaption>CPU a request of each server, in times of uwas (dashed line); left of it is cheaper than uwas. The best other is
named.</figcaption>
${dotChart('overview', 'CPU a request beside uwas', `${words}.`, rows)}
</figure>`
}

function section(scenario: ScenarioResult): string {
  const charts = [core, ...(scenario.throughput ? [throughput(scenario)] : [])]
  const left = Object.entries(scenario.leftOut).map(
    ([name, why]) => `<p class="quiet">${escapeText(`${name} is left out here: ${why}`)}</p>`,
  )
  const doubts = doubtsOf(scenario).map((doubt) => `<p><strong>${escapeText(doubt)}</strong></p>`)
  return `<h2 id="${scenario.name}">${escapeText(scenario.title)}</h2>
<p class="quiet">${escapeText(scenario.name)}, ${scenario.connections} connections</p>
${doubts.join('\n')}
${charts.map((figure) => chartOf(scenario, figure)).join('\n')}
${figuresTable(scenario.name, cellsOf(scenario))}
${left.join('\n')}`
}

function chartOf(scenario: ScenarioResult, figure: Figure): string {
  const isCost = figure === core
  const bars = scenario.rivals.map((rival, i) => barOf(rival, i === 0, figure, isCost))
  bars.sort((a, b) => (figure.better === 'lower' ? a.value - b.value : b.value - a.value))
  const own = bars.find(({ isOwn }) => isOwn)?.value ?? Infinity
  const words = bars.map(({ label, text }) => `${label} ${text}`).join('; ')
  const database =
    isCost && scenario.reads
      ? ' <span class="key" style="background:var(--other-part)"></span>the part of it that is PostgreSQL’s'
      : ''
  const what = isCost
    ? 'CPU a request, microseconds of the serving core: shorter is better.'
    : `${figure.title}: longer is better.`
  return `<figure>
<figcaption>${what}${database}</figcaption>
${barChart({
  id: `${scenario.name}-${isCost ? 'cost' : 'throughput'}`,
  title: `${scenario.title}: ${figure.title}`,
  description: `${words}.`,
  limit: isCost ? own * LONGEST : Infinity,
  bars,
})}
</figure>`
}

function barOf(rival: RivalResult, isOwn: boolean, figure: Figure, isCost: boolean): Bar {
  const { middle, low, high } = spreadOf(rival, figure)
  const database = spreadOf(rival, { ...figure, of: (sample) => sample.databaseMicros }).middle
  const unit = isCost ? 'µs' : 'MiB/s'
  return {
    label: rival.name,
    value: middle,
    text: `${format(middle, isCost && middle < 100 ? 1 : 0)} ${unit}`,
    low,
    high,
    part: isCost ? Math.min(database, middle) : 0,
    isOwn,
  }
}

/** Of each server once, as it ran first. */
function settings({ scenarios }: Run): string {
  const seen = new Map<string, RivalResult>()
  for (const rival of scenarios.flatMap(({ rivals }) => rivals)) {
    if (!seen.has(rival.name)) seen.set(rival.name, rival)
  }
  const blocks = [...seen.values()].map(({ name, version, command, configuration }) => {
    const text = [command.join(' '), configuration?.trim()].filter(Boolean).join('\n\n')
    return `<details><summary>${escapeText(`${name}: ${version}`)}</summary><pre>${escapeText(text)}</pre></details>`
  })
  return `<h3>Servers and their settings</h3>\n${blocks.join('\n')}`
}
