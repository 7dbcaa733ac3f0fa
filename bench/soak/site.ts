/** The server that is soaked: `uwas serve` of the bench's site with its own PostgreSQL, and the commands of who runs it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { askServer } from '../../src/supervisor/control.ts'
import { findServer } from '../../src/supervisor/pid-file.ts'
import type { ServerStatus } from '../../src/supervisor/status.ts'
import { schema } from '../method/database.ts'
import { freePort } from '../method/place.ts'
import { processesOf } from './processes.ts'
import { soakFiles } from './requests.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const MAIN = join(ROOT, 'dist/main.js')
const CONFIG = fileURLToPath(new URL('../app/soak.config.ts', import.meta.url))

/** A worker whose event loop stands still for so long is killed: the default is half a minute. */
export const TIMEOUT_MS = 5000
const START_MS = 120_000
/** Replies that have begun have ten seconds, and so has what is closed after them. */
const STOP_MS = 30_000
const KILLED_MS = 10_000
const LOOK_MS = 100

export interface WorkerSettings {
  readonly count: number
  /** 0: never. */
  readonly maxRequests: number
}

export class SoakSite {
  readonly dir: string
  readonly port: number
  readonly #first: ChildProcess
  readonly #count: number
  #ending: Promise<string | undefined> | undefined

  static async start(count: number): Promise<SoakSite> {
    const dir = mkdtempSync(join(tmpdir(), 'uwas-soak-'))
    // The database runs as a user of its own, who has to get in.
    chmodSync(dir, 0o711)
    for (const [path, content] of soakFiles()) {
      mkdirSync(dirname(join(dir, 'files', path)), { recursive: true })
      writeFileSync(join(dir, 'files', path), content)
    }
    mkdirSync(join(dir, 'migrations'))
    mkdirSync(join(dir, 'state'))
    writeFileSync(join(dir, 'migrations/0001_bench.sql'), schema())
    const site = new SoakSite(dir, await freePort(), count)
    try {
      await site.settled(new Set())
    } catch (error) {
      await site.end()
      throw error
    }
    return site
  }

  private constructor(dir: string, port: number, count: number) {
    this.dir = dir
    this.port = port
    this.#count = count
    this.configure(0)
    const { DATABASE_URL: _, ...env } = process.env
    const address = ['--host', '127.0.0.1', '--port', String(port)]
    const files = ['--config', CONFIG, '--pid-file', this.#pidFile, '--log-file', this.#log]
    this.#first = spawn(process.execPath, [MAIN, 'serve', ...address, ...files], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...env, SOAK_DIR: dir },
    })
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get #pidFile(): string {
    return join(this.dir, 'state/uwas.pid')
  }

  get #log(): string {
    return join(this.dir, 'server.log')
  }

  /** For the next reload. */
  configure(maxRequests: number): void {
    const settings = { count: this.#count, maxRequests, timeoutMs: TIMEOUT_MS }
    writeFileSync(join(this.dir, 'workers.json'), JSON.stringify(settings))
  }

  async status(): Promise<ServerStatus> {
    return (await askServer(findServer(this.#pidFile), 'status')) as ServerStatus
  }

  /** Pids, once all workers are ready and none of `gone` is among them. */
  async settled(gone: ReadonlySet<number>, withinMs = START_MS): Promise<number[]> {
    const until = Date.now() + withinMs
    let problem = 'it is not there'
    while (Date.now() < until) {
      // Later on it may end: who follows it serves.
      const { exitCode } = this.#first
      if (exitCode !== null && exitCode !== 0) throw new Error(`uwas ended: exit code ${exitCode}`)
      try {
        const { workers } = await this.status()
        const isSo = workers.every(({ pid, state }) => state === 'ready' && !gone.has(pid))
        if (isSo) return workers.map(({ pid }) => pid)
        problem = workers.map(({ pid, state }) => `${pid} ${state}`).join(', ')
      } catch (error) {
        problem = (error as Error).message
      }
      await sleep(LOOK_MS)
    }
    throw new Error(`the workers are not ready after ${withinMs / 1000} s (${problem})`)
  }

  /** `uwas reload` and the like, as people type them. Rejects with what it printed where it fails, or is late. */
  async command(name: 'reload' | 'upgrade' | 'stop', withinMs = START_MS): Promise<string> {
    const args = [MAIN, name, '--pid-file', this.#pidFile]
    try {
      const options = { timeout: withinMs, killSignal: 'SIGKILL' } as const
      const { stdout } = await promisify(execFile)(process.execPath, args, options)
      return stdout.trim()
    } catch (error) {
      if ((error as { readonly killed?: boolean }).killed !== true) throw error
      throw new Error(`${name} has not ended after ${withinMs / 1000} s`, { cause: error })
    }
  }

  /** What it has said itself; empty where nothing. */
  log(): string {
    try {
      return readFileSync(this.#log, 'utf8')
    } catch {
      return ''
    }
  }

  /** Stops it, whoever serves by now, once, and takes its folder away. What was wrong with that, or undefined. */
  end(withinMs = STOP_MS): Promise<string | undefined> {
    this.#ending ??= this.#end(withinMs)
    return this.#ending
  }

  async #end(withinMs: number): Promise<string | undefined> {
    const problem = await this.command('stop', withinMs).then(
      () => undefined,
      (error: Error) => error.message.trim(),
    )
    if (problem !== undefined) await this.#kill()
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 })
    return problem
  }

  /** What is left of it, whoever serves by now: found by its folder, since a pid file may be what is wrong. */
  async #kill(): Promise<void> {
    const until = Date.now() + KILLED_MS
    for (;;) {
      const { uwas, postgres } = processesOf(this.dir)
      if (uwas.length + postgres.length === 0) return
      if (Date.now() >= until) throw new Error(`it cannot be killed: ${[...uwas, ...postgres]}`)
      for (const pid of uwas) signal(pid, 'SIGKILL')
      // Its immediate shutdown, which leaves no shared memory.
      for (const pid of postgres) signal(pid, 'SIGQUIT')
      await sleep(LOOK_MS)
    }
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended meanwhile.
  }
}
