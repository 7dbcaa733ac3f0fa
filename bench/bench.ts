/** One scenario: starts all rivals, checks their answers, measures in turn. Called by `main.ts`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { planLoad } from './method/load.ts'
import { type Contestant, runRounds, type Sample } from './method/rounds.ts'
import { type Verified, verify } from './method/verify.ts'
import type { Rival } from './rivals/rival.ts'
import type { Scenario } from './scenarios/scenario.ts'

const SERVE_CPU = 0
const LOAD_CPU = 1

export interface Outcome {
  readonly samples: ReadonlyMap<string, readonly Sample[]>
  /** Names of the fields that differ from those of uwas, by rival. */
  readonly differing: ReadonlyMap<string, readonly string[]>
  /** Why a rival has no samples. */
  readonly leftOut: ReadonlyMap<string, string>
  /** Bytes of the body that the first path is answered with. */
  readonly bodyBytes: number
}

/** The first rival, whose fields the others copy, does not answer as the scenario wants. */
export class WrongAnswer extends Error {}

/** Throws `WrongAnswer`; other rivals that answer wrongly are left out. */
export async function bench(
  scenario: Scenario,
  rivals: readonly Rival[],
  rounds: number,
  seconds: number,
): Promise<Outcome> {
  const scratch = mkdtempSync(join(tmpdir(), 'uwas-bench-'))
  const contestants: Contestant[] = []
  const differing = new Map<string, readonly string[]>()
  const leftOut = new Map<string, string>()
  try {
    const dir = join(scratch, 'files')
    writeFiles(dir, scenario)
    let model: Verified | undefined
    for (const [i, rival] of rivals.entries()) {
      const own = join(scratch, `rival-${i}`)
      mkdirSync(own)
      try {
        const entered = await enter(rival, scenario, { dir, scratch: own, model })
        contestants.push(entered.contestant)
        differing.set(rival.name, entered.verified.differing)
        model ??= entered.verified
      } catch (error) {
        const why = (error as Error).message.trim()
        if (model === undefined) throw new WrongAnswer(`${rival.name}: ${why}`)
        leftOut.set(rival.name, why)
      }
    }
    const cpus = { serveCpu: SERVE_CPU, loadCpu: LOAD_CPU }
    const samples = await runRounds(contestants, { rounds, seconds, ...cpus })
    return { samples, differing, leftOut, bodyBytes: bytesOf(model) }
  } finally {
    await Promise.all(contestants.map(({ running }) => running.stop()))
    rmSync(scratch, { recursive: true, force: true })
  }
}

interface Place {
  readonly dir: string
  readonly scratch: string
  readonly model: Verified | undefined
}

/** Starts a rival and checks its answers; a rival that answers wrongly is stopped again. */
async function enter(
  rival: Rival,
  scenario: Scenario,
  { dir, scratch, model }: Place,
): Promise<{ contestant: Contestant; verified: Verified }> {
  const port = await freePort()
  const headers = model?.plain ?? []
  const closes = scenario.closes ?? false
  const running = await rival.start({ dir, scratch, port, cpu: SERVE_CPU, headers, closes })
  const origin = `http://127.0.0.1:${port}`
  try {
    const cannotSet = new Set(rival.cannotSet)
    const verified = await verify(origin, scenario, dir, model?.fields ?? [], cannotSet)
    const plan = planLoad(scenario, origin, verified.requestHeaders, scratch)
    return { contestant: { name: rival.name, plan, running }, verified }
  } catch (error) {
    await running.stop()
    throw error
  }
}

function writeFiles(dir: string, scenario: Scenario): void {
  for (const [path, content] of scenario.files()) {
    const file = join(dir, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
}

function bytesOf(model: Verified | undefined): number {
  const length = model?.fields.find(([name]) => name.toLowerCase() === 'content-length')
  return Number(length?.[1] ?? 0)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
