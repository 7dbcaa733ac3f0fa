/** The load: wrk on its own core. It keeps its connections and sends the next request after each answer. */
import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Scenario } from '../scenarios/scenario.ts'

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  readonly errors: number
  readonly latencyMs: { readonly p50: number; readonly p99: number }
}

/** wrk's arguments for one scenario and one rival, but the time. */
export type LoadPlan = readonly string[]

export function missingLoad(): string | undefined {
  return spawnSync('wrk', ['-v']).error === undefined
    ? undefined
    : 'wrk is not here: apt-get install wrk'
}

/** What wrk has to do; `origin` is `http://host:port`. Scripts go to `scratch`. */
export function planLoad(
  scenario: Scenario,
  origin: string,
  headers: Readonly<Record<string, string>>,
  scratch: string,
): LoadPlan {
  const { paths } = scenario
  const fields = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const script =
    paths.length > 1
      ? sequenceScript(paths, scratch)
      : scenario.pipelined !== undefined
        ? pipelineScript(scenario.pipelined, scratch)
        : []
  return ['-t1', `-c${scenario.connections}`, ...fields, ...script, `${origin}${paths[0]}`]
}

/** wrk sends what `request` returns, and counts the requests in it. */
function pipelineScript(count: number, scratch: string): string[] {
  return script(
    scratch,
    `local all
function init()
  all = string.rep(wrk.format(), ${count})
end
function request()
  return all
end
`,
  )
}

function sequenceScript(paths: readonly string[], scratch: string): string[] {
  const list = join(scratch, 'paths.txt')
  writeFileSync(list, `${paths.join('\n')}\n`)
  return script(
    scratch,
    `local all, at, count = {}, 0, 0
function init()
  local known = {}
  for path in io.lines('${list}') do
    known[path] = known[path] or wrk.format('GET', path)
    count = count + 1
    all[count] = known[path]
  end
end
function request()
  at = at % count + 1
  return all[at]
end
`,
  )
}

function script(scratch: string, content: string): string[] {
  const file = join(scratch, 'load.lua')
  writeFileSync(file, content)
  return ['-s', file]
}

/** Loads for `seconds`; answers outside 2xx and 3xx, and broken connections, are errors. */
export async function load(plan: LoadPlan, cpu: number, seconds: number): Promise<LoadResult> {
  const args = ['-c', String(cpu), 'wrk', `-d${seconds}s`, '--latency', ...plan]
  const { stdout } = await promisify(execFile)('taskset', args)
  const number = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? 0)
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(
    stdout,
  )
  const broken = (socketErrors ?? []).slice(1).reduce((sum, count) => sum + Number(count), 0)
  return {
    requests: number(/(\d+) requests in/),
    seconds: duration(stdout, /requests in ([\d.]+)(us|ms|s|m)/) / 1000,
    errors: broken + number(/Non-2xx or 3xx responses: (\d+)/),
    latencyMs: {
      p50: duration(stdout, /50%\s+([\d.]+)(us|ms|s|m)/),
      p99: duration(stdout, /99%\s+([\d.]+)(us|ms|s|m)/),
    },
  }
}

const MS = { us: 0.001, ms: 1, s: 1000, m: 60_000 }

/** Milliseconds of a number with wrk's unit. */
function duration(text: string, pattern: RegExp): number {
  const [, value, unit] = pattern.exec(text) ?? []
  return Number(value ?? 0) * MS[(unit ?? 'ms') as keyof typeof MS]
}
