/** What is profiled: one process of uwas on the serving core, with a scenario's files and database or with a site, its answers checked. */
import type { ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ask } from '../method/ask.ts'
import { ROOT } from '../method/builds.ts'
import { cores } from '../method/cores.ts'
import { type BenchServer, type OwnDatabase, startServer } from '../method/database.ts'
import { type LoadResult, load, planLoad } from '../method/load.ts'
import { freePort, writeFiles } from '../method/place.ts'
import { settledPids } from '../method/rounds.ts'
import { verify } from '../method/verify.ts'
import { verifyView } from '../method/verify-view.ts'
import { startPinned, stopChild } from '../rivals/rival.ts'
import { SITE } from '../rivals/uwas.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { PROBE, Probe } from './probe.ts'

export const DEMO = join(ROOT, 'src/demo/uwas.config.ts')

/** A scenario of the bench; or any site, with the paths to ask for. */
export type Target =
  | { readonly name: string; readonly scenario: Scenario }
  | { readonly name: string; readonly config: string; readonly paths: readonly string[] }

export interface SubjectOptions {
  /** Of the build. Default: the work tree. */
  readonly root?: string
  /** Of Node, for the server. */
  readonly nodeFlags?: readonly string[]
  /** What runs the server's command in place of a plain start. */
  wrap?(command: readonly string[]): readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** In place of the scenario's. */
  readonly connections?: number
}

export interface Server {
  /** Of what was started: of the wrapper, where there is one. */
  readonly pid: number
  readonly origin: string
  /** Bytes of the first request of the load. */
  readonly request: string
  /** Loads from the other core. */
  load(seconds: number): Promise<LoadResult>
  /** Resolves when the started process has ended. */
  ended(): Promise<void>
}

/** A server with the probe in it. */
export interface Subject extends Server {
  readonly probe: Probe
}

/** Before anything is measured: V8 has compiled what is hot by then. */
export const WARM_SECONDS = 3

export async function withSubject<T>(
  target: Target,
  options: SubjectOptions,
  use: (subject: Subject) => Promise<T>,
): Promise<T> {
  const scratch = mkdtempSync(join(tmpdir(), 'uwas-probe-'))
  const socket = join(scratch, 'probe')
  const nodeFlags = [...(options.nodeFlags ?? []), '--import', pathToFileURL(PROBE).href]
  try {
    const withProbe = { ...options, nodeFlags, env: { ...options.env, UWAS_BENCH_PROBE: socket } }
    return await withServer(target, withProbe, async (server) => {
      const probe = await Probe.open(socket)
      try {
        return await use({ ...server, probe })
      } finally {
        probe.close()
      }
    })
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

export async function withServer<T>(
  target: Target,
  options: SubjectOptions,
  use: (server: Server) => Promise<T>,
): Promise<T> {
  const main = join(options.root ?? ROOT, 'dist/main.js')
  if (!existsSync(main)) throw new Error('uwas is not built: npm run build')
  const scratch = mkdtempSync(join(tmpdir(), 'uwas-profile-'))
  let postgres: BenchServer | undefined
  let child: ChildProcess | undefined
  try {
    // The database runs as a user of its own, who has to get in.
    chmodSync(scratch, 0o711)
    if ('scenario' in target && target.scenario.view !== undefined) {
      postgres = await startServer(scratch, cores().serve)
    }
    const database = await postgres?.create()
    const port = await freePort()
    const dir = join(scratch, 'files')
    mkdirSync(dir)
    if ('scenario' in target) writeFiles(dir, target.scenario)
    const { nodeFlags = [], wrap = (command) => command } = options
    const address = ['--workers', '0', '--host', '127.0.0.1', '--port', String(port)]
    const serve = [main, 'serve', ...address, ...servedBy(target, dir)]
    child = await startPinned(
      cores().serve,
      port,
      wrap([process.execPath, ...nodeFlags, ...serve]),
      {
        ...options.env,
        XDG_CACHE_HOME: scratch,
        BENCH_STATE: scratch,
        ...(readdirSync(dir).length > 0 && { BENCH_FILES: dir }),
        ...(database !== undefined && { DATABASE_URL: database.place.url }),
      },
    )
    const ended = new Promise<void>((resolve) => child?.once('exit', () => resolve()))
    const origin = `http://127.0.0.1:${port}`
    const headers = await checkedHeaders(target, origin, dir, database)
    const scenario = scenarioOf(target)
    const plan = planLoad(scenario, origin, headers, scratch)
    // Variants of files are made in the background.
    await settledPids([child.pid as number])
    const { connections } = options
    const wanted = connections === undefined ? plan : { ...plan, connections }
    return await use({
      pid: child.pid as number,
      origin,
      request: requestBytes(scenario.paths[0] as string, `127.0.0.1:${port}`, headers),
      load: (seconds) => load(wanted, cores(), seconds),
      ended: () => ended,
    })
  } finally {
    if (child !== undefined) await stopChild(child)
    await postgres?.stop()
    rmSync(scratch, { recursive: true, force: true })
  }
}

function servedBy(target: Target, dir: string): string[] {
  if ('config' in target) return ['--config', target.config]
  return target.scenario.view === undefined ? [dir] : ['--config', SITE]
}

function scenarioOf(target: Target): Scenario {
  if ('scenario' in target) return target.scenario
  const { paths } = target
  return { name: 'site', title: 'a site', files: () => [], paths, connections: 64 }
}

/** What each request carries. Throws when an answer is wrong. */
async function checkedHeaders(
  target: Target,
  origin: string,
  dir: string,
  database: OwnDatabase | undefined,
): Promise<Readonly<Record<string, string>>> {
  if ('config' in target) {
    for (const path of target.paths) {
      const { status } = await ask(origin + path, {})
      if (status >= 400) throw new Error(`${path} is answered with ${status}: choose a --path`)
    }
    return {}
  }
  const { scenario } = target
  const none = new Set<string>()
  const { requestHeaders } = await (scenario.view === undefined
    ? verify(origin, scenario, dir, [], none)
    : verifyView(origin, scenario.paths[0] as string, scenario.view, {
        expected: [],
        cannotSet: none,
        database,
      }))
  return requestHeaders
}

function requestBytes(
  path: string,
  host: string,
  headers: Readonly<Record<string, string>>,
): string {
  const fields = Object.entries({ Host: host, ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  return `GET ${path} HTTP/1.1\r\n${fields.join('')}\r\n`
}
