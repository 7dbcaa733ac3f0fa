/**
 * The process that serves nothing: it keeps the listening sockets, the embedded PostgreSQL and the workers, and swaps
 * all workers on a reload. It never loads a site. Made and ended by `supervise.ts`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { EmbeddedPostgres } from '../model/embedded.ts'
import type { Gate } from '../native/gate.ts'
import type { StatusListener } from '../observe/status/listener.ts'
import { TicketKeys } from '../server/tls/ticket-keys.ts'
import type { SiteStatus } from '../was/status.ts'
import { DEFAULT_WORKERS } from '../was/worker-limits.ts'
import { changedAddresses, type SocketAddress } from './addresses.ts'
import type { ConnectionRows } from './connection-rows.ts'
import { Crew } from './crew.ts'
import { adoptSocket, type Held, ListeningSockets } from './listening-sockets.ts'
import type { Begin, Ready, Settings } from './messages.ts'
import { workerCount } from './worker-count.ts'
import type { WorkerCommand, WorkerProcess } from './worker-process.ts'

export interface SupervisorOptions {
  readonly command: WorkerCommand
  /** Makes the listening sockets; null where workers listen by themselves. */
  readonly gate: Gate | null
  /** Where workers count connections. */
  readonly rows: ConnectionRows
  readonly log: Log
  /** Listening sockets that it was started with; where there are some, it opens none. */
  readonly inherited: readonly number[]
  /** Starts the PostgreSQL of the site that keeps its state in this folder. */
  readonly startPostgres: (stateDir: string) => Promise<EmbeddedPostgres>
  /** Called once the configuration is known, before anything is opened. */
  readonly onSettings: (settings: Settings) => { readonly isPatient: boolean }
  /** Tells how the server is where the configuration says it, from before the first worker serves. */
  readonly openStatus: (status: SiteStatus) => Promise<StatusListener>
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
  readonly #sockets: ListeningSockets[]
  readonly #tickets: TicketKeys
  #postgres: EmbeddedPostgres | null
  #status: StatusListener | null
  /** Those of the settings, with the ports that have been found. */
  #addresses: readonly SocketAddress[]
  #isStopping: boolean
  /** Reloads that have come to a good end. */
  reloads: number
  #reloading: Promise<void> | null
  #nextReload: Promise<void> | null

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#settings = null
    this.#sockets = []
    this.#tickets = new TicketKeys()
    this.#postgres = null
    this.#status = null
    this.#addresses = []
    this.#isStopping = false
    this.reloads = 0
    this.#reloading = null
    this.#nextReload = null
    this.#crew = new Crew({
      command: options.command,
      rows: options.rows,
      log: options.log,
      begin: () => this.#begin(),
      limits: () => this.#settings?.workers ?? DEFAULT_WORKERS,
      sockets: () => this.#sockets.flatMap(({ all }) => all),
    })
  }

  get crew(): Crew {
    return this.#crew
  }

  /** Whether it has been told to stop. */
  get isStopping(): boolean {
    return this.#isStopping
  }

  /** What clients of the status listener show; null: nothing. */
  get statusToken(): string | null {
    return this.#settings?.status?.token ?? null
  }

  get #known(): Settings {
    return this.#settings as Settings
  }

  /**
   * Starts the first worker, and when it serves the others. Null where the configuration wants none. Rejects with
   * UWAS_ERR_SUPERVISOR_WORKER, whose cause is what the worker has said; then nothing is left.
   */
  async start(): Promise<Started | null> {
    const first = this.#crew.spawn(0)
    try {
      const settings = await first.settings
      const workers = workerCount(settings.workers)
      if (workers === 0) {
        await this.#end(first)
        return null
      }
      await this.#open(settings, workers)
      const { counts, ports } = await this.#crew.bringUp(first, true)
      this.#addresses = this.#addresses.map((one, i) => ({ ...one, port: ports[i] ?? one.port }))
      this.#crew.put([first])
      this.#crew.fill(workers)
      this.#crew.watch()
      return { settings, counts, addresses: this.#addresses, workers }
    } catch (error) {
      this.#closeSockets()
      await this.#status?.close()
      await this.#end(first)
      await this.#postgres?.stop()
      throw error
    }
  }

  /**
   * New workers with a new configuration take the places of the present ones, which answer what they have begun.
   * Where one of the new ones cannot start, all stays as it is: rejects with UWAS_ERR_SUPERVISOR_WORKER or
   * UWAS_ERR_SUPERVISOR_RESTART; with UWAS_ERR_SUPERVISOR_STOPPING once it stops, and no new worker is left then. A call
   * during a reload waits for one more.
   */
  reload(): Promise<void> {
    if (this.#isStopping) return Promise.reject(createError('UWAS_ERR_SUPERVISOR_STOPPING', {}))
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

  /** Resolves when nothing more is accepted, `workers.stopDelayMs` after load balancers could know. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const { stopDelayMs, graceMs } = this.#settings?.workers ?? DEFAULT_WORKERS
    if (stopDelayMs > 0) {
      this.#options.log.info(`not ready any more, stopping in ${stopDelayMs} ms`)
      this.#crew.leave()
      await sleep(stopDelayMs)
    }
    this.#closeSockets()
    await this.#crew.stop(graceMs, LAST_LINGER_MS)
  }

  /** After `stop`. */
  async ended(): Promise<void> {
    await this.#crew.ended()
    await this.#status?.close()
    await this.#postgres?.stop()
  }

  /** Ends the workers at once, for an exit. */
  kill(): void {
    this.#isStopping = true
    this.#crew.kill()
  }

  async #open(settings: Settings, workers: number): Promise<void> {
    const { isPatient } = this.#options.onSettings(settings)
    this.#settings = settings
    await this.#openSockets(settings.addresses, workers, isPatient)
    if (settings.status !== null) this.#status = await this.#options.openStatus(settings.status)
    await this.#openPostgres(settings)
  }

  /**
   * Of those that it was started with, the ones at a port for TLS are for TLS. One address after the other: who
   * shares one would not notice that both are the same.
   */
  async #openSockets(
    addresses: readonly SocketAddress[],
    workers: number,
    isPatient: boolean,
  ): Promise<void> {
    const { gate, inherited } = this.#options
    const held = gate === null ? [] : inherited.map((fd) => adoptSocket(gate, fd))
    const tlsPorts = addresses.filter(({ isTls }) => isTls).map(({ port }) => port)
    const found: SocketAddress[] = []
    const add = async (sockets: ListeningSockets): Promise<void> => {
      this.#sockets.push(sockets)
      await sockets.first(workers)
    }
    for (const isTls of [false, true]) {
      const wanted = addresses.filter((one) => one.isTls === isTls)
      const own = held.filter(({ port }) => tlsPorts.includes(port) === isTls)
      const [first] = wanted
      if (first !== undefined && own.length > 0) {
        await add(ListeningSockets.inherit(first, own))
        found.push(...own.map((one) => inheritedAddress(first, one)))
        continue
      }
      for (const address of wanted) {
        const sockets = await openAt(gate, address, isPatient)
        if (sockets !== null) await add(sockets)
        found.push({ ...address, port: sockets?.port ?? address.port })
      }
    }
    this.#addresses = found
  }

  async #firstSockets(count: number): Promise<void> {
    for (const sockets of this.#sockets) await sockets.first(count)
  }

  #closeSockets(): void {
    for (const sockets of this.#sockets) sockets.close()
  }

  async #openPostgres({ isEmbedded, stateDir }: Settings): Promise<void> {
    if (isEmbedded) this.#postgres ??= await this.#options.startPostgres(stateDir)
  }

  #begin(): Omit<Begin, 'slot' | 'row' | 'migrates'> {
    const { workers } = this.#known
    const isNew = this.#crew.slots.length === 0
    const clear = this.#addresses.filter(({ isTls }) => !isTls)
    return {
      workers: workerCount(workers),
      databaseUrl: this.#postgres?.url ?? null,
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
      await this.#openPostgres(settings)
      this.#settings = { ...settings, addresses: before.addresses }
      await this.#crew.bringUp(first, true)
      this.#checkGoesOn()
      const others = Array.from({ length: workers - 1 }, (_, i) => spawn(i + 1))
      await Promise.all(others.map((worker) => this.#crew.bringUp(worker)))
      this.#checkGoesOn()
      await this.#firstSockets(workers)
      this.#checkGoesOn()
      this.#crew.put(started)
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

  async #end(worker: WorkerProcess): Promise<void> {
    worker.kill()
    await worker.ended
  }
}

/** Null: the workers listen there by themselves. */
async function openAt(
  gate: Gate | null,
  address: SocketAddress,
  isPatient: boolean,
): Promise<ListeningSockets | null> {
  if (gate !== null) return await ListeningSockets.open(gate, address, isPatient)
  return address.isTls ? await ListeningSockets.openOne(address) : null
}

function inheritedAddress(address: SocketAddress, { port, isLocal }: Held): SocketAddress {
  return { ...address, host: null, port, path: isLocal ? 'inherited' : null }
}

/** How many workers it wants. Throws UWAS_ERR_SUPERVISOR_RESTART for what a reload cannot change. */
function checkReload(before: Settings, after: Settings): number {
  const workers = workerCount(after.workers)
  const changed = changedAddresses(before.addresses, after.addresses)
  if (before.stateDir !== after.stateDir) changed.push('stateDir')
  const keys = [
    ...changed,
    ...(workers === 0 ? ['workers'] : []),
    ...(addressOf(before.status) === addressOf(after.status) ? [] : ['status.listen']),
  ]
  if (keys.length === 0) return workers
  throw createError('UWAS_ERR_SUPERVISOR_RESTART', { keys: keys.join(', ') })
}

function addressOf(status: SiteStatus | null): string {
  return status === null ? '' : `${status.host} ${status.port}`
}
