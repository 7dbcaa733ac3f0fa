/**
 * One thing that a site needs, asked whether it is there: never longer than its time, and once for all who ask
 * at the same time. Made and run by `health.ts`.
 */
import { describeError, type Log } from '../../core/log.ts'
import type { Services } from '../../core/services.ts'
import type { HealthCheck } from './options.ts'

export interface CheckOptions {
  readonly check: HealthCheck
  readonly timeoutMs: number
  readonly services: Services
  readonly log: Log
}

export class BoundedCheck {
  readonly name: string
  readonly #options: CheckOptions
  #running: Promise<boolean> | null
  #isFailing: boolean

  constructor(name: string, options: CheckOptions) {
    this.name = name
    this.#options = options
    this.#running = null
    this.#isFailing = false
  }

  /** Whether it is well. Never rejects; the log says why not, once until it is well again. */
  run(): Promise<boolean> {
    this.#running ??= this.#start().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #start(): Promise<boolean> {
    const { check, timeoutMs, services } = this.#options
    const aborter = new AbortController()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => {
        resolve(`it has taken longer than ${timeoutMs} ms`)
        aborter.abort()
      }, timeoutMs)
    })
    const problem = await Promise.race([problemOf(check, services, aborter.signal), late])
    clearTimeout(timer)
    this.#tell(problem)
    return problem === null
  }

  #tell(problem: string | null): void {
    const { log } = this.#options
    if (problem !== null && !this.#isFailing) {
      log.warn(`not ready: the check "${this.name}" fails: ${problem}`)
    }
    if (problem === null && this.#isFailing) log.info(`the check "${this.name}" is well again`)
    this.#isFailing = problem !== null
  }
}

async function problemOf(
  check: HealthCheck,
  services: Services,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    return (await check({ services, signal })) === false ? 'it gave false' : null
  } catch (error) {
    return describeError(error)
  }
}
