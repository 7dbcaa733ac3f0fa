/**
 * One worker as its supervisor sees it: a child process, what it has said, and what it is told. Made by
 * `supervisor.ts` for a start, a reload or a replacement.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { Deferred } from '../core/deferred.ts'
import { createError } from '../core/errors.ts'
import type { ListeningSocket } from './listening-sockets.ts'
import {
  type Answered,
  type Asked,
  type Begin,
  type FromWorker,
  type Ready,
  type Settings,
  SHARED_FD,
  SHARED_VARIABLE,
  type ToWorker,
  WORKER_VARIABLE,
} from './messages.ts'
import { Mirrors } from './reports.ts'
import type { WorkerUser } from './worker-user.ts'

/** How workers are started: as this process was, with the same command line. */
export interface WorkerCommand {
  readonly file: string
  readonly args: readonly string[]
  /** As whom; undefined: as this process. */
  readonly user: WorkerUser | undefined
  /** Of uwas: a worker of another one refuses to start. */
  readonly version: string
  /** Memory that all workers have together; undefined: each has its own. */
  readonly sharedFd?: number | undefined
}

/** How a process has ended. */
export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Why a worker could not start, in its own words: the `cause` of UWAS_ERR_SUPERVISOR_WORKER. */
export interface WorkerProblem {
  readonly text: string
  readonly exitCode: number
}

export interface WorkerEvents {
  /** It wants to be replaced; `isBroken`: it is about to exit. */
  onLeaving(worker: WorkerProcess, isBroken: boolean): void
  onEnd(worker: WorkerProcess): void
}

/** `stopping`: it accepts nothing more, or is about to. */
export type WorkerState = 'starting' | 'ready' | 'stopping' | 'ended'

export class WorkerProcess {
  readonly slot: number
  /** Where it counts its connections, as `ConnectionRows` has given it; -1 before. */
  row: number
  state: WorkerState
  /** When it became ready, by `performance.now()`. */
  readyAt: number
  /** Looks of the supervisor since its last beat. */
  missedBeats: number
  memoryBytes: number
  requests: number
  end: End | null
  /** What it has said before it ended without having been ready. */
  problem: WorkerProblem | null
  /** What it has counted, as far as it has told. */
  readonly metrics: Mirrors
  readonly #child: ChildProcess
  readonly #events: WorkerEvents
  /** Keys of the sockets that it accepts from. */
  readonly #accepting: Set<string>
  readonly #settings: Deferred<Settings>
  readonly #migrated: Deferred<void>
  readonly #ready: Deferred<Ready>
  readonly #deaf: Deferred<void>
  readonly #ended: Deferred<End>
  readonly #gone: Deferred<void>
  /** By number: who wait for an answer. */
  readonly #asking: Map<number, (answer: Answered | null) => void>
  #questions: number
  #startTimer: NodeJS.Timeout | undefined

  constructor(slot: number, command: WorkerCommand, events: WorkerEvents) {
    this.slot = slot
    this.row = -1
    this.state = 'starting'
    this.readyAt = 0
    this.missedBeats = 0
    this.memoryBytes = 0
    this.requests = 0
    this.end = null
    this.problem = null
    this.metrics = new Mirrors()
    this.#events = events
    this.#accepting = new Set()
    this.#settings = new Deferred()
    this.#migrated = new Deferred()
    this.#ready = new Deferred()
    this.#startTimer = undefined
    this.#deaf = new Deferred()
    this.#ended = new Deferred()
    this.#gone = new Deferred()
    this.#asking = new Map()
    this.#questions = 0
    this.#child = start(command)
    this.#child.on('message', (message) => this.#hear(message as FromWorker))
    this.#child.once('exit', (code, signal) => this.#finish({ code, signal }))
    // After the last message: they may come later than the end.
    this.#child.once('close', () => this.#gone.resolve())
    this.#child.once('error', (error) => {
      this.problem ??= { text: error.message, exitCode: 1 }
      if (this.#child.pid === undefined) this.#finish({ code: 1, signal: null })
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** `worker 1 (pid 4711)` */
  get name(): string {
    return `worker ${this.slot + 1} (pid ${this.pid})`
  }

  /** What it serves. Rejects with UWAS_ERR_SUPERVISOR_WORKER when it ends before. */
  get settings(): Promise<Settings> {
    return this.#settings.promise
  }

  /** Resolves when it can serve. Rejects with UWAS_ERR_SUPERVISOR_WORKER when it ends before. */
  get ready(): Promise<Ready> {
    return this.#ready.promise
  }

  /** Resolves when it accepts nothing more, or has ended. */
  get deaf(): Promise<void> {
    return this.#deaf.promise
  }

  get ended(): Promise<End> {
    return this.#ended.promise
  }

  /** Resolves when it has ended, and all that it has said is heard. */
  get gone(): Promise<void> {
    return this.#gone.promise
  }

  /** Null where it does not answer in time, or cannot yet, or has ended. */
  async ask({ question }: Pick<Asked, 'question'>, timeoutMs: number): Promise<Answered | null> {
    if (this.state === 'starting' || this.state === 'ended') return null
    const id = this.#questions++
    let timer: NodeJS.Timeout | undefined
    const answer = await new Promise<Answered | null>((resolve) => {
      this.#asking.set(id, resolve)
      timer = setTimeout(() => resolve(null), timeoutMs)
      this.#tell({ type: 'ask', asked: { id, question } })
    })
    clearTimeout(timer)
    this.#asking.delete(id)
    return answer
  }

  begin(begin: Begin): void {
    this.#tell({ type: 'begin', begin })
  }

  /** Kills it when so long from now it is not ready, nor has come to a time-out of a later step. 0: never. */
  expectWithin(timeoutMs: number): void {
    clearTimeout(this.#startTimer)
    if (timeoutMs === 0 || this.state !== 'starting') return
    this.#startTimer = setTimeout(() => {
      this.problem = { text: `it was not ready after ${timeoutMs} ms`, exitCode: 1 }
      this.kill()
    }, timeoutMs)
  }

  /** Resolves when it has migrated, or has ended. */
  get migrated(): Promise<void> {
    return this.#migrated.promise
  }

  /** Hands over those of `sockets` that it does not have, and takes those back that are not among them. */
  acceptFrom(sockets: readonly ListeningSocket[]): void {
    const wanted = new Set(sockets.map(({ key }) => key))
    for (const { key, isTls, isLocal, handle } of sockets) {
      if (this.#accepting.has(key)) continue
      this.#accepting.add(key)
      this.#tell({ type: 'listen', key, isTls, isLocal }, handle)
    }
    for (const key of this.#accepting) {
      if (wanted.has(key)) continue
      this.#accepting.delete(key)
      this.#tell({ type: 'release', key })
    }
  }

  /** Has it go on in the files that have the names of its logs by now. */
  reopenLogs(): void {
    this.#tell({ type: 'reopen' })
  }

  /** Has it tell load balancers that it is not ready any more. */
  leave(): void {
    this.#tell({ type: 'unready' })
  }

  /** Has it drain and exit; killed when that takes longer than `killMs`. */
  stop(graceMs: number, lingerMs: number, killMs: number): void {
    if (this.state === 'stopping' || this.state === 'ended') return
    this.state = 'stopping'
    this.#tell({ type: 'stop', graceMs, lingerMs })
    const timer = setTimeout(() => this.kill(), killMs)
    this.#child.once('exit', () => clearTimeout(timer))
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #hear(message: FromWorker): void {
    switch (message.type) {
      case 'settings':
        return this.#settings.resolve(message.settings)
      case 'migrated':
        return this.#migrated.resolve()
      case 'ready':
        clearTimeout(this.#startTimer)
        if (this.state === 'starting') this.state = 'ready'
        this.readyAt = performance.now()
        return this.#ready.resolve(message.ready)
      case 'failed':
        this.problem = message.problem
        return
      case 'beat':
        this.missedBeats = 0
        this.memoryBytes = message.memoryBytes
        this.requests = message.requests
        return
      case 'metrics':
        return this.metrics.take(message.reports)
      case 'answer':
        return this.#asking.get(message.answer.id)?.(message.answer)
      case 'deaf':
        return this.#deaf.resolve()
      case 'leaving':
        return this.#events.onLeaving(this, message.isBroken)
    }
  }

  #finish(end: End): void {
    if (this.end !== null) return
    this.end = end
    this.state = 'ended'
    clearTimeout(this.#startTimer)
    const problem = this.problem?.text ?? `it ended ${describeEnd(end)} before it was ready`
    const error = createError(
      'UWAS_ERR_SUPERVISOR_WORKER',
      { name: this.name, problem },
      this.problem ?? undefined,
    )
    this.#settings.reject(error)
    this.#ready.reject(error)
    this.#migrated.resolve()
    this.#deaf.resolve()
    this.#ended.resolve(end)
    for (const answer of this.#asking.values()) answer(null)
    if (this.#child.pid === undefined) this.#gone.resolve()
    this.#events.onEnd(this)
  }

  #tell(message: ToWorker, handle?: unknown): void {
    // A worker that is ending is not told any more: its end is told by an event of its own.
    if (!this.#child.connected) return
    this.#child.send(message, handle as undefined, () => {})
  }
}

/** `with exit code 1`, `by SIGKILL` */
export function describeEnd({ code, signal }: End): string {
  return signal === null ? `with exit code ${code}` : `by ${signal}`
}

function start({ file, args, version, user, sharedFd }: WorkerCommand): ChildProcess {
  const isShared = sharedFd !== undefined
  return spawn(file, args, {
    ...(user !== undefined && { uid: user.uid, gid: user.gid }),
    env: {
      ...process.env,
      ...user?.env,
      [WORKER_VARIABLE]: version,
      ...(isShared && { [SHARED_VARIABLE]: String(SHARED_FD) }),
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...(isShared ? [sharedFd] : [])],
  })
}
