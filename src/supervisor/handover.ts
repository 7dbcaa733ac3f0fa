/**
 * What the supervisors of an upgrade say to each other over the ipc channel between them: the one that serves, and the
 * new binary that it has started. They may be of different versions, so a change of what is here is another `PROTOCOL`.
 */
import type { TicketSeed } from '../server/tls/ticket-keys.ts'
import type { HandedSockets } from './listening-sockets.ts'
import type { WorkerProblem } from './worker-process.ts'

export const PROTOCOL = 1

/** Tells a process that it is to take over from the one that has started it: the protocol. */
export const UPGRADE_VARIABLE = 'UWAS_UPGRADE'

/** The first descriptor that is handed over: behind standard input, output and error, and the ipc channel. */
export const FIRST_HANDED = 4

/** All that a successor has to know. The descriptors are its own. */
export interface Handover {
  /** Of who hands over. */
  readonly pid: number
  readonly sockets: readonly HandedSockets[]
  /** Sockets of a service manager. */
  readonly activated: readonly number[]
  /** Where the server tells how it is, as the configuration has it; null: nowhere. */
  readonly status: { readonly host: string; readonly port: number; readonly fd: number } | null
  /** Folder of the embedded PostgreSQL, absolute and without symbolic links; null: there is none. */
  readonly postgresDir: string | null
  readonly ticketSeed: TicketSeed
}

export type ToSuccessor =
  | { readonly type: 'inherit'; readonly handover: Handover }
  /** It is to serve from now on. */
  | { readonly type: 'take' }
  /** Who says so leaves, and the service manager knows who is left. */
  | { readonly type: 'left' }

export type FromSuccessor =
  /** It comes to its next step in so many milliseconds; 0: nobody knows when. */
  | { readonly type: 'expect'; readonly withinMs: number }
  /** It cannot, and is about to exit. */
  | { readonly type: 'failed'; readonly problem: WorkerProblem }
  /** All its workers could serve. */
  | { readonly type: 'ready' }
  | { readonly type: 'serving'; readonly version: string; readonly workers: readonly number[] }

/** The same with descriptors as a process has them that gets `fds` from `FIRST_HANDED` on. */
export function numbered(handover: Handover): { handover: Handover; fds: number[] } {
  const fds: number[] = []
  const give = (fd: number): number => FIRST_HANDED + fds.push(fd) - 1
  const { sockets, activated, status } = handover
  return {
    fds,
    handover: {
      ...handover,
      sockets: sockets.map((one) => ({ ...one, fds: one.fds.map(give) })),
      activated: activated.map(give),
      status: status && { ...status, fd: give(status.fd) },
    },
  }
}
