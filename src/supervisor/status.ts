/** What a supervisor tells of itself and its workers: what `uwas status` shows. */
import type { SocketAddress } from './addresses.ts'
import type { Crew } from './crew.ts'
import type { WorkerState } from './worker-process.ts'

export interface WorkerStatus {
  /** Its place, from 1. */
  readonly worker: number
  /** 0 while there is none. */
  readonly pid: number
  readonly state: WorkerState | 'away'
  readonly requests: number
  readonly memoryBytes: number
  readonly seconds: number
  /** How often workers in its place have ended by themselves. */
  readonly crashes: number
}

export interface ServerStatus {
  readonly pid: number
  readonly version: string
  readonly name: string
  /** The first one in clear; 0: there is none. */
  readonly port: number
  /** The first one for TLS; null: not by TLS. */
  readonly tlsPort: number | null
  readonly addresses: readonly SocketAddress[]
  readonly seconds: number
  readonly reloads: number
  readonly workers: readonly WorkerStatus[]
}

export function workerStatuses({ slots }: Crew): WorkerStatus[] {
  const now = performance.now()
  return slots.map(({ index, worker, crashes }) => ({
    worker: index + 1,
    pid: worker?.pid ?? 0,
    state: worker?.state ?? 'away',
    requests: worker?.requests ?? 0,
    memoryBytes: worker?.memoryBytes ?? 0,
    seconds: worker === null ? 0 : Math.round((now - worker.readyAt) / 1000),
    crashes,
  }))
}
