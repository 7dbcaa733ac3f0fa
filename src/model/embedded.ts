/**
 * A real PostgreSQL for sites that have no DATABASE_URL: started on a unix socket in a folder of the
 * site, looked after while uwas lives, stopped with it. Called by `app.ts` and the commands, which
 * give its URL to `createDatabase`.
 */
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createError, isCodedError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { Connection } from './connection.ts'
import { type Binaries, findBinaries } from './embedded-binaries.ts'
import {
  boundLog,
  EMBEDDED_NAME,
  type Layout,
  prepareData,
  prepareFolder,
  prepareSocketFolder,
} from './embedded-cluster.ts'
import { atExit } from './embedded-exit.ts'
import { chooseIdentity, type Identity } from './embedded-identity.ts'
import { launch } from './embedded-launch.ts'
import {
  dropOwnership,
  endServer,
  findServer,
  hasHeir,
  isOwned,
  leaveServer,
  noteHeir,
  type RunningServer,
  readOwner,
  takeOwnership,
} from './embedded-processes.ts'
import { problemOf, sqlStateOf } from './failures.ts'
import { parseDatabaseUrl, socketUrl } from './url.ts'

export interface EmbeddedOptions {
  /** The folder that holds `data/`, `server.log` and the socket: `.uwas/postgres`. */
  readonly dir: string
  readonly log: Log
  /** Gives up durability for speed (fsync off); for tests only. Default false. */
  readonly unsafeFast?: boolean
  /** How long a server that runs already may take to answer; default 60,000. */
  readonly answerWithinMs?: number
  /** Looks after the server of another process from when that does not any more, as its `release` has it. Default false. */
  readonly inherits?: boolean
}

export interface EmbeddedPostgres {
  /** Of the site's database, for `createDatabase` and psql. It stays the same over restarts. */
  readonly url: string
  /** Of the server as it runs now; another one after a restart. */
  readonly pid: number
  /** Its folder: absolute, without symbolic links. */
  readonly dir: string
  /** True while another uwas process looks after the server: then `stop` leaves it running. */
  readonly shared: boolean
  /** URL of another database of the same server. */
  urlOf(database: string): string
  /** Ends the server (fast shutdown, at most 25 s) if it is ours to end. Never rejects. */
  stop(): Promise<void>
  /**
   * Leaves the server to the process that inherits it; nothing is done for it here any more. False where it is ours and
   * nobody inherits it: then all is as before. Never rejects.
   */
  release(): Promise<boolean>
}

const WATCH_MS = 500
const ANSWER_WITHIN_MS = 60_000
/** A server that did not answer for so long is not waited for long. */
const HUNG_PATIENCE_MS = 3000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000
/** A server that ran so long before it died starts again without a pause. */
const STEADY_AFTER_MS = 30_000

/**
 * Starts the server, or takes over one that a killed uwas left behind, or shares the one of another
 * living uwas process. The data stay between starts and are made at the first. The process that
 * started the server or took it over stops it; a process that shared it starts it again then. A
 * server that dies is started again, with growing pauses; requests get 503 meanwhile. When the process
 * exits without `stop`, even while this is still starting, the server is asked to end.
 *
 * Rejects with UWAS_ERR_MODEL_EMBEDDED_MISSING, _ACCESS, _USER, _VERSION, _START.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const binaries = await findBinaries()
  const layout = prepareFolder(resolve(options.dir))
  const identity = await chooseIdentity(layout.folder, binaries.postgres)
  const keeper = new Keeper(layout, identity, binaries, options)
  await keeper.start()
  return keeper
}

class Keeper implements EmbeddedPostgres {
  readonly #layout: Layout
  readonly #identity: Identity
  readonly #binaries: Binaries
  readonly #log: Log
  readonly #fast: boolean
  readonly #answerWithinMs: number
  readonly #inherits: boolean
  readonly #socketFolder: string
  #server: RunningServer | undefined
  #startedAt: number
  #deaths: number
  #watch: NodeJS.Timeout | undefined
  #working: Promise<void> | undefined
  #stopped: boolean
  readonly #releaseExit: () => void

  constructor(layout: Layout, identity: Identity, binaries: Binaries, options: EmbeddedOptions) {
    this.#layout = layout
    this.#identity = identity
    this.#binaries = binaries
    this.#log = options.log
    this.#fast = options.unsafeFast ?? false
    this.#answerWithinMs = options.answerWithinMs ?? ANSWER_WITHIN_MS
    this.#inherits = options.inherits ?? false
    this.#socketFolder = findServer(layout)?.socketFolder || prepareSocketFolder(layout, identity)
    this.#server = undefined
    this.#startedAt = 0
    this.#deaths = 0
    this.#watch = undefined
    this.#working = undefined
    this.#stopped = false
    this.#releaseExit = atExit(() => leaveServer(layout))
  }

  get url(): string {
    return this.urlOf(EMBEDDED_NAME)
  }

  get pid(): number {
    return this.#server?.pid ?? 0
  }

  get dir(): string {
    return this.#layout.folder
  }

  get shared(): boolean {
    return readOwner(this.#layout) !== process.pid
  }

  urlOf(database: string): string {
    return socketUrl(this.#socketFolder, EMBEDDED_NAME, database)
  }

  async start(): Promise<void> {
    await this.#bringUp()
    this.#watch = setInterval(() => this.#look(), WATCH_MS).unref()
  }

  async stop(): Promise<void> {
    await this.#rest()
    if (!this.shared) {
      const server = findServer(this.#layout)
      if (server !== undefined) await endServer(server.pid)
    }
    dropOwnership(this.#layout)
    this.#releaseExit()
  }

  async release(): Promise<boolean> {
    if (!this.shared && !hasHeir(this.#layout)) return false
    await this.#rest()
    dropOwnership(this.#layout)
    this.#releaseExit()
    return true
  }

  /** No look any more, and none is under way. */
  async #rest(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#watch)
    await this.#working
  }

  /** One look at a time; a restart counts as one. */
  #look(): void {
    if (this.#working !== undefined || this.#stopped) return
    this.#working = this.#lookOnce()
      .catch((error: unknown) => this.#log.error('the embedded PostgreSQL stays down', error))
      .finally(() => {
        this.#working = undefined
      })
  }

  async #lookOnce(): Promise<void> {
    const server = findServer(this.#layout)
    if (server === undefined) {
      await this.#restart()
    } else {
      this.#server = server
      const owner = readOwner(this.#layout)
      const isLeft = owner === undefined || (owner === process.pid && !isOwned(this.#layout))
      if (isLeft) takeOwnership(this.#layout)
      if (!this.shared) boundLog(this.#layout)
    }
  }

  async #restart(): Promise<void> {
    if (performance.now() - this.#startedAt > STEADY_AFTER_MS) this.#deaths = 0
    const pauseMs = this.#deaths === 0 ? 0 : FIRST_PAUSE_MS * 2 ** this.#deaths
    this.#deaths++
    this.#log.warn(`the embedded PostgreSQL (pid ${this.pid}) has ended; starting it again`)
    await sleep(Math.min(pauseMs, LONGEST_PAUSE_MS), undefined, { ref: false })
    if (!this.#stopped) await this.#bringUp()
  }

  async #bringUp(): Promise<void> {
    this.#server = (await this.#useRunning()) ?? (await this.#launch())
    this.#startedAt = performance.now()
  }

  /** The server that runs already, if it answers; one that nobody looks after and that is hung ends. */
  async #useRunning(): Promise<RunningServer | undefined> {
    const deadline = performance.now() + this.#answerWithinMs
    for (;;) {
      const server = findServer(this.#layout)
      if (server === undefined) return undefined
      const owner = readOwner(this.#layout)
      const ready = server.status === 'ready' ? await this.#tryPrepareDatabase() : server.status
      if (ready === true) {
        if (owner === undefined) this.#adopt(server)
        else if (this.#inherits && owner !== process.pid) noteHeir(this.#layout)
        return server
      }
      if (performance.now() > deadline) {
        if (owner !== undefined && owner !== process.pid) throw this.#hung(server, owner, ready)
        this.#log.warn(`the PostgreSQL left behind (pid ${server.pid}) does not answer; ending it`)
        await endServer(server.pid, HUNG_PATIENCE_MS)
      }
      await sleep(50)
    }
  }

  #adopt(server: RunningServer): void {
    takeOwnership(this.#layout)
    this.#log.info(`took over the embedded PostgreSQL that was still running (pid ${server.pid})`)
  }

  #hung(server: RunningServer, owner: number, state: string): Error {
    return createError('UWAS_ERR_MODEL_EMBEDDED_START', {
      folder: this.#layout.folder,
      problem: `it runs already (pid ${server.pid}, of the uwas process ${owner}) but does not answer: ${state}`,
    })
  }

  async #launch(): Promise<RunningServer> {
    const { folder } = this.#layout
    await prepareData(this.#layout, this.#identity, this.#binaries, this.#fast)
    boundLog(this.#layout)
    const program = { binaries: this.#binaries, identity: this.#identity, fast: this.#fast }
    const server = await launch(this.#layout, this.#socketFolder, program)
    if (server === 'taken') return (await this.#useRunning()) ?? this.#launch()
    takeOwnership(this.#layout)
    const problem = await this.#tryPrepareDatabase()
    if (problem !== true) {
      throw createError('UWAS_ERR_MODEL_EMBEDDED_START', { folder, problem })
    }
    return server
  }

  /** True, or why the server cannot be used. */
  async #tryPrepareDatabase(): Promise<true | string> {
    try {
      await prepareDatabase(this.urlOf('postgres'))
      return true
    } catch (error) {
      if (isCodedError(error) && error.code === 'UWAS_ERR_MODEL_URL') throw error
      return problemOf(error)
    }
  }
}

/**
 * Makes the site's database unless it is there. Our role has the name of the schema in which uwas keeps its own
 * tables, and PostgreSQL looks into a schema of the role's name first: there a site's tables would be made, too.
 */
async function prepareDatabase(url: string): Promise<void> {
  const connection = new Connection({
    target: parseDatabaseUrl(url),
    connectTimeoutMs: 2000,
    statementTimeoutMs: 10_000,
    profile: 'direct',
  })
  await connection.open()
  try {
    const text = 'select 1 from pg_database where datname = $1'
    const { rows } = await connection.run(text, [EMBEDDED_NAME])
    if (rows.length === 0) await connection.simple(`create database ${EMBEDDED_NAME}`)
    const own = "select 1 from pg_roles where rolname = $1 and rolconfig::text ~ 'search_path='"
    const found = await connection.run(own, [EMBEDDED_NAME])
    if (found.rows.length > 0) return
    await connection.simple(`alter role ${EMBEDDED_NAME} set search_path = public, "$user"`)
  } catch (error) {
    // Another process made it between the two statements.
    if (!['42P04', '23505'].includes(sqlStateOf(error) ?? '')) throw error
  } finally {
    await connection.close(1000)
  }
}
