/** A run as one HTML page that needs nothing else: charts, each with its table, and all settings. */
import { type Bar, barChart, type DotRow, dotChart, escapeText } from './chart.ts'
import { doubtsOf } from './doubts.ts'
import { core, type Figure, format, ratioOf, spreadOf, throughput } from './figures.ts'
import type { RivalResult, Run, ScenarioResult } from './result.ts'
import { STYLE } from './style.ts'
import { cellsOf, headLine } from './table.ts'

/** A bar longer than this many times that of uwas would make the others too short to compare. */
const LONGEST = 6

export function runPage(run: Run): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>uwas beside others, ${run.at.slice(0, 10)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>uwas beside others</h1>
<p>${escapeText(headLine(run))}.</p>
${(run.doubts ?? []).map((line) => `<p><strong>${escapeText(line)}.</strong></p>`).join('\n')}
<p class="quiet">Servers on cores of their own, load on others. Every answer was checked before it was timed. Rounds are interleaved; bars
are medians of the rounds, lines in them reach from the smallest to the largest. Differences within that spread are none.</p>
${overview(run)}
${run.scenarios.map(section).join('\n')}
<h2>Where the figures come from</h2>
${machine(run)}
${settings(run)}
</main>
</body>
</html>
`
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
${tableOf(scenario)}
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

function tableOf(scenario: ScenarioResult): string {
  const [head = [], ...rows] = cellsOf(scenario)
  const line = (cells: readonly string[]): string =>
    `<tr>${cells.map((cell, i) => (i === 0 ? `<th scope="row">${escapeText(cell)}</th>` : `<td>${escapeText(cell)}</td>`)).join('')}</tr>`
  return `<details>
<summary>All figures of ${escapeText(scenario.name)}</summary>
<div class="scroll" tabindex="0" role="region" aria-label="All figures of ${escapeText(scenario.name)}"><table>
<thead><tr>${head.map((cell) => `<th scope="col">${escapeText(cell)}</th>`).join('')}</tr></thead>
<tbody>${rows.map(line).join('\n')}</tbody>
</table></div>
</details>`
}

function machine({ machine: of, tools, commit, dirty, at, absent }: Run): string {
  const facts: Record<string, string> = {
    time: at,
    commit: dirty ? `${commit}, with changes` : commit,
    CPU: `${of.cpu}, ${of.cores} cores, ${of.virtualization}`,
    caches: of.caches.join(', '),
    governor: of.governor,
    memory: `${of.memoryMib.toLocaleString('en')} MiB`,
    kernel: of.kernel,
    ...tools,
  }
  const list = (all: Readonly<Record<string, string>>): string =>
    `<dl>${Object.entries(all)
      .map(([name, value]) => `<dt>${escapeText(name)}</dt><dd>${escapeText(value)}</dd>`)
      .join('\n')}</dl>`
  const missing = absent.map((line) => `<p class="quiet">${escapeText(line)}</p>`)
  return `${list(facts)}
${missing.join('\n')}
<details><summary>Settings of the kernel</summary>${list(of.sysctls)}</details>`
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
