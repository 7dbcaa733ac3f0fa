/** What a scenario's measurement gave, with what its rivals are → the part of a run that is kept. */
import type { Outcome } from '../bench.ts'
import type { Rival } from '../rivals/rival.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { peersOf } from './figures.ts'
import type { ScenarioResult } from './result.ts'

export function collect(
  scenario: Scenario,
  rivals: readonly Rival[],
  outcome: Outcome,
): ScenarioResult {
  const measured = rivals.flatMap((rival) => {
    const samples = outcome.samples.get(rival.name)
    return samples === undefined ? [] : [{ rival, samples }]
  })
  const isThroughput = scenario.throughput ?? false
  const peers = peersOf(
    isThroughput,
    measured.map(({ rival, samples }) => ({ ...rival, samples })),
  )
  return {
    name: scenario.name,
    title: scenario.title,
    connections: scenario.connections,
    throughput: isThroughput,
    reads: scenario.view?.reads !== undefined,
    bodyBytes: outcome.bodyBytes,
    rivals: measured.map(({ rival: { name, family, version }, samples }) => {
      const { command = [], configuration } = outcome.running.get(name) ?? {}
      return {
        name,
        ...(family !== undefined && { family }),
        version: version(),
        command,
        ...(configuration !== undefined && { configuration }),
        isPeer: peers.has(name),
        differing: outcome.differing.get(name) ?? [],
        samples,
      }
    }),
    leftOut: Object.fromEntries(outcome.leftOut),
  }
}
