/** A run as Markdown: a table a scenario, for a terminal and for a README. */

import { listOf } from '../method/cores.ts'
import { doubtsOf } from './doubts.ts'
import { core, errorsOf, figuresOf, format, ofProcesses, ratioOf, spreadOf } from './figures.ts'
import type { RivalResult, Run, ScenarioResult } from './result.ts'

/** Cells of a scenario's table; the first row is the head. Shared with the page. */
export function cellsOf(scenario: ScenarioResult): readonly (readonly string[])[] {
  const figures = figuresOf(scenario)
  const base = scenario.rivals[0]?.name ?? ''
  const head = [
    '',
    ...figures.map(({ title }) => title),
    `ratio to ${base}`,
    'ratio of processes',
    'errors',
    'fields that differ',
  ]
  return [head, ...scenario.rivals.map((rival) => rowOf(scenario, rival))]
}

function rowOf(scenario: ScenarioResult, rival: RivalResult): string[] {
  const ratio = (figure: typeof core): string => {
    const { middle, low, high } = ratioOf(scenario, rival, figure)
    return `${format(middle, 3)} (${format(low, 3)}–${format(high, 3)})`
  }
  return [
    rival.isPeer ? `${rival.name} (peer)` : rival.name,
    ...figuresOf(scenario).map((figure) => format(spreadOf(rival, figure).middle, figure.digits)),
    ratio(core),
    ratio(ofProcesses),
    String(errorsOf(rival)),
    rival.differing.join(', ') || 'none',
  ]
}

export function scenarioTable(scenario: ScenarioResult): string {
  const [head = [], ...rows] = cellsOf(scenario)
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'))
  const marked = rows.map((cells, i) =>
    scenario.rivals[i]?.isPeer ? [`**${cells[0]}**`, ...cells.slice(1)] : cells,
  )
  const lines = [head, rule, ...marked].map((cells) => `| ${cells.join(' | ')} |`)
  const left = Object.entries(scenario.leftOut).map(
    ([name, why]) => `\n${name} is left out here: ${why}`,
  )
  const doubts = doubtsOf(scenario).map((doubt) => `\n${doubt}`)
  return [...lines, ...left, ...doubts].join('\n')
}

/** The whole run: what it comes from, and a table a scenario. */
export function runTable(run: Run): string {
  const parts = run.scenarios.map(
    (scenario) => `## ${scenario.name}: ${scenario.title}\n\n${scenarioTable(scenario)}\n`,
  )
  const doubts = (run.doubts ?? []).map((line) => `**${line}.**\n`)
  return [`# uwas beside others\n`, `${headLine(run)}\n`, ...doubts, ...parts, ...run.absent].join(
    '\n',
  )
}

function describePlace({ serve, load, generator }: NonNullable<Run['place']>): string {
  const named = (list: readonly number[]) => `core${list.length > 1 ? 's' : ''} ${listOf(list)}`
  return `servers on ${named(serve)}, load by ${generator} on ${named(load)}`
}

/** Commit, machine and method in one line. */
export function headLine(run: Run): string {
  const { machine, tools } = run
  return [
    run.at.slice(0, 10),
    `commit ${run.commit.slice(0, 10)}${run.dirty ? ' with changes' : ''}`,
    `${machine.cores} cores of ${machine.cpu}`,
    `Linux ${machine.kernel.split(' ')[0]}`,
    `Node ${tools['node']}`,
    `${run.rounds} rounds of ${run.seconds} s`,
    ...(run.place === undefined ? [] : [describePlace(run.place)]),
  ].join(', ')
}
