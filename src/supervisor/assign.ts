/**
 * Who accepts from which socket: each worker from that of its own place, and a neighbour from those whose worker is
 * not there or does not answer, so that no connection waits for a process that is yet to come. Called by the
 * supervisor with every change.
 */
import type { ListeningSocket } from './listening-sockets.ts'
import type { Slot } from './slot.ts'
import type { WorkerProcess } from './worker-process.ts'

/** Looks without a beat after which a neighbour helps. */
const MISSED_BEATS = 2

export function assignSockets(sockets: readonly ListeningSocket[], slots: readonly Slot[]): void {
  const ready = slots.flatMap((slot) => slot.ready ?? [])
  const steady = ready.filter(answers)
  const lists = new Map<WorkerProcess, ListeningSocket[]>(ready.map((worker) => [worker, []]))
  for (const socket of sockets) {
    const own = slots[socket.slot]?.ready ?? null
    if (own !== null) lists.get(own)?.push(socket)
    if (own !== null && answers(own)) continue
    const helper = steady[socket.slot % steady.length]
    if (helper !== undefined) lists.get(helper)?.push(socket)
  }
  for (const [worker, list] of lists) worker.acceptFrom(list)
}

function answers({ missedBeats }: WorkerProcess): boolean {
  return missedBeats < MISSED_BEATS
}
