/** A run of the bench as its result file holds it, with figures that are easy to follow. */
import type { Sample } from '../../bench/method/rounds.ts'
import type { RivalResult, Run, ScenarioResult } from '../../bench/report/result.ts'

export function sample(coreMicros: number, more: Partial<Sample> = {}): Sample {
  return {
    requests: 1000,
    seconds: 1,
    errors: 0,
    latencyMs: { p50: 0.5, p99: 2 },
    coreMicros,
    processMicros: coreMicros - 1,
    databaseMicros: 0,
    pssMib: 50,
    ...more,
  }
}

export function rival(name: string, costs: readonly number[], more: Partial<RivalResult> = {}) {
  return {
    name,
    version: '1.2.3',
    command: ['serve', name],
    isPeer: false,
    differing: [],
    samples: costs.map((cost) => sample(cost)),
    ...more,
  } satisfies RivalResult
}

export function scenario(
  name: string,
  rivals: readonly RivalResult[],
  more: Partial<ScenarioResult> = {},
): ScenarioResult {
  return {
    name,
    title: `scenario ${name}`,
    connections: 64,
    throughput: false,
    reads: false,
    bodyBytes: 1024,
    rivals,
    leftOut: {},
    ...more,
  }
}

export function run(scenarios: readonly ScenarioResult[], more: Partial<Run> = {}): Run {
  return {
    format: 1,
    at: '2026-01-02T03:04:05.678Z',
    commit: '0123456789abcdef',
    dirty: true,
    rounds: 3,
    seconds: 1,
    machine: {
      cpu: 'a <fast> CPU',
      cores: 2,
      caches: ['L2 1024K × 2'],
      governor: 'performance',
      memoryMib: 2048,
      virtualization: 'kvm',
      kernel: '6.1.0 #1',
      sysctls: { 'net.core.somaxconn': '4096' },
    },
    tools: { node: '20.0.0', wrk: '4.1.0' },
    scenarios,
    absent: ['Caddy is left out: caddy is not here: apt-get install caddy'],
    ...more,
  }
}
