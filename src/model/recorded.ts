/**
 * Which statements some work runs, over all its promises and callbacks: those of a request by its trace, others by
 * where they were called. Used by the test client; noted by `statement.ts`.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Recording, Trace } from '../core/trace.ts'

const recordings = new AsyncLocalStorage<Recording>()
/** False in all processes that test nothing, and then nothing else is looked at. */
let isUsed = false

/** Runs `work`; what it runs on a database or a transaction, and not on a request, is noted in `recording`. */
export function recorded<T>(recording: Recording, work: () => T): T {
  isUsed = true
  return recordings.run(recording, work)
}

/** What `recorded` is noting where it is called. */
export function currentRecording(): Recording | undefined {
  return isUsed ? recordings.getStore() : undefined
}

/** A statement that begins, or would, were it not refused. */
export function noteStatement(name: string, trace: Trace | null): void {
  if (!isUsed) return
  const recording = trace?.recording ?? recordings.getStore()
  recording?.statements.push(name)
}
