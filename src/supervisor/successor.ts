/**
 * The new binary of an upgrade, as the server sees it that has started it: a child process with the listening sockets,
 * and what it has said. Made by `upgrade.ts`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { Deferred } from '../core/deferred.ts'
import {
  type FromSuccessor,
  type Handover,
  numbered,
  PROTOCOL,
  type ToSuccessor,
  UPGRADE_VARIABLE,
} from './handover.ts'
import type { StartCommand } from './start-command.ts'
import { describeEnd } from './worker-process.ts'

export interface SuccessorOptions {
  readonly command: StartCommand
  readonly handover: Handover
  /** What it gets beside the environment of this process. */
  readonly env: Readonly<Record<string, string>>
  /** How long it may take to its first step, and from being told to serve until it does; 0: as long as it takes. */
  readonly timeoutMs: number
}

/** A successor that serves. */
export interface Served {
  readonly version: string
  /** Pids of its workers. */
  readonly workers: readonly number[]
}

/** After having been asked to end. */
const KILL_MS = 2_000

export class Successor {
  readonly #child: ChildProcess
  readonly #timeoutMs: number
  readonly #ready: Deferred<void>
  readonly #serving: Deferred<Served>
  readonly #ended: Deferred<void>
  /** Why it does not come to serve, as far as is known. */
  #problem: string | null
  #timer: NodeJS.Timeout | undefined
  #isTaking: boolean

  constructor({ command: { file, args, cwd }, handover, env, timeoutMs }: SuccessorOptions) {
    const { handover: given, fds } = numbered(handover)
    this.#timeoutMs = timeoutMs
    this.#ready = new Deferred()
    this.#serving = new Deferred()
    this.#ended = new Deferred()
    this.#problem = null
    this.#timer = undefined
    this.#isTaking = false
    this.#child = spawn(file, args, {
      cwd,
      env: { ...process.env, ...env, [UPGRADE_VARIABLE]: String(PROTOCOL) },
      stdio: ['inherit', 'inherit', 'inherit', 'ipc', ...fds],
    })
    this.#child.on('message', (message) => this.#hear(message as FromSuccessor))
    // After its last message, which says why: those may come later than its end.
    this.#child.once('close', (code, signal) =>
      this.#finish(`it ended ${describeEnd({ code, signal })}`),
    )
    this.#child.on('error', ({ message }) => {
      if (this.#child.pid === undefined) this.#finish(`${file} cannot be run in ${cwd}: ${message}`)
    })
    this.#tell({ type: 'inherit', handover: given })
    this.#expectWithin(timeoutMs)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Whether it has been told to serve: it is not taken back. */
  get isTaking(): boolean {
    return this.#isTaking
  }

  /** Resolves when it could serve. Rejects, once it has ended, with why it cannot. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  /** Resolves when it serves. Rejects, once it has ended, with why it does not. */
  get serving(): Promise<Served> {
    return this.#serving.promise
  }

  get ended(): Promise<void> {
    return this.#ended.promise
  }

  take(): void {
    this.#isTaking = true
    this.#expectWithin(this.#timeoutMs)
    this.#tell({ type: 'take' })
  }

  /** It is on its own from now on, and keeps this process no longer. */
  leave(): void {
    this.#tell({ type: 'left' })
    this.#child.unref()
    this.#child.channel?.unref()
  }

  /** Has it end; where it serves already, once what has begun is finished. */
  end(problem: string): void {
    this.#problem ??= problem
    this.#child.kill('SIGTERM')
    if (!this.#isTaking) setTimeout(() => this.#child.kill('SIGKILL'), KILL_MS).unref()
  }

  #expectWithin(timeoutMs: number): void {
    clearTimeout(this.#timer)
    if (timeoutMs === 0) return
    this.#timer = setTimeout(() => {
      this.#problem ??= `it was not ready after ${timeoutMs} ms`
      this.#child.kill('SIGKILL')
    }, timeoutMs)
  }

  #hear(message: FromSuccessor): void {
    switch (message.type) {
      case 'expect':
        return this.#expectWithin(message.withinMs)
      case 'failed':
        this.#problem ??= message.problem.text
        return
      case 'ready':
        this.#expectWithin(0)
        // One that is being ended is not to serve any more.
        if (this.#problem === null) this.#ready.resolve()
        return
      case 'serving':
        this.#expectWithin(0)
        return this.#serving.resolve({ version: message.version, workers: message.workers })
    }
  }

  #finish(how: string): void {
    clearTimeout(this.#timer)
    const error = new Error(this.#problem ?? `${how} before it served; its words are in the log`)
    this.#ready.reject(error)
    this.#serving.reject(error)
    this.#ended.resolve()
  }

  #tell(message: ToSuccessor): void {
    if (this.#child.connected) this.#child.send(message, () => {})
  }
}
