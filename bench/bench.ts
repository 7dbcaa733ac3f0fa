/** One scenario: starts all rivals, checks their answers, measures in turn. Called by `commands/run.ts`. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { devCertificate } from '../src/commands/dev/certificate.ts'
import { cores } from './method/cores.ts'
import { processMs } from './method/cpu.ts'
import { type BenchServer, type OwnDatabase, startServer } from './method/database.ts'
import { planLoad } from './method/load.ts'
import { freePort, writeFiles } from './method/place.ts'
import { type Contestant, runRounds, type Sample } from './method/rounds.ts'
import { type Verified, verify } from './method/verify.ts'
import { checkBooks, verifyView } from './method/verify-view.ts'
import type { Rival, Running, SecurePlace } from './rivals/rival.ts'
import type { Scenario } from './scenarios/scenario.ts'

export interface Outcome {
  readonly samples: ReadonlyMap<string, readonly Sample[]>
  /** Of those that have samples. */
  readonly running: ReadonlyMap<string, Running>
  /** Names of the fields that differ from those of uwas, by rival. */
  readonly differing: ReadonlyMap<string, readonly string[]>
  /** Why a rival has no samples. */
  readonly leftOut: ReadonlyMap<string, string>
  /** Bytes of the body that the first path is answered with. */
  readonly bodyBytes: number
  /** Version, where the scenario has a database. */
  readonly postgres?: string
}

/** The first rival, whose fields the others copy, does not answer as the scenario wants. */
export class WrongAnswer extends Error {}

export interface Entered extends Contestant {
  readonly origin: string
  /** From its first process until it answered anything, to 5 ms. */
  readonly startMs: number
  /** CPU of its processes until then. */
  readonly startCpuMs: number
  /** A folder of its own. */
  readonly scratch: string
  readonly verified: Verified
  readonly database: OwnDatabase | undefined
}

/** Throws `WrongAnswer`; other rivals that answer wrongly are left out. */
export async function bench(
  scenario: Scenario,
  rivals: readonly Rival[],
  rounds: number,
  seconds: number,
): Promise<Outcome> {
  return await withRivals(scenario, rivals, async ({ entered, leftOut, server }) => {
    const { samples, requests } = await runRounds(entered, { rounds, seconds, cores: cores() })
    await stopAll(entered)
    for (const { name, database } of entered) {
      try {
        if (database !== undefined) await checkBooks(scenario, requests.get(name) ?? 0, database)
      } catch (error) {
        samples.delete(name)
        leaveOut(leftOut, name, error, name === rivals[0]?.name)
      }
    }
    const differing = new Map(entered.map(({ name, verified }) => [name, verified.differing]))
    const running = new Map(entered.map((one) => [one.name, one.running]))
    const bodyBytes = bytesOf(entered[0]?.verified)
    const outcome = { samples, running, differing, leftOut, bodyBytes }
    return server === undefined ? outcome : { ...outcome, postgres: await server.version() }
  })
}

export interface Field {
  /** Those that answer rightly, in the order of the rivals. */
  readonly entered: readonly Entered[]
  /** Why a rival is not among them. */
  readonly leftOut: Map<string, string>
  readonly server: BenchServer | undefined
}

/** Starts all rivals and checks their answers; what was started is stopped afterwards. Throws `WrongAnswer`. */
export async function withRivals<T>(
  scenario: Scenario,
  rivals: readonly Rival[],
  use: (field: Field) => Promise<T>,
): Promise<T> {
  return await withPlace(scenario, async ({ dir, scratchOf, server }) => {
    const entered: Entered[] = []
    const leftOut = new Map<string, string>()
    try {
      for (const rival of rivals) {
        const model = entered[0]?.verified
        try {
          const place = { dir, scratch: scratchOf(rival), model, server }
          entered.push(await enter(rival, scenario, place))
        } catch (error) {
          leaveOut(leftOut, rival.name, error, model === undefined)
        }
      }
      return await use({ entered, leftOut, server })
    } finally {
      await stopAll(entered)
    }
  })
}

export interface Ground {
  readonly dir: string
  readonly server: BenchServer | undefined
  /** A folder of the rival's own, the same each time. */
  scratchOf(rival: Rival): string
}

/** Writes the scenario's files and starts its database; both go afterwards. */
export async function withPlace<T>(
  scenario: Scenario,
  use: (ground: Ground) => Promise<T>,
): Promise<T> {
  const scratch = mkdtempSync(join(tmpdir(), 'uwas-bench-'))
  let server: BenchServer | undefined
  try {
    // The database runs as a user of its own, who has to get in.
    chmodSync(scratch, 0o711)
    const dir = join(scratch, 'files')
    writeFiles(dir, scenario)
    if (scenario.view !== undefined) server = await startServer(scratch, cores().serve)
    const folders = new Map<string, string>()
    const scratchOf = ({ name }: Rival): string => {
      const own = folders.get(name) ?? join(scratch, `rival-${folders.size}`)
      folders.set(name, own)
      mkdirSync(own, { recursive: true })
      return own
    }
    return await use({ dir, server, scratchOf })
  } finally {
    await server?.stop()
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Throws `WrongAnswer` for the first one. */
export function leaveOut(
  leftOut: Map<string, string>,
  name: string,
  error: unknown,
  isFirst: boolean,
): void {
  const why = (error as Error).message.trim()
  if (isFirst) throw new WrongAnswer(`${name}: ${why}`)
  leftOut.set(name, why)
}

async function stopAll(entered: readonly Entered[]): Promise<void> {
  await Promise.all(entered.map(({ running }) => running.stop()))
}

export interface Place {
  readonly dir: string
  readonly scratch: string
  readonly model: Verified | undefined
  readonly server: BenchServer | undefined
}

/** Starts a rival and checks its answers; a rival that answers wrongly is stopped again. */
export async function enter(rival: Rival, scenario: Scenario, place: Place): Promise<Entered> {
  const { dir, scratch, model, server } = place
  const port = await freePort()
  const headers = model?.plain ?? []
  const closes = scenario.closes ?? false
  const database = await server?.create()
  const secure = scenario.secure === true ? await securePlace(scratch) : undefined
  const context = { dir, scratch, port, cores: cores().serve, headers, closes }
  const startedAt = performance.now()
  const running = await rival.start({
    ...context,
    ...(secure !== undefined && { secure }),
    ...(database !== undefined && { database: database.place }),
    ...(database !== undefined && existsSync(dir) && { files: dir }),
  })
  const startMs = performance.now() - startedAt
  const startCpuMs = processMs(running.pids)
  const origin =
    secure === undefined ? `http://127.0.0.1:${port}` : `https://127.0.0.1:${secure.port}`
  try {
    const cannotSet = new Set(rival.cannotSet)
    const { view } = scenario
    const verified = await (view === undefined
      ? verify(origin, scenario, dir, model?.fields ?? [], cannotSet)
      : verifyView(origin, scenario.paths[0] as string, view, {
          expected: model?.fields ?? [],
          cannotSet,
          database,
        }))
    const plan = planLoad(scenario, origin, verified.requestHeaders, scratch)
    const databaseMs = () => server?.cpuMs() ?? 0
    const start = { startMs, startCpuMs }
    return {
      name: rival.name,
      plan,
      running,
      databaseMs,
      origin,
      scratch,
      verified,
      database,
      ...start,
    }
  } catch (error) {
    await running.stop()
    throw error
  }
}

/** A certificate of the rival's own, from an authority that nobody else believes. */
async function securePlace(scratch: string): Promise<SecurePlace> {
  const { certFile, keyFile } = await devCertificate(join(scratch, 'tls'))
  return { port: await freePort(), certFile, keyFile }
}

function bytesOf(model: Verified | undefined): number {
  const length = model?.fields.find(([name]) => name.toLowerCase() === 'content-length')
  return Number(length?.[1] ?? 0)
}
