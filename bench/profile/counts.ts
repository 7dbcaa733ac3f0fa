/**
 * Counts a request that come out alike wherever and whenever: bytes allocated, system calls, instructions of the addon. Read by
 * test/bench/counts.test.ts, which holds them against `counts.json`: a cost that creeps in shows, and no clock is asked.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { askInTurn } from '../method/ask-in-turn.ts'
import type { NativeCase } from './kinds/instructions.ts'
import { callsIn, countedBy } from './kinds/syscalls.ts'
import { type Subject, type Target, withSubject } from './subject.ts'

/** Enough that V8 has compiled what it will compile. */
const WARM_REQUESTS = 10_000
const REQUESTS = 2000
/** How often a process waits depends on what falls together. */
const WAITS = new Set(['epoll_pwait', 'epoll_wait', 'futex'])
/** All that the counted requests allocate fits into the young generation: nothing is collected meanwhile. */
const NODE_FLAGS = ['--max-semi-space-size=64', '--min-semi-space-size=64']

export interface Counts {
  /** Of V8's heap, a request. */
  readonly bytes: number
  /** System calls that come with every request, by name, but those that wait; undefined where there is no strace. */
  readonly calls: Readonly<Record<string, number>> | undefined
}

/** `counts.json`: what is expected. */
export interface Expected {
  /** Another major version of Node allocates otherwise. */
  readonly node: number
  readonly scenarios: Readonly<Record<string, Required<Counts>>>
  /** Of the whole server, a request, by scenario. */
  readonly requests: Readonly<Record<string, number>>
  readonly instructions: Readonly<Record<NativeCase, number>>
}

export function readExpected(): Expected {
  return JSON.parse(readFileSync(new URL('counts.json', import.meta.url), 'utf8'))
}

/**
 * Bytes differ by a hundredth from run to run, instructions of a request by half of one (a slow machine has more timers in
 * it), those of the addon by what the compiler makes of the source.
 */
const MARGIN = { bytes: 0.1, requests: 0.05, instructions: 0.25 }
const LEAST_BYTES = 32

/** What is no longer as expected, dearer or cheaper: a number that is too high would hide what comes next. */
export function changes(name: string, expected: Counts, actual: Counts): string[] {
  const found: string[] = []
  const room = Math.max(LEAST_BYTES, expected.bytes * MARGIN.bytes)
  if (Math.abs(actual.bytes - expected.bytes) > room) {
    found.push(`${name} allocates ${actual.bytes} bytes a request, not ${expected.bytes}`)
  }
  const [is, shallBe] = [actual.calls, expected.calls].map((calls) => JSON.stringify(calls))
  if (actual.calls !== undefined && is !== shallBe) {
    found.push(`${name} makes the system calls ${is} a request, not ${shallBe}`)
  }
  return found
}

export function changedInstructions(
  name: string,
  expected: number,
  actual: number,
  of: 'requests' | 'instructions' = 'instructions',
): string[] {
  return Math.abs(actual - expected) > expected * MARGIN[of]
    ? [`${name} takes ${actual} instructions, not ${expected}`]
    : []
}

/** One connection asks one request after the other: nothing depends on what falls together. */
export function countsOf(target: Target, hasStrace: boolean): Promise<Counts> {
  return withSubject(target, { nodeFlags: NODE_FLAGS }, async (subject) => {
    const ask = (count: number): Promise<void> => askInTurn(subject.origin, subject.request, count)
    await ask(WARM_REQUESTS)
    const bytes = await bytesOf(subject, () => ask(REQUESTS))
    return { bytes, calls: hasStrace ? await callsOf(subject.pid, () => ask(REQUESTS)) : undefined }
  })
}

/** The least of five: what else the process does in that time can only add. */
async function bytesOf({ probe }: Subject, ask: () => Promise<void>): Promise<number> {
  const tries: number[] = []
  for (let i = 0; i < 5; i++) {
    await probe.ask('heap-used')
    const before = await probe.ask('heap-now')
    await ask()
    tries.push(((await probe.ask('heap-now')) - before) / REQUESTS)
  }
  return Math.round(Math.min(...tries))
}

/** What comes less often than with every second request is of timers and other threads. */
async function callsOf(
  pid: number,
  ask: () => Promise<void>,
): Promise<Readonly<Record<string, number>>> {
  const dir = mkdtempSync(join(tmpdir(), 'uwas-counts-'))
  try {
    const file = join(dir, 'strace')
    await countedBy(pid, file, ask)
    const each = callsIn(readFileSync(file, 'utf8'))
      .map(({ name, calls }) => [name, Math.round(calls / REQUESTS)] as const)
      .filter(([name, calls]) => calls > 0 && !WAITS.has(name))
    return Object.fromEntries(each.sort(([a], [b]) => (a < b ? -1 : 1)))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
