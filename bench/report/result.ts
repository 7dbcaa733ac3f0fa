/** What a run leaves: every sample and all that they come from. Written after each scenario, read by the report and by `compare`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeMachine, type Machine } from '../../src/commands/doctor/machine.ts'
import { cores, doubtsOf } from '../method/cores.ts'
import { doubtsOfLoad, generator } from '../method/load.ts'
import type { Sample } from '../method/rounds.ts'
import { type Commit, describeCommit } from '../method/versions.ts'

/** Raised when a reader of older files would misread newer ones. */
const FORMAT = 1

export const RESULTS = fileURLToPath(new URL('../results/', import.meta.url))

export interface RivalResult {
  readonly name: string
  readonly family?: string
  readonly version: string
  /** How it was started; files in it are gone. */
  readonly command: readonly string[]
  /** Its configuration file, where it had one. */
  readonly configuration?: string
  /** The best of its family here. */
  readonly isPeer: boolean
  /** Names of the fields that differ from those of uwas. */
  readonly differing: readonly string[]
  /** One a round, in the order of the rounds. */
  readonly samples: readonly Sample[]
}

export interface ScenarioResult {
  readonly name: string
  readonly title: string
  readonly connections: number
  readonly throughput: boolean
  /** The answers come from the database. */
  readonly reads: boolean
  readonly bodyBytes: number
  /** uwas comes first. */
  readonly rivals: readonly RivalResult[]
  /** Why a rival has no samples, by name. */
  readonly leftOut: Readonly<Record<string, string>>
}

export interface Run extends Commit {
  readonly format: number
  readonly at: string
  readonly rounds: number
  readonly seconds: number
  readonly machine: Machine
  readonly tools: Readonly<Record<string, string>>
  readonly scenarios: readonly ScenarioResult[]
  /** How to get the rivals that are not installed. */
  readonly absent: readonly string[]
  /** Where it was measured, and with what. Not in results of before 2026-11-27: core 0, core 1, wrk. */
  readonly place?: {
    readonly serve: readonly number[]
    readonly load: readonly number[]
    readonly generator: string
  }
  /** What makes its figures worse than they look. */
  readonly doubts?: readonly string[]
}

export function beginRun(
  tools: Readonly<Record<string, string>>,
  plan: { rounds: number; seconds: number; absent: readonly string[] },
): Run {
  const head = { format: FORMAT, at: new Date().toISOString(), ...describeCommit() }
  const chosen = cores()
  const place = { ...chosen, generator: generator() ?? 'none' }
  const doubts = [...doubtsOf(chosen), ...doubtsOfLoad()]
  return { ...head, machine: describeMachine(), tools, ...plan, scenarios: [], place, doubts }
}

/** Where files of a run begin: `<folder>/<time>`. */
export function stemOf({ at }: Pick<Run, 'at'>, dir = RESULTS): string {
  return join(dir, at.replace(/[:.]/g, '-'))
}

/** Writes `bench/results/<name>`; makes the folder. Returns the path. */
export function write(file: string, text: string): string {
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, text)
  return file
}

/** Throws when the file is no result of a run. */
export function readRun(file: string): Run {
  let run: Partial<Run> | null
  try {
    run = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`${file} cannot be read as JSON: ${(error as Error).message}`, { cause: error })
  }
  if (run?.format !== FORMAT || !Array.isArray(run.scenarios)) {
    throw new Error(`${file} is no result of this bench (format ${FORMAT}): run the bench anew`)
  }
  return run as Run
}
