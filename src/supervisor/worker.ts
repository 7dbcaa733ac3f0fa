/**
 * A worker from its start to its end: tells its supervisor what it is to serve, builds the site when it is told to,
 * accepts from the sockets that it is handed, beats, and drains. Gets how the site is loaded; leaves the exit code.
 * Called by `uwas serve` in a process that a supervisor has started.
 */
import { type App, type Backends, createApp, openBackends, setHeaderLimit } from '../app.ts'
import { Deferred } from '../core/deferred.ts'
import type { Log } from '../core/log.ts'
import { shareTables } from '../core/table-memory.ts'
import { securityHeaders } from '../http/security-headers.ts'
import { embeddedDir, leaveOrphan } from '../model/embedded-processes.ts'
import { loadNative } from '../native/load.ts'
import type { OwnProcess } from '../native/own-process.ts'
import { SharedTables } from '../native/shared-tables.ts'
import { measureOrders, measureServer } from '../observe/metrics/server-metrics.ts'
import { connectionRules } from '../server/connection-limits.ts'
import {
  type CloseOptions,
  type HandedServer,
  type Serving,
  serveHanded,
} from '../server/server.ts'
import { type CertificateKeeper, keepCertificates } from '../server/tls/acme/keep-certificates.ts'
import { openTls } from '../server/tls/open-tls.ts'
import type { SiteConfig } from '../was/config.ts'
import { LEAVING } from '../was/health/leaving.ts'
import { listsOf, socketAddresses } from './addresses.ts'
import { Channel, type SocketHandle } from './channel.ts'
import { ownMemoryBytes } from './memory.ts'
import { type Begin, type Settings, SHARED_VARIABLE, type ToWorker } from './messages.ts'
import { listenByItself } from './own-listening.ts'
import { WorkerAnswers } from './worker-answers.ts'

export interface WorkerSite {
  readonly load: () => Promise<SiteConfig>
  /** What people call it. */
  readonly nameOf: (config: SiteConfig) => string
  /** A failure in words, with the exit code of its kind. */
  readonly describe: (error: unknown) => { readonly text: string; readonly exitCode: number }
  readonly log: Log
}

/** Between two beats, at most. */
const BEAT_MS = 1_000
/** Beats in the time after which the supervisor believes that this process stands still. */
const BEATS = 8
const GRACE_AFTER_ERROR_MS = 2_000
const LINGER_MS = 250
/** What a worker that does not serve yet may take to end when its supervisor has gone, in seconds. */
const START_SECONDS = 5
/** What closing may take beyond its grace. */
const CLOSE_MS = 10_000

/** Exits: 0 when it was told to stop, or its supervisor has gone. */
export async function runWorker(site: WorkerSite): Promise<never> {
  const worker = new Worker(site)
  let exitCode: number
  try {
    exitCode = await worker.run()
  } catch (error) {
    exitCode = await worker.fail(error)
  }
  // What the site has left running must not keep its process.
  process.exit(exitCode)
}

class Worker {
  readonly #site: WorkerSite
  readonly #channel: Channel
  readonly #begin: Deferred<Begin>
  readonly #exitCode: Deferred<number>
  /** How to stop accepting, by the key of the socket. */
  readonly #accepted: Map<string, () => void>
  #shared: SharedTables | null
  #config: SiteConfig | null
  #backends: Backends | null
  #app: App | null
  #answers: WorkerAnswers | null
  #server: Serving | null
  /** Of the first worker alone. */
  #keeper: CertificateKeeper | null
  #handed: HandedServer | null
  /** Of the embedded PostgreSQL: as it was at the start, whatever a link on the way to it says later. */
  #postgresDir: string | null
  #isStopping: boolean
  #isBroken: boolean

  constructor(site: WorkerSite) {
    this.#site = site
    this.#channel = new Channel((message, handle) => this.#hear(message, handle))
    this.#begin = new Deferred()
    this.#exitCode = new Deferred()
    this.#accepted = new Map()
    this.#shared = null
    this.#config = null
    this.#backends = null
    this.#app = null
    this.#answers = null
    this.#server = null
    this.#keeper = null
    this.#handed = null
    this.#postgresDir = null
    this.#isStopping = false
    this.#isBroken = false
  }

  /** Resolves to the exit code. Rejects with what keeps it from starting. */
  async run(): Promise<number> {
    process.title = 'uwas: worker'
    const { ownProcess } = loadNative()
    ownProcess?.endWithParent(START_SECONDS)
    this.#shared = useShared()
    this.#takeSignals()
    const site = this.#site
    const config = await site.load()
    this.#config = config
    this.#postgresDir = postgresDirOf(config)
    await this.#channel.tell({
      type: 'settings',
      settings: settingsOf(config, site.nameOf(config)),
    })
    const begin = await this.#begin.promise
    this.#postgresDir = begin.postgresDir
    process.title = `uwas: worker ${begin.slot + 1}`
    ownProcess?.endWithParent(Math.ceil((config.workers.graceMs + CLOSE_MS) / 1000) + 1)
    if (config.workers.pinToCore) this.#pin(ownProcess, begin.slot)
    // Mistakes in them are told before anything is migrated.
    const tls = await openTls(config.tls, site.log, begin.ticketSeed)
    const app = await this.#build(config, begin)
    this.#app = app
    this.#answers = new WorkerAnswers(app, this.#channel)
    const ports = await this.#open(app, begin, tls)
    const metrics = this.#backends?.metrics ?? null
    if (metrics !== null && this.#server !== null) measureServer(metrics, this.#server)
    process.on('uncaughtException', (error, origin) => this.#onUncaught(error, origin))
    this.#beat(config)
    await this.#channel.tell({ type: 'ready', ready: { ports, counts: app.counts } })
    if (begin.slot === 0 && !this.#isStopping) this.#keep(config)
    return await this.#exitCode.promise
  }

  /** Says why it cannot start. Resolves to the exit code. */
  async fail(error: unknown): Promise<number> {
    const problem = this.#site.describe(error)
    await this.#channel.tell({ type: 'failed', problem })
    return problem.exitCode
  }

  async #build(config: SiteConfig, begin: Begin): Promise<App> {
    const { log } = this.#site
    const { slot, workers, databaseUrl, migrates, onOutage } = begin
    setHeaderLimit(config)
    const share = { databaseUrl, workers, isFirst: slot === 0, worker: slot + 1 }
    this.#backends = await openBackends(config, log, { share })
    return await createApp(config, this.#backends, {
      log,
      migrates,
      onOutage,
      onMigrated: () => void this.#channel.tell({ type: 'migrated' }),
    })
  }

  /** From now on an authority that asks is answered. */
  #keep({ tls }: SiteConfig): void {
    this.#keeper = keepCertificates(tls, this.#site.log)
    const metrics = this.#backends?.metrics ?? null
    if (metrics !== null && this.#keeper !== null) measureOrders(metrics, this.#keeper)
  }

  #pin(ownProcess: OwnProcess | null, slot: number): void {
    if (ownProcess !== null && ownProcess.pinToCore(slot) >= 0) return
    const why = ownProcess === null ? 'that needs Linux and the native addon' : 'the system refuses'
    this.#site.log.warn(`workers.pinToCore: worker ${slot + 1} is on no core of its own: ${why}`)
  }

  /** Resolves to the ports that it listens on by itself. */
  async #open(
    app: App,
    { listens, tlsPort, row }: Begin,
    opened: Awaited<ReturnType<typeof openTls>>,
  ): Promise<readonly number[]> {
    const headers = securityHeaders(app.config.securityHeaders)
    const { gate } = loadNative()
    const tls = opened && { ...opened, port: null, publicPort: opened.publicPort ?? tlsPort }
    const options = { headers, countsConnections: app.config.status !== null, tls }
    if (listens === null && gate !== null) {
      const connections = connectionRules(app.config, this.#shared?.connections(row))
      this.#handed = serveHanded(app, { ...options, gate, connections })
      this.#server = this.#handed
      return []
    }
    const own = { ...options, connections: connectionRules(app.config) }
    const server = await listenByItself(app, own, listens ?? { addresses: [], isNew: true })
    this.#server = server
    return server.ports
  }

  /** A terminal's Ctrl-C and its end reach all its processes: the supervisor decides what becomes of them. */
  #takeSignals(): void {
    process.on('SIGINT', () => {})
    process.on('SIGHUP', () => {})
    // Without a handler it would open Node's debugger.
    process.on('SIGUSR1', () => this.#backends?.logs.reopen())
    // It is the supervisor's as well; its default is the end.
    process.on('SIGUSR2', () => {})
    process.on('SIGTERM', () => {
      if (this.#server === null) process.exit(0)
      void this.#channel.tell({ type: 'leaving', isBroken: false })
    })
    process.on('disconnect', () => this.#onOrphaned())
    // It may have gone before anybody listened.
    if (!process.connected) this.#onOrphaned()
  }

  #beat(config: SiteConfig): void {
    const { timeoutMs } = config.workers
    const everyMs = timeoutMs === 0 ? BEAT_MS : Math.min(BEAT_MS, timeoutMs / BEATS)
    const beat = (): void => {
      const requests = this.#server?.requestCount() ?? 0
      void this.#channel.tell({ type: 'beat', memoryBytes: ownMemoryBytes(), requests })
      void this.#answers?.tellMetrics()
    }
    setInterval(beat, everyMs)
  }

  #hear(message: ToWorker, handle: SocketHandle | undefined): void {
    switch (message.type) {
      case 'begin':
        return this.#begin.resolve(message.begin)
      case 'listen':
        if (handle !== undefined) this.#accept(message, handle)
        return
      case 'release':
        return this.#release(message.key)
      case 'reopen':
        return this.#backends?.logs.reopen()
      case 'unready':
        this.#app?.services.provide(LEAVING, true)
        return
      case 'ask':
        void this.#answers?.answer(message.asked)
        return
      case 'stop':
        void this.#stop(message, 0)
    }
  }

  #accept(
    { key, isTls, isLocal }: Extract<ToWorker, { type: 'listen' }>,
    handle: SocketHandle,
  ): void {
    const server = this.#server
    if (server === null || this.#isStopping) return handle.close()
    this.#release(key)
    if (isTls) {
      this.#accepted.set(key, server.acceptTls(handle))
    } else if (this.#handed !== null) {
      const stopAccepting = this.#handed.accept(handle.fd, isLocal)
      this.#accepted.set(key, () => {
        stopAccepting()
        handle.close()
      })
    }
  }

  #release(key: string): void {
    this.#accepted.get(key)?.()
    this.#accepted.delete(key)
  }

  #onUncaught(error: Error, origin: NodeJS.UncaughtExceptionOrigin): void {
    // Further ones are not even logged: the log itself may be what fails.
    if (this.#isBroken) return
    this.#isBroken = true
    const what = origin === 'unhandledRejection' ? 'a rejected promise' : 'an exception'
    this.#site.log.error(`stopping: the site's code left ${what} unhandled`, error)
    void this.#channel.tell({ type: 'leaving', isBroken: true })
    const graceMs = Math.min(GRACE_AFTER_ERROR_MS, this.#config?.workers.graceMs ?? 0)
    void this.#stop({ graceMs, lingerMs: LINGER_MS }, 1)
  }

  #onOrphaned(): void {
    if (this.#server === null) {
      this.#leavePostgres()
      process.exit(1)
    }
    void this.#stop({ graceMs: this.#config?.workers.graceMs ?? 0, lingerMs: LINGER_MS }, 0)
  }

  async #stop(options: Required<CloseOptions>, exitCode: number): Promise<void> {
    if (this.#server === null) process.exit(exitCode)
    if (this.#isStopping) return
    this.#isStopping = true
    setTimeout(() => process.exit(1), options.graceMs + CLOSE_MS)
    const kept = this.#keeper?.close()
    const closing = this.#server.close(options)
    for (const key of [...this.#accepted.keys()]) this.#release(key)
    void this.#channel.tell({ type: 'deaf' })
    await closing
    await kept
    // Before its own connections go: the last worker to leave ends it.
    if (!process.connected) this.#leavePostgres()
    await this.#backends?.close().catch((error: unknown) => {
      this.#site.log.error('closing failed', error)
    })
    await this.#answers?.tellMetrics()
    this.#exitCode.resolve(exitCode)
  }

  /** The supervisor, which looked after it, has gone. */
  #leavePostgres(): void {
    if (this.#postgresDir !== null) leaveOrphan(this.#postgresDir)
  }
}

/** Counts in the memory that the supervisor has given to all workers: before the site is loaded, which makes limits. */
function useShared(): SharedTables | null {
  const fd = process.env[SHARED_VARIABLE]
  const { sharedMemory } = loadNative()
  delete process.env[SHARED_VARIABLE]
  if (fd === undefined || sharedMemory === null) return null
  const tables = new SharedTables(sharedMemory, Number(fd))
  shareTables((name, bytes) => tables.claim(name, bytes))
  return tables
}

function postgresDirOf({ database, stateDir }: SiteConfig): string | null {
  return database !== null && database.url === null ? embeddedDir(stateDir) : null
}

function settingsOf(config: SiteConfig, name: string): Settings {
  const { file, stateDir, workers, status } = config
  const where = { addresses: socketAddresses(config), lists: listsOf(config) }
  const isEmbedded = postgresDirOf(config) !== null
  return { name, isSite: file !== null, ...where, stateDir, isEmbedded, workers, status }
}
