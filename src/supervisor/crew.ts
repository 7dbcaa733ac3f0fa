/**
 * The workers of a server: one in each place, another one where one has ended, stands still or has served enough.
 * Gets what they are told at their start; kept by `supervisor.ts`, which decides when all of them change.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { OnOutage } from '../app/prepare-database.ts'
import type { Log } from '../core/log.ts'
import type { SiteWorkers } from '../was/worker-limits.ts'
import { assignSockets } from './assign.ts'
import type { ConnectionRows } from './connection-rows.ts'
import { enough } from './limits.ts'
import type { ListeningSocket } from './listening-sockets.ts'
import type { Begin, Ready } from './messages.ts'
import { Slot } from './slot.ts'
import { describeEnd, type WorkerCommand, WorkerProcess } from './worker-process.ts'

/** How a worker treats the database at its start. */
type Manner = Pick<Begin, 'migrates' | 'onOutage'>

/** What a crew asks of its supervisor. */
export interface CrewHost {
  readonly command: WorkerCommand
  readonly rows: ConnectionRows
  readonly log: Log
  /** What workers are told; the place is added. */
  begin(): Omit<Begin, 'slot' | 'row' | keyof Manner>
  limits(): SiteWorkers
  sockets(): readonly ListeningSocket[]
}

/** Between two looks at the workers, at most. */
const LOOK_MS = 1_000
/** Looks in the time after which a worker counts as stuck. */
const LOOKS = 4
/** What it may take until all workers have heard that they are to stop. */
const DEAF_MS = 2_000
/** What a worker may take beyond its grace, before it is killed. */
const CLOSE_MS = 10_000
/**
 * How long connections that are kept alive may be silent before a worker that is replaced closes them: their clients
 * find another one.
 */
export const LINGER_MS = 2_000

export class Crew {
  readonly #host: CrewHost
  #slots: Slot[]
  /** All processes, those that start and those that drain too. */
  readonly #running: Set<WorkerProcess>
  /** How much each worker's limits vary, from -1 to 1. */
  readonly #jitter: WeakMap<WorkerProcess, number>
  /** Hears of each process from its start. */
  onSpawn: (worker: WorkerProcess) => void
  /** Workers that others have followed, since the start. */
  readonly restarts: { crashed: number; replaced: number }
  #timer: NodeJS.Timeout | undefined
  #isLeaving: boolean
  #isStopping: boolean

  constructor(host: CrewHost) {
    this.#host = host
    this.#slots = []
    this.#running = new Set()
    this.#jitter = new WeakMap()
    this.onSpawn = () => {}
    this.restarts = { crashed: 0, replaced: 0 }
    this.#timer = undefined
    this.#isLeaving = false
    this.#isStopping = false
  }

  get slots(): readonly Slot[] {
    return this.#slots
  }

  /** All processes, those that start and those that drain too. */
  get running(): readonly WorkerProcess[] {
    return [...this.#running]
  }

  /** Starts a process for a place, which does nothing yet but read its configuration. */
  spawn(slot: number): WorkerProcess {
    const worker = new WorkerProcess(slot, this.#host.command, {
      onLeaving: (one, isBroken) => this.#onLeaving(one, isBroken),
      onEnd: (one) => this.#onEnd(one),
    })
    worker.expectWithin(this.#host.limits().startTimeoutMs)
    this.#running.add(worker)
    this.onSpawn(worker)
    this.#jitter.set(worker, Math.random() * 2 - 1)
    return worker
  }

  /** Has it build its site. Rejects with UWAS_ERR_SUPERVISOR_WORKER. */
  async bringUp(
    worker: WorkerProcess,
    { migrates = false, onOutage = 'fail' }: Partial<Manner> = {},
  ): Promise<Ready> {
    await worker.settings
    const { startTimeoutMs } = this.#host.limits()
    worker.expectWithin(migrates ? 0 : startTimeoutMs)
    // What one takes that has ended already would never be given back.
    if (worker.end === null) worker.row = this.#host.rows.take()
    const { slot, row } = worker
    worker.begin({ ...this.#host.begin(), slot, row, migrates, onOutage })
    if (migrates) void worker.migrated.then(() => worker.expectWithin(startTimeoutMs))
    const ready = await worker.ready
    if (this.#isLeaving) worker.leave()
    return ready
  }

  /** Puts workers that are ready in the places of those before, which drain; there are as many places as workers then. */
  put(workers: readonly WorkerProcess[]): void {
    const before = this.#slots.flatMap(({ worker }) => worker ?? [])
    this.#slots = workers.map((worker, i) => {
      // A fresh one: pauses after the crashes of other code do not hold up this one.
      const slot = new Slot(i)
      slot.crashes = this.#slots[i]?.crashes ?? 0
      // One may have ended since it was ready: `fill` finds another one.
      slot.worker = worker.state === 'ended' ? null : worker
      return slot
    })
    this.#assign()
    for (const worker of before) if (!workers.includes(worker)) this.#retire(worker)
  }

  /** Makes places up to `count`, and finds workers for those that have none. */
  fill(count: number): void {
    while (this.#slots.length < count) this.#slots.push(new Slot(this.#slots.length))
    for (const slot of this.#slots) void this.#fillSlot(slot, 0)
  }

  /** Looks after the workers from now on. */
  watch(): void {
    clearTimeout(this.#timer)
    const { timeoutMs } = this.#host.limits()
    const lookMs = timeoutMs === 0 ? LOOK_MS : Math.min(LOOK_MS, timeoutMs / LOOKS)
    this.#timer = setTimeout(() => {
      this.#look(lookMs, timeoutMs)
      if (!this.#isStopping) this.watch()
    }, lookMs)
  }

  /** Those that drain too: they have lines to write. */
  reopenLogs(): void {
    for (const worker of this.#running) worker.reopenLogs()
  }

  /** From now on no worker is ready for load balancers, nor is one that takes another's place. */
  leave(): void {
    this.#isLeaving = true
    for (const worker of this.#running) worker.leave()
  }

  /** Stops all. Resolves when none accepts any more, but for those that stand still; `ended` when none runs any more. */
  async stop(graceMs: number, lingerMs: number): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#timer)
    const all = [...this.#running]
    for (const worker of all) {
      if (worker.state === 'starting') worker.kill()
      else worker.stop(graceMs, lingerMs, graceMs + CLOSE_MS)
    }
    const deaf = Promise.all(all.map((worker) => worker.deaf))
    await Promise.race([deaf, sleep(DEAF_MS, undefined, { ref: false })])
  }

  async ended(): Promise<void> {
    await Promise.all([...this.#running].map(({ ended }) => ended))
  }

  /** Ends all at once. */
  kill(): void {
    this.#isStopping = true
    for (const worker of this.#running) worker.kill()
  }

  #assign(): void {
    if (!this.#isStopping) assignSockets(this.#host.sockets(), this.#slots)
  }

  /** One that has another one in its place. */
  #retire(worker: WorkerProcess): void {
    const { graceMs } = this.#host.limits()
    worker.stop(graceMs, Math.min(LINGER_MS, graceMs), graceMs + CLOSE_MS)
  }

  #onEnd(worker: WorkerProcess): void {
    this.#running.delete(worker)
    this.#host.rows.give(worker.row)
    const slot = this.#slots.find((one) => one.worker === worker)
    if (slot === undefined || this.#isStopping || worker.end === null) return
    this.#lose(slot, worker, `ended ${describeEnd(worker.end)}`)
  }

  #onLeaving(worker: WorkerProcess, isBroken: boolean): void {
    const slot = this.#slots.find((one) => one.worker === worker)
    if (slot === undefined || this.#isStopping) return
    if (isBroken) {
      this.#lose(slot, worker, 'is ending')
      this.#retire(worker)
    } else void this.#renew(slot, worker, 'it was told to end')
  }

  /** Neighbours take what comes meanwhile. */
  #lose(slot: Slot, worker: WorkerProcess, how: string): void {
    slot.worker = null
    slot.isLost = true
    slot.crashes++
    this.restarts.crashed++
    this.#assign()
    const pauseMs = slot.backoff.next(performance.now() - worker.readyAt)
    const when = pauseMs === 0 ? '' : ` in ${pauseMs} ms`
    this.#host.log.error(`${worker.name} ${how}; another one takes its place${when}`)
    void this.#fillSlot(slot, pauseMs)
  }

  async #fillSlot(slot: Slot, pauseMs: number): Promise<void> {
    if (slot.isFilling || slot.worker !== null) return
    slot.isFilling = true
    for (let waitMs = pauseMs; this.#isVacant(slot); waitMs = slot.backoff.next(0)) {
      await sleep(waitMs, undefined, { ref: false })
      if (!this.#isVacant(slot)) break
      const worker = await this.#start(slot, this.#needsAnyone(slot) ? 'serve' : 'fail')
      if (worker === null) continue
      if (this.#isVacant(slot)) {
        slot.worker = worker
        slot.isLost = false
        this.#assign()
      } else this.#retire(worker)
      break
    }
    slot.isFilling = false
  }

  #isVacant(slot: Slot): boolean {
    return !this.#isStopping && slot.worker === null && this.#slots.includes(slot)
  }

  /** Whether one that serves without the database is better than none: where nobody else serves. */
  #needsAnyone({ isLost }: Slot): boolean {
    return isLost && this.#slots.every(({ ready }) => ready === null)
  }

  /** A worker that is ready, or null where it could not start: the log says why. */
  async #start(slot: Slot, onOutage: OnOutage): Promise<WorkerProcess | null> {
    try {
      // Where the system makes no process now (no memory, a file that is being replaced), it may a moment later.
      const worker = this.spawn(slot.index)
      await this.bringUp(worker, { onOutage })
      return worker
    } catch (error) {
      if (!this.#isStopping) this.#host.log.error((error as Error).message)
      return null
    }
  }

  /** The next one is ready before this one goes. */
  async #renew(slot: Slot, worker: WorkerProcess, reason: string): Promise<void> {
    if (slot.isFilling) return
    slot.isFilling = true
    this.#host.log.info(`${worker.name} is replaced: ${reason}`)
    const next = await this.#start(slot, 'fail')
    slot.isFilling = false
    if (next === null) {
      slot.renewAt = performance.now() + slot.renewal.next(0)
      if (slot.worker === null) void this.#fillSlot(slot, slot.backoff.next(0))
      return
    }
    slot.renewal.reset()
    const isWanted = this.#slots.includes(slot) && (slot.worker === worker || slot.worker === null)
    if (!isWanted) return this.#retire(next)
    slot.worker = next
    this.restarts.replaced++
    this.#assign()
    this.#retire(worker)
  }

  #look(lookMs: number, timeoutMs: number): void {
    for (const slot of this.#slots) {
      const worker = slot.ready
      if (worker === null) continue
      worker.missedBeats++
      if (timeoutMs > 0 && (worker.missedBeats - 1) * lookMs >= timeoutMs) {
        this.#host.log.error(`${worker.name} has not answered for ${timeoutMs} ms; killing it`)
        worker.kill()
      }
    }
    this.#assign()
    this.#renewOne()
  }

  /** Never two at a time. */
  #renewOne(): void {
    if (this.#isStopping || this.#slots.some(({ isFilling }) => isFilling)) return
    for (const slot of this.#slots) {
      const worker = slot.ready
      if (worker === null || performance.now() < slot.renewAt) continue
      const jitter = this.#jitter.get(worker) ?? 0
      const reason = enough(worker, this.#host.limits(), jitter, performance.now())
      if (reason !== null) return void this.#renew(slot, worker, reason)
    }
  }
}
