/** Samples → a table for people and JSON for machines. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Outcome } from './bench.ts'
import type { Sample } from './method/rounds.ts'
import type { Rival } from './rivals/rival.ts'
import type { Scenario } from './scenarios/scenario.ts'

const RESULTS = fileURLToPath(new URL('results/', import.meta.url))
const MIB = 1024 * 1024

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** Medians, and the median of the per-round ratios to the first rival (above 1: dearer than it). */
export function table(scenario: Scenario, rivals: readonly Rival[], outcome: Outcome): string {
  const base = rivals[0]?.name ?? ''
  const peers = new Set(peersOf(scenario, rivals, outcome))
  const columns = columnsOf(scenario, outcome, base)
  const rows = [...outcome.samples].map(([name, samples]) => [
    peers.has(name) ? `**${name}** (peer)` : name,
    ...columns.map(([, cell]) => cell(samples)),
    outcome.differing.get(name)?.join(', ') || 'none',
  ])
  const head = ['', ...columns.map(([title]) => title), 'fields that differ']
  const lines = [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

type Column = readonly [title: string, cell: (samples: readonly Sample[]) => string]

function columnsOf(scenario: Scenario, outcome: Outcome, base: string): readonly Column[] {
  const own = outcome.samples.get(base) ?? []
  const middle = (samples: readonly Sample[], of: (sample: Sample) => number) =>
    median(samples.map(of))
  const perSecond = (sample: Sample) => sample.requests / sample.seconds
  const throughput: Column = [
    'MiB/s',
    (all) => ((middle(all, perSecond) * outcome.bodyBytes) / MIB).toFixed(0),
  ]
  const database: Column = [
    'database µs/req',
    (all) => middle(all, (sample) => sample.databaseMicros).toFixed(2),
  ]
  return [
    ['core µs/req', (all) => middle(all, (sample) => sample.coreMicros).toFixed(2)],
    ['process µs/req', (all) => middle(all, (sample) => sample.processMicros).toFixed(2)],
    ...(scenario.view?.reads ? [database] : []),
    [`ratio to ${base}`, (all) => ratio(all, own, ({ coreMicros }) => coreMicros)],
    ['ratio of processes', (all) => ratio(all, own, ofProcesses)],
    ['req/s', (all) => Math.round(middle(all, perSecond)).toLocaleString('en')],
    ...(scenario.throughput ? [throughput] : []),
    ['p99 ms', (all) => middle(all, (sample) => sample.latencyMs.p99).toFixed(2)],
    ['PSS MiB', (all) => middle(all, (sample) => sample.pssMib).toFixed(1)],
    ['errors', (all) => String(all.reduce((sum, sample) => sum + sample.errors, 0))],
  ]
}

function ofProcesses({ processMicros, databaseMicros }: Sample): number {
  return processMicros + databaseMicros
}

function ratio(
  all: readonly Sample[],
  own: readonly Sample[],
  of: (sample: Sample) => number,
): string {
  const ratios = all.map((sample, round) => {
    const base = own[round]
    return base === undefined ? Number.NaN : of(sample) / of(base)
  })
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)]
  return `${median(ratios).toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`
}

/** The best of each family: by requests a second where throughput counts, otherwise by CPU. */
function peersOf(scenario: Scenario, rivals: readonly Rival[], outcome: Outcome): string[] {
  const cost = (name: string): number => {
    const samples = outcome.samples.get(name) ?? []
    return scenario.throughput
      ? -median(samples.map((sample) => sample.requests / sample.seconds))
      : median(samples.map((sample) => sample.coreMicros))
  }
  const families = new Map<string, string>()
  for (const { name, family } of rivals) {
    if (family === undefined || !outcome.samples.has(name)) continue
    const best = families.get(family)
    if (best === undefined || cost(name) < cost(best)) families.set(family, name)
  }
  return [...families.values()]
}

/** A line for each rival without samples. */
export function notes({ leftOut }: Outcome): string {
  return [...leftOut].map(([name, why]) => `\n${name} is left out here: ${why}\n`).join('')
}

/** Writes `bench/results/<scenario>-<time>.json` and returns its path. */
export function save(scenario: Scenario, rivals: readonly Rival[], outcome: Outcome): string {
  return saveResults(scenario.name, {
    scenario: scenario.name,
    versions: Object.fromEntries(rivals.map((rival) => [rival.name, rival.version()])),
    bodyBytes: outcome.bodyBytes,
    peers: peersOf(scenario, rivals, outcome),
    differing: Object.fromEntries(outcome.differing),
    leftOut: Object.fromEntries(outcome.leftOut),
    samples: Object.fromEntries(outcome.samples),
  })
}

/** Writes `bench/results/<name>-<time>.json`, with time, commit and machine, and returns its path. */
export function saveResults(name: string, results: object): string {
  mkdirSync(RESULTS, { recursive: true })
  const at = new Date().toISOString()
  const file = `${RESULTS}${name}-${at.replace(/[:.]/g, '-')}.json`
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, kernel: release() }
  writeFileSync(file, `${JSON.stringify({ at, commit: commit(), machine, ...results }, null, 2)}\n`)
  return file
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', cwd: RESULTS }).trim()
  try {
    return (
      git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+changes')
    )
  } catch {
    return 'no git'
  }
}
