/** The real binary as a child process: `node dist/main.js …`, as users run it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { ROOT } from './sources.ts'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const WAIT_MS = 30_000

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Record<string, string>
  /** Runs it as this user; only root may. */
  readonly uid?: number
  /** Descriptor of its standard input. Default: none. */
  readonly stdin?: number
}

export interface Launched {
  readonly child: ChildProcess
  /** Everything printed to standard error so far. */
  stderr(): string
  /** Resolves when standard error holds a match after the `from`th character. */
  printed(pattern: RegExp, from?: number): Promise<RegExpExecArray>
  readonly finished: Promise<Finished>
}

export interface RunningBinary extends Launched {
  readonly port: number
}

/** Runs a command to its end. */
export function run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return collect(start(args, options)).finished
}

/** Starts a command; killed when `test` ends, if it still runs. */
export function launch(test: Test, args: readonly string[], options: RunOptions = {}): Launched {
  const child = start(args, options)
  const output = collect(child)
  test.teardown(async () => {
    child.kill('SIGKILL')
    await output.finished
  })
  return { ...output, child }
}

/** Starts a serving command on any free port, and waits until it serves. */
export async function serve(
  test: Test,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunningBinary> {
  const launched = launch(test, args, options)
  const [, port] = await launched.printed(/on (?:http:\/\/\S+:(\d+)|unix:\S+)(?: and \S+)*\n/)
  return { ...launched, port: Number(port) }
}

/** A temporary folder with `files` (path → text), outside of the repository; removed when `test` ends. */
export function folder(test: Test, files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'uwas-commands-'))
  // The embedded PostgreSQL of a test that runs as root has a user of its own.
  chmodSync(root, 0o755)
  test.teardown(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) put(root, path, text)
  return root
}

/** Writes a file below `root`. */
export function put(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

function start(args: readonly string[], { cwd, env = {}, uid, stdin }: RunOptions): ChildProcess {
  const { NODE_OPTIONS, DATABASE_URL, PORT, DEBUG, ...inherited } = process.env
  const cache = join(tmpdir(), 'uwas-commands-cache')
  return spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { ...inherited, XDG_CACHE_HOME: cache, ...env },
    ...(uid === undefined ? {} : { uid, gid: uid }),
    stdio: [stdin ?? 'ignore', 'pipe', 'pipe'],
  })
}

function collect(child: ChildProcess) {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const finished = new Promise<Finished>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  function printed(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) =>
        settle(() => reject(new Error(`${why} before ${pattern} was printed:\n${stderr}`)))
      const look = () => {
        const found = pattern.exec(stderr.slice(from))
        if (found !== null) settle(() => resolve(found))
      }
      const onClose = () => fail('it ended')
      const timer = setTimeout(() => fail(`${WAIT_MS} ms went by`), WAIT_MS)
      const settle = (then: () => void) => {
        clearTimeout(timer)
        child.stderr?.off('data', look)
        child.off('close', onClose)
        then()
      }
      child.stderr?.on('data', look)
      child.once('close', onClose)
      look()
    })
  }
  return { finished, printed, stderr: () => stderr }
}

/** What `npm install && npm link uwas` leave. */
export function install(site: string): void {
  const modules = join(ROOT, 'node_modules')
  mkdirSync(join(site, 'node_modules/@types'), { recursive: true })
  symlinkSync(ROOT, join(site, 'node_modules/uwas'))
  for (const name of ['tsx', 'typescript', '@types/node']) {
    symlinkSync(join(modules, name), join(site, 'node_modules', name))
  }
}
