/**
 * `npm run bench:micro -- [--suite NAME]... [--rounds N] [--ms N]`: parts of uwas beside others', in one process a
 * suite, so that none teaches V8 about the values of another. See ../README.md.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describeMachine } from '../../src/commands/doctor/machine.ts'
import { median } from '../method/statistics.ts'
import { describeCommit } from '../method/versions.ts'
import { stemOf, write } from '../report/result.ts'
import { measure } from './measure.ts'
import { bodySuite } from './suites/body.ts'
import { escapeSuite } from './suites/escape.ts'
import { routeSuite } from './suites/route.ts'
import type { Benchmark } from './suites/suite.ts'
import { templateSuite } from './suites/template.ts'

const SUITES: Readonly<Record<string, () => Benchmark[]>> = {
  route: routeSuite,
  body: bodySuite,
  escape: escapeSuite,
  template: templateSuite,
}

interface Result {
  readonly suite: string
  readonly benchmark: string
  readonly targets: Readonly<Record<string, number>>
  /** Nanoseconds of one operation, one number a round. */
  readonly samples: Readonly<Record<string, readonly number[]>>
}

function runSuite(suite: string, rounds: number, ms: number): Result[] {
  const benchmarks = SUITES[suite]?.() ?? []
  return benchmarks.map(({ name, contestants, targets = {} }) => ({
    suite,
    benchmark: name,
    targets,
    samples: Object.fromEntries(measure(contestants, { rounds, ms })),
  }))
}

/** In a process of its own, which writes its results as one line. */
function spawnSuite(suite: string, rounds: number, ms: number): Result[] {
  const args = ['--import', 'tsx', fileURLToPath(import.meta.url), '--inside']
  const options = ['--suite', suite, '--rounds', String(rounds), '--ms', String(ms)]
  const text = execFileSync(process.execPath, [...args, ...options], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return JSON.parse(text) as Result[]
}

function table(results: readonly Result[]): string {
  const lines = [
    '| | | ns | times as fast as it is uwas | shall be |',
    '| --- | --- | ---: | ---: | ---: |',
  ]
  for (const { suite, benchmark, targets, samples } of results) {
    const own = samples['uwas'] ?? []
    for (const [name, all] of Object.entries(samples)) {
      const ratio = median(all.map((ns, round) => ns / (own[round] ?? Number.NaN)))
      const cells = [`${suite}: ${benchmark}`, name, median(all).toFixed(0), ratio.toFixed(2)]
      lines.push(`| ${[...cells, targets[name] ?? ''].join(' | ')} |`)
    }
  }
  return lines.join('\n')
}

function whole(text: string, name: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= 1000) return value
  throw new Error(`--${name} is ${text}; it has to be a whole number from 1 to 1000`)
}

function main(): void {
  const { values } = parseArgs({
    options: {
      suite: { type: 'string', multiple: true, default: Object.keys(SUITES) },
      rounds: { type: 'string', default: '15' },
      ms: { type: 'string', default: '50' },
      inside: { type: 'boolean', default: false },
    },
  })
  const [rounds, ms] = [whole(values.rounds, 'rounds'), whole(values.ms, 'ms')]
  for (const suite of values.suite) {
    if (suite in SUITES) continue
    throw new Error(`there is no suite ${suite}; there are ${Object.keys(SUITES).join(', ')}`)
  }
  if (values.inside) {
    console.log(JSON.stringify(values.suite.flatMap((suite) => runSuite(suite, rounds, ms))))
    return
  }
  const results = values.suite.flatMap((suite) => spawnSuite(suite, rounds, ms))
  const at = new Date().toISOString()
  const head = { at, ...describeCommit(), machine: describeMachine(), node: process.version }
  const text = JSON.stringify({ ...head, rounds, ms, results }, null, 2)
  const file = write(`${stemOf({ at })}-micro.json`, `${text}\n`)
  console.log(`${table(results)}\n\n${file}`)
}

try {
  main()
} catch (error) {
  console.error(`bench: ${(error as Error).message}`)
  process.exitCode = 2
}
