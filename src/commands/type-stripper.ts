/**
 * TypeScript without its types, for `stripped-cache.ts`. The parser takes some 40 MiB, and a server needs it only
 * while it starts. It runs in a process of its own, which ends when nothing has come for a while: a thread
 * would leave half of that memory behind.
 */
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What came of one source; spaces stand where types were, so that lines and columns in stacks stay true. */
export type Stripped =
  | { readonly code: string; readonly refusal?: undefined }
  | { readonly code?: undefined; readonly refusal: Refusal }

/** Why a source is no TypeScript, or has what cannot be taken away (`enum`). */
export interface Refusal {
  readonly message: string
  /** `file:line:column`, where it is known. */
  readonly place?: string
  /** The lines around it. */
  readonly excerpt: string
}

export interface StripOrder {
  readonly id: number
  readonly source: string
  readonly file: string
}

export interface StripResult {
  readonly id: number
  readonly stripped: Stripped
}

/** Modules of one load come one after the other; a change of code that `dev` sees comes much later. */
const IDLE_MS = 1000

interface Waiting {
  resolve(stripped: Stripped): void
  reject(error: Error): void
}

let child: ChildProcess | undefined
let idle: NodeJS.Timeout | undefined
let orders = 0
const waiting = new Map<number, Waiting>()

/** Rejects only where the process cannot run. */
export function stripTypes(source: string, file: string): Promise<Stripped> {
  clearTimeout(idle)
  child ??= start()
  child.ref()
  child.channel?.ref()
  const id = ++orders
  const result = new Promise<Stripped>((resolve, reject) => waiting.set(id, { resolve, reject }))
  child.send({ id, source, file } satisfies StripOrder)
  return result
}

function start(): ChildProcess {
  // Flags of Node's own are not handed on: one that opens a port or writes a profile would do it twice.
  const options: ForkOptions = { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }
  const started = fork(
    fileURLToPath(new URL('./type-stripper-process.js', import.meta.url)),
    options,
  )
  started.on('message', ({ id, stripped }: StripResult) => {
    waiting.get(id)?.resolve(stripped)
    waiting.delete(id)
    if (waiting.size > 0) return
    started.unref()
    started.channel?.unref()
    idle = setTimeout(stop, IDLE_MS).unref()
  })
  started.once('error', (error) => end(started, error))
  started.once('exit', (code, signal) => {
    end(started, new Error(`the process that reads TypeScript ended (${code ?? signal})`))
  })
  return started
}

function stop(): void {
  child?.disconnect()
  child = undefined
}

/** Whoever waits for `ended` waits in vain; the next source starts another. */
function end(ended: ChildProcess, error: Error): void {
  if (child !== ended) return
  child = undefined
  for (const { reject } of waiting.values()) reject(error)
  waiting.clear()
}
