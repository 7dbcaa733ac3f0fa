/**
 * The process that serves nothing: it keeps the listening sockets, the embedded PostgreSQL and the workers, and swaps
 * all workers on a reload. It never loads a site. Made and ended by `supervise.ts`.
 */
import { closeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { EmbeddedPostgres } from '../model/embedded.ts'
import type { Gate } from '../native/gate.ts'
import type { StatusListener } from '../observe/status/listener.ts'
import { TicketKeys, type TicketSeed } from '../server/tls/ticket-keys.ts'
import type { SiteStatus } from '../was/status.ts'
import { DEFAULT_WORKERS, type SiteWorkers } from '../was/worker-limits.ts'
import type { SocketAddress } from './addresses.ts'
import { addressOf, checkReload, checkTakeOver } from './changes.ts'
import type { ConnectionRows } from './connection-rows.ts'
import { Crew, type CrewHost, LINGER_MS } from './crew.ts'
import type { Handover } from './handover.ts'
import type { Ready, Settings } from './messages.ts'
import type { Predecessor } from './predecessor.ts'
import { type GivenSockets, ServerSockets } from './server-sockets.ts'
import { workerCount } from './worker-count.ts'
import { describeEnd, type WorkerCommand, type WorkerProcess } from './worker-process.ts'

export interface SupervisorOptions {
  readonly command: WorkerCommand
  /** Makes the listening sockets; null where workers listen by themselves. */
  readonly gate: Gate | null
  /** Where workers count connections. */
  readonly rows: ConnectionRows
  readonly log: Log
  /** What it was started with. */
  readonly given: Given
  /** The server that it takes over from; null: it is the first one. */
  readonly predecessor: Predecessor | null
  /** Starts the PostgreSQL of the site that keeps its state in this folder, or shares it. */
  readonly startPostgres: (stateDir: string) => Promise<EmbeddedPostgres>
  /** Called once the configuration is known, before anything is opened. */
  readonly onSettings: (settings: Settings) => { readonly isPatient: boolean }
  /** Called when PostgreSQL and migrations begin, which may take long; `done` settles when they are over. */
  readonly onPreparing: (done: Promise<void>) => void
  /** Tells how the server is where the configuration says it, from before the first worker serves. */
  readonly openStatus: (status: SiteStatus, fd?: number) => Promise<StatusListener>
}

/** What a server was started with, by a service manager or by the server before it. */
export interface Given extends GivenSockets {
  readonly status: Handover['status']
  readonly postgresDir: string | null
  /** Null: it makes its own. */
  readonly ticketSeed: TicketSeed | null
}

/** What is served after a start. */
export interface Started {
  readonly settings: Settings
  readonly counts: Ready['counts']
  /** Where it is served, with the ports that have been found. */
  readonly addresses: readonly SocketAddress[]
  readonly workers: number
}

/** At the end connections that are kept alive have nowhere else to go. */
const LAST_LINGER_MS = 250

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #crew: Crew
  #settings: Settings | null
  readonly #sockets: ServerSockets
  readonly #tickets: TicketKeys
  #postgres: EmbeddedPostgres | null
  #status: StatusListener | null
  /** Those of the settings, with the ports that have been found. */
  #addresses: readonly SocketAddress[]
  #isStopping: boolean
  #hasLeft: boolean
  /** Whether another process is being started that is to follow. */
  #isUpgrading: boolean
  /** Reloads that have come to a good end. */
  reloads: number
  #reloading: Promise<void> | null
  #nextReload: Promise<void> | null

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#settings = null
    this.#sockets = new ServerSockets(options.gate, options.given)
    this.#tickets = new TicketKeys(options.given.ticketSeed ?? undefined)
    this.#postgres = null
    this.#status = null
    this.#addresses = []
    this.#isStopping = false
    this.#hasLeft = false
    this.#isUpgrading = false
    this.reloads = 0
    this.#reloading = null
    this.#nextReload = null
    this.#crew = new Crew({
      command: options.command,
      rows: options.rows,
      log: options.log,
      begin: () => this.#begin(),
      limits: () => this.limits,
      sockets: () => this.#sockets.all,
    })
  }

  get crew(): Crew {
    return this.#crew
  }

  /** Whether it has been told to stop. */
  get isStopping(): boolean {
    return this.#isStopping
  }

  /** Whether another process serves in place of this one. */
  get hasLeft(): boolean {
    return this.#hasLeft
  }

  /** What clients of the status listener show; null: nothing. */
  get statusToken(): string | null {
    return this.#settings?.status?.token ?? null
  }

  get #known(): Settings {
    return this.#settings as Settings
  }

  /** Of the configuration, or by default. */
  get limits(): SiteWorkers {
    return this.#settings?.workers ?? DEFAULT_WORKERS
  }

  /**
   * Starts the first worker, and when it serves the others; where there is a predecessor they serve together, once all
   * could. Null where the configuration wants none. Rejects with UWAS_ERR_SUPERVISOR_WORKER, whose cause is what the worker
   * has said; then nothing is left.
   */
  async start(): Promise<Started | null> {
    const first = this.#crew.spawn(0)
    const { predecessor } = this.#options
    try {
      const settings = await first.settings
      const workers = workerCount(settings.workers)
      if (workers === 0 && predecessor === null) {
        await this.#end(first)
        return null
      }
      if (predecessor !== null) checkTakeOver(this.#options.given, settings, workers)
      // What PostgreSQL and migrations take is not counted.
      predecessor?.expectWithin(0)
      this.#options.onPreparing(first.migrated)
      await this.#open(settings, workers)
      void first.migrated.then(() => predecessor?.expectWithin(settings.workers.startTimeoutMs))
      const onOutage = predecessor === null ? 'wait' : 'fail'
      const { counts, ports } = await this.#crew.bringUp(first, { migrates: true, onOutage })
      this.#addresses = this.#addresses.map((one, i) => ({ ...one, port: ports[i] ?? one.port }))
      this.#crew.put(predecessor === null ? [first] : await this.#takeOver(predecessor, first))
      if (this.#givenStatus !== null) await this.#openStatus()
      this.#sockets.keep()
      this.#crew.fill(workers)
      this.#crew.watch()
      return { settings, counts, addresses: this.#addresses, workers }
    } catch (error) {
      this.#sockets.close()
      await this.#status?.close()
      this.#crew.kill()
      await this.#crew.ended()
      await this.#postgres?.stop()
      throw error
    }
  }

  /**
   * New workers with a new configuration take the places of the present ones, which answer what they have begun.
   * Where one of the new ones cannot start, all stays as it is: rejects with UWAS_ERR_SUPERVISOR_WORKER or
   * UWAS_ERR_SUPERVISOR_RESTART; with UWAS_ERR_SUPERVISOR_STOPPING once it stops, and no new worker is left then; with
   * UWAS_ERR_SUPERVISOR_UPGRADING during an upgrade. A call during a reload waits for one more.
   */
  reload(): Promise<void> {
    if (this.#isStopping) return Promise.reject(createError('UWAS_ERR_SUPERVISOR_STOPPING', {}))
    if (this.#isUpgrading) return Promise.reject(createError('UWAS_ERR_SUPERVISOR_UPGRADING', {}))
    if (this.#reloading === null) {
      this.#reloading = this.#reload().finally(() => {
        this.#reloading = null
      })
      return this.#reloading
    }
    this.#nextReload ??= this.#reloading
      .catch(() => undefined)
      .then(() => {
        this.#nextReload = null
        return this.reload()
      })
    return this.#nextReload
  }

  /**
   * No reload begins until `endUpgrade`. Resolves, once one that has begun is over, to what a successor has to know.
   * Rejects with UWAS_ERR_SUPERVISOR_STOPPING, UWAS_ERR_SUPERVISOR_UPGRADING, UWAS_ERR_SUPERVISOR_DRAINING.
   */
  async beginUpgrade(): Promise<Handover> {
    this.#checkGoesOn()
    if (this.#isUpgrading) throw createError('UWAS_ERR_SUPERVISOR_UPGRADING', {})
    this.#isUpgrading = true
    try {
      await this.#checkIsAlone()
      await this.#reloading?.catch(() => undefined)
      this.#checkGoesOn()
    } catch (error) {
      this.#isUpgrading = false
      throw error
    }
    const { activated, handed } = this.#sockets.given
    const { status } = this.#known
    const { host = '', port = 0 } = status ?? {}
    return {
      pid: process.pid,
      sockets: handed,
      activated,
      status: status && this.#status && { host, port, fd: this.#status.fd },
      postgresDir: this.#postgres?.dir ?? null,
      ticketSeed: this.#tickets.seed(),
    }
  }

  /** It has come to nothing: all is as before. */
  endUpgrade(): void {
    this.#isUpgrading = false
  }

  /** What the server before this one had, and has left, that nobody needs any more. */
  dropUnused(): void {
    this.#sockets.dropUnused()
  }

  /** Leaves all to a successor that serves. Resolves when nothing more is accepted here. */
  async leave(): Promise<void> {
    this.#isStopping = true
    this.#hasLeft = true
    this.#status?.leave()
    this.#status = null
    // First of all: what its end would do to PostgreSQL is not this process's to do any more.
    if ((await this.#postgres?.release()) === true) this.#postgres = null
    this.#sockets.leave()
    const { graceMs } = this.limits
    await this.#crew.stop(graceMs, Math.min(LINGER_MS, graceMs))
  }

  /** Neither a reload nor an upgrade begins any more. */
  beginStop(): void {
    this.#isStopping = true
  }

  /** Resolves when nothing more is accepted, `workers.stopDelayMs` after load balancers could know. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const { stopDelayMs, graceMs } = this.limits
    if (stopDelayMs > 0) {
      this.#options.log.info(`not ready any more, stopping in ${stopDelayMs} ms`)
      this.#crew.leave()
      await sleep(stopDelayMs)
    }
    this.#sockets.close()
    await this.#crew.stop(graceMs, LAST_LINGER_MS)
  }

  /** After `stop` or `leave`. */
  async ended(): Promise<void> {
    await this.#crew.ended()
    // It may still be answering what it has begun, for which it needs PostgreSQL.
    await this.#options.predecessor?.gone
    await this.#status?.close()
    await this.#postgres?.stop()
  }

  /** Ends the workers at once, for an exit. */
  kill(): void {
    this.#isStopping = true
    this.#crew.kill()
  }

  async #open(settings: Settings, count: number): Promise<void> {
    const { isPatient } = this.#options.onSettings(settings)
    this.#settings = settings
    this.#addresses = await this.#sockets.open(settings.addresses, { count, isPatient })
    // Who asks one of a predecessor is not to hear of a server that starts.
    if (this.#givenStatus === null) await this.#openStatus()
    await this.#openPostgres(settings)
  }

  /** The listener of the predecessor, where it is at the same address. */
  get #givenStatus(): Handover['status'] {
    const { status } = this.#options.given
    return addressOf(status) === addressOf(this.#known.status) ? status : null
  }

  async #openStatus(): Promise<void> {
    const { status } = this.#known
    const { openStatus, given } = this.#options
    if (given.status !== null && this.#givenStatus === null) closeSync(given.status.fd)
    if (status !== null) this.#status = await openStatus(status, this.#givenStatus?.fd)
  }

  /** Brings up all other workers, too. Resolves to all of them when they are to serve. */
  async #takeOver(predecessor: Predecessor, first: WorkerProcess): Promise<WorkerProcess[]> {
    const { workers } = this.#known
    const count = workerCount(workers)
    // Two steps of each.
    predecessor.expectWithin(2 * workers.startTimeoutMs)
    const others = Array.from({ length: count - 1 }, (_, i) => this.#crew.spawn(i + 1))
    await Promise.all(others.map((worker) => this.#crew.bringUp(worker)))
    const all = [first, ...others]
    for (const { name, end } of all) {
      if (end === null) continue
      const problem = `it ended ${describeEnd(end)}`
      throw createError('UWAS_ERR_SUPERVISOR_WORKER', { name, problem })
    }
    await predecessor.agree()
    await this.#sockets.first(count)
    return all
  }

  async #openPostgres({ isEmbedded, stateDir }: Settings): Promise<void> {
    if (isEmbedded) this.#postgres ??= await this.#options.startPostgres(stateDir)
  }

  #begin(): ReturnType<CrewHost['begin']> {
    const { workers } = this.#known
    const isNew = this.#crew.slots.length === 0
    const clear = this.#addresses.filter(({ isTls }) => !isTls)
    return {
      workers: workerCount(workers),
      databaseUrl: this.#postgres?.url ?? null,
      postgresDir: this.#postgres?.dir ?? null,
      tlsPort: this.#addresses.find(({ isTls }) => isTls)?.port ?? null,
      ticketSeed: this.#tickets.seed(),
      listens: this.#options.gate === null ? { addresses: clear, isNew } : null,
    }
  }

  async #reload(): Promise<void> {
    const before = this.#known
    const started: WorkerProcess[] = []
    const spawn = (slot: number): WorkerProcess => {
      const worker = this.#crew.spawn(slot)
      started.push(worker)
      return worker
    }
    try {
      const first = spawn(0)
      const settings = await first.settings
      const workers = checkReload(before, settings)
      this.#options.onPreparing(first.migrated)
      await this.#openPostgres(settings)
      this.#settings = { ...settings, addresses: before.addresses }
      await this.#crew.bringUp(first, { migrates: true })
      this.#checkGoesOn()
      const others = Array.from({ length: workers - 1 }, (_, i) => spawn(i + 1))
      await Promise.all(others.map((worker) => this.#crew.bringUp(worker)))
      this.#checkGoesOn()
      await this.#sockets.first(workers)
      this.#checkGoesOn()
      this.#crew.put(started)
      this.#crew.fill(workers)
      this.reloads++
      this.#crew.watch()
    } catch (error) {
      this.#settings = before
      for (const worker of started) worker.kill()
      this.#checkGoesOn()
      throw error
    }
  }

  /** What a reload has started in the meantime is not for serving any more. */
  #checkGoesOn(): void {
    if (this.#isStopping) throw createError('UWAS_ERR_SUPERVISOR_STOPPING', {})
  }

  /** What two that go on inherit of each other, the embedded PostgreSQL above all, a third one would take from both. */
  async #checkIsAlone(): Promise<void> {
    const { predecessor } = this.#options
    if (predecessor === null || (await predecessor.hasGone())) return
    throw createError('UWAS_ERR_SUPERVISOR_DRAINING', { pid: predecessor.pid })
  }

  async #end(worker: WorkerProcess): Promise<void> {
    worker.kill()
    await worker.ended
  }
}
