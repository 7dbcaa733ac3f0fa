/**
 * What supervisor and workers say to each other over the ipc channel. A worker tells its settings, is told to begin,
 * tells that it is ready, and is handed listening sockets; it beats until it is told to stop.
 */

import type { OnOutage } from '../app/prepare-database.ts'
import type { App } from '../app.ts'
import type { Report } from '../observe/metrics/report.ts'
import type { Readiness } from '../observe/status/listener.ts'
import type { TicketSeed } from '../server/tls/ticket-keys.ts'
import type { SiteStatus } from '../was/status.ts'
import type { SiteWorkers } from '../was/worker-limits.ts'
import type { Listening, SocketAddress } from './addresses.ts'
import type { ListeningSocket } from './listening-sockets.ts'

/** What the supervisor has to know of a configuration, which it never loads itself. */
export interface Settings extends Listening {
  /** What is served, as people know it. */
  readonly name: string
  /** Whether it has a configuration file; else it is a folder. */
  readonly isSite: boolean
  readonly stateDir: string
  /** Whether it is to have a PostgreSQL of its own. */
  readonly isEmbedded: boolean
  readonly workers: SiteWorkers
  /** Where the whole server tells how it is; null: nowhere. */
  readonly status: SiteStatus | null
}

/** What the status listener wants to know of a worker. */
export interface Asked {
  readonly id: number
  /** `metrics` is answered by a report, and then by an answer that says that it was all. */
  readonly question: 'metrics' | 'readiness'
}

export interface Answered {
  readonly id: number
  readonly readiness?: Readiness
}

/** What a worker needs to build its site. */
export interface Begin {
  /** Place of the worker, from 0. */
  readonly slot: number
  /** Where it counts its connections, in the memory that all workers have together; -1: nowhere. */
  readonly row: number
  readonly workers: number
  /** Of the embedded PostgreSQL, where there is one. */
  readonly databaseUrl: string | null
  /** Its folder, absolute and without symbolic links. */
  readonly postgresDir: string | null
  /** Whether it brings the database up to date: the first of those that start together. */
  readonly migrates: boolean
  /** What a database that is away does to it. One that follows a lost one serves where nobody else does. */
  readonly onOutage: OnOutage
  /** The port for TLS that is listened on; null: none. */
  readonly tlsPort: number | null
  /** Of the session tickets that all workers have. */
  readonly ticketSeed: TicketSeed
  /** Where it listens by itself, for requests in clear; null: it is handed sockets. */
  readonly listens: {
    readonly addresses: readonly SocketAddress[]
    /** Whether it is the first one there: servers that share an address do not notice one another. */
    readonly isNew: boolean
  } | null
}

/** A worker that can serve. */
export interface Ready {
  /** Those that it listens on by itself, in the order of the addresses; none otherwise. */
  readonly ports: readonly number[]
  readonly counts: App['counts']
}

export type ToWorker =
  | { readonly type: 'begin'; readonly begin: Begin }
  /** Comes with the socket. */
  | ({ readonly type: 'listen' } & Pick<ListeningSocket, 'key' | 'isTls' | 'isLocal'>)
  | { readonly type: 'release'; readonly key: string }
  /** Its logs have been renamed. */
  | { readonly type: 'reopen' }
  /** It is not ready any more, but serves until it is told to stop. */
  | { readonly type: 'unready' }
  | { readonly type: 'ask'; readonly asked: Asked }
  | { readonly type: 'stop'; readonly graceMs: number; readonly lingerMs: number }

export type FromWorker =
  | { readonly type: 'settings'; readonly settings: Settings }
  /** The database is up to date: what that takes is not counted. */
  | { readonly type: 'migrated' }
  | { readonly type: 'ready'; readonly ready: Ready }
  /** It could not start, and is about to exit. */
  | {
      readonly type: 'failed'
      readonly problem: { readonly text: string; readonly exitCode: number }
    }
  | { readonly type: 'beat'; readonly memoryBytes: number; readonly requests: number }
  /** What it has counted since the last one. */
  | { readonly type: 'metrics'; readonly reports: readonly Report[] }
  | { readonly type: 'answer'; readonly answer: Answered }
  /** It accepts nothing more. */
  | { readonly type: 'deaf' }
  /** It wants to be replaced; 'broken': at once, since it is about to exit. */
  | { readonly type: 'leaving'; readonly isBroken: boolean }

/** Tells a process that it is a worker: the version of uwas that started it. */
export const WORKER_VARIABLE = 'UWAS_WORKER'

/** Tells a worker the descriptor of the memory that all workers have together. */
export const SHARED_VARIABLE = 'UWAS_SHARED_FD'
/** In the worker: behind standard input, output and error, and the ipc channel. */
export const SHARED_FD = 4
