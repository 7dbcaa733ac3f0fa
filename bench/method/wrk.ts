/** wrk: a thread a core of the load, in C. It keeps its connections and sends the next request after each answer. */
import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { listOf } from './cores.ts'
import type { LoadPlan, LoadResult } from './load.ts'

export function hasWrk(): boolean {
  return spawnSync('wrk', ['-v']).error === undefined
}

/** Answers outside 2xx and 3xx, and broken connections, are errors. */
export async function loadByWrk(
  plan: LoadPlan,
  cores: readonly number[],
  seconds: number,
): Promise<LoadResult> {
  const load = ['wrk', `-d${seconds}s`, '--latency', ...argumentsOf(plan, cores.length)]
  const { stdout } = await promisify(execFile)('taskset', ['-c', listOf(cores), ...load])
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

function argumentsOf(plan: LoadPlan, threads: number): string[] {
  const { origin, paths, headers, connections, pipelined, scratch } = plan
  const fields = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const script =
    paths.length > 1
      ? sequenceScript(paths, scratch)
      : pipelined !== undefined
        ? pipelineScript(pipelined, scratch)
        : []
  return [
    `-t${Math.min(threads, connections)}`,
    `-c${connections}`,
    ...fields,
    ...script,
    `${origin}${paths[0]}`,
  ]
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
