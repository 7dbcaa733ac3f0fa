/** Which failures are the server's fault: each is held against what disturbed the server then, and against whose connections that took away. */
import type { LoadEvent } from '../method/open-load.ts'

export const DISTURBANCES = ['reload', 'kill', 'stuck', 'recycle', 'upgrade'] as const

export type DisturbanceName = (typeof DISTURBANCES)[number]

export interface Disturbance {
  readonly name: DisturbanceName
  readonly startedAt: number
  /** Undefined while it lasts. */
  endedAt: number | undefined
  /** Client ends that a worker had when it was killed or stood still; when that was read. */
  victims: ReadonlySet<string>
  victimsAt: number
  /** Why it did not go as it has to. */
  problem?: string
}

/** Something that a client has met. */
export interface Incident extends Pick<LoadEvent, 'at' | 'from' | 'opened' | 'sent' | 'request'> {
  readonly client: 'kept' | 'fresh' | 'idle' | 'socket' | 'events'
  readonly kind: LoadEvent['kind'] | StreamKind
  /** Of the answer, as far as it came. */
  readonly detail: string
}

/** Of WebSockets and event streams: they have closed, could not be opened again, or have said nothing for ten seconds. */
export type StreamKind = 'stream-closed' | 'stream-refused' | 'stream-silent'

export type Verdict =
  /** A healthy worker could have answered. */
  | 'fault'
  /** It was with a worker that was killed or stood still. */
  | 'victim'
  /** A connection between two requests, or a stream, that whoever stops may close: no request failed. */
  | 'closed'
  /** As before, but a request was on its way already; it was answered at the second try. */
  | 'retried'

/** Replies that have begun have so long (`workers.graceMs`), so long after a disturbance its old workers may still be there. */
const GRACE_MS = 12_000
/** Whoever closes a connection crosses a request on its way within less; it lost a request that it had if it took longer. */
const CROSSING_MS = 1000

/** Here workers stop by themselves, and close what is open. Where one is killed the others close nothing. */
export const CLOSING: ReadonlySet<DisturbanceName> = new Set(['reload', 'recycle', 'upgrade'])

/** The last one that was felt then. */
export function disturbanceAt(all: readonly Disturbance[], at: number): Disturbance | undefined {
  return all.findLast((one) => isFelt(one, at))
}

function isFelt({ startedAt, endedAt = Number.POSITIVE_INFINITY }: Disturbance, at: number) {
  return startedAt <= at && at <= endedAt + GRACE_MS
}

export function judge(incident: Incident, all: readonly Disturbance[]): Verdict {
  const { at, opened, sent, from, kind } = incident
  const wasVictim = all.some(
    ({ victims, victimsAt, startedAt }) =>
      victims.has(from) && opened <= victimsAt && startedAt <= at,
  )
  // What is opened after its end is with workers that stay.
  const mayClose = all.some(
    (one) =>
      CLOSING.has(one.name) &&
      isFelt(one, at) &&
      opened <= (one.endedAt ?? Number.POSITIVE_INFINITY),
  )
  switch (kind) {
    case 'reset':
    case 'closed':
    case 'timeout':
    case 'stream-silent':
    case 'stream-refused':
      return wasVictim ? 'victim' : 'fault'
    case 'stream-closed':
    case 'idle-closed':
      return wasVictim ? 'victim' : mayClose ? 'closed' : 'fault'
    case 'retried':
      if (wasVictim) return 'victim'
      return mayClose && at - sent < CROSSING_MS ? 'retried' : 'fault'
    case 'refused':
    case 'no-connection':
    case 'malformed':
    case 'status':
    case 'length':
      return 'fault'
  }
}

export interface Judged extends Incident {
  readonly verdict: Verdict
  /** `quiet`: nothing disturbed the server. */
  readonly during: DisturbanceName | 'quiet'
}

export function judgeAll(
  incidents: readonly Incident[],
  all: readonly Disturbance[],
): readonly Judged[] {
  return incidents.map((incident) => ({
    ...incident,
    verdict: judge(incident, all),
    during: disturbanceAt(all, incident.at)?.name ?? 'quiet',
  }))
}
