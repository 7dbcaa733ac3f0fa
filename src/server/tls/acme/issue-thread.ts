/** The thread of `run-issue.ts`: an order comes in, its certificate leaves, or why there is none. */
import { parentPort, workerData } from 'node:worker_threads'
import { issueCertificate, type Order } from './issue.ts'

export type Outcome = { readonly pem: string } | { readonly problem: string }

const outcome: Outcome = await issueCertificate(workerData as Order).then(
  (pem) => ({ pem }),
  (error: NodeJS.ErrnoException) => ({ problem: error.message || String(error.code ?? error) }),
)
parentPort?.postMessage(outcome)
