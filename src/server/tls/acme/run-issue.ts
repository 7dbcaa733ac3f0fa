/**
 * Makes an order in a thread of its own: loading the library would hold up whoever is served by this process for a
 * second, and its memory would stay until the next order, two months later. Called by `keeper.ts`.
 */
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { Deferred } from '../../../core/deferred.ts'
import type { Order } from './issue.ts'
import type { Outcome } from './issue-thread.ts'

/** Of a whole order. */
const DEADLINE_MS = 5 * 60_000

/** As `issueCertificate`. `signal`, which is not aborted yet, gives it up. */
export function runIssue(order: Order, signal: AbortSignal): Promise<string> {
  const thread = new Worker(fileURLToPath(new URL('./issue-thread.js', import.meta.url)), {
    workerData: order,
    execArgv: [],
  })
  const done = new Deferred<string>()
  const fail = (problem: string): void => done.reject(new Error(problem))
  const onAbort = (): void => fail('the server stops')
  const onLate = (): void => fail(`it was not done after ${DEADLINE_MS / 60_000} minutes`)
  const timer = setTimeout(onLate, DEADLINE_MS)
  signal.addEventListener('abort', onAbort)
  thread.once('message', (outcome: Outcome) => {
    if ('pem' in outcome) done.resolve(outcome.pem)
    else fail(outcome.problem)
  })
  thread.once('error', (error) => fail(error.message))
  thread.once('exit', (code) => fail(`the thread that orders ended (${code})`))
  return done.promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    return thread.terminate()
  })
}
