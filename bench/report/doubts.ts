/** What makes a scenario's figures worth less, in words: the machine was disturbed, or the load was the limit. Called by the table and by the page. */
import type { Sample } from '../method/rounds.ts'
import { median } from '../method/statistics.ts'
import { ofProcesses } from './figures.ts'
import type { RivalResult, ScenarioResult } from './result.ts'

/**
 * The kernel's work in interrupts is in the core's time and not in that of processes: a third of it for small answers, on a quiet
 * machine. More than this part is somebody else's.
 */
const MOST_FOREIGN = 0.5
/** A core that is busy for less of the time had to wait for requests. */
const FULL = 0.9

export function doubtsOf({ rivals }: ScenarioResult): readonly string[] {
  const disturbed = rivals.filter((rival) => middle(rival, foreignPart) > MOST_FOREIGN)
  const starved = rivals.filter(
    (rival) => middle(rival, loadBusy) >= FULL && middle(rival, serveBusy) < FULL,
  )
  return [
    ...(disturbed.length === 0
      ? []
      : [
          `The machine was disturbed: ${listOf(disturbed, foreignPart)} of the serving core's time was neither of the server nor of its database. Read "ratio of processes", or run it again on a quiet machine.`,
        ]),
    ...(starved.length === 0
      ? []
      : [
          `The load generator was the limit: its core was full while the serving core was busy for only ${listOf(starved, serveBusy)} of the time. Compare CPU a request, not requests a second.`,
        ]),
  ]
}

/** Of the serving core's time, what neither the server nor its database was billed. */
function foreignPart(sample: Sample): number {
  return 1 - ofProcesses.of(sample) / sample.coreMicros
}

function serveBusy({ coreMicros, requests, seconds }: Sample): number {
  return (coreMicros * requests) / (seconds * 1e6)
}

/** 0 in results that are older than this figure. */
function loadBusy({ loadBusy: busy = 0 }: Sample): number {
  return busy
}

/** NaN, which is beyond no limit, of a rival without samples. */
function middle({ samples }: RivalResult, of: (sample: Sample) => number): number {
  return median(samples.map(of))
}

function listOf(rivals: readonly RivalResult[], of: (sample: Sample) => number): string {
  return rivals
    .map((rival) => `${Math.round(100 * middle(rival, of))} % (${rival.name})`)
    .join(', ')
}
