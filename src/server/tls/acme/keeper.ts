/**
 * Keeps a site in certificates: orders those that are missing, renews the others in time, and waits after failures. What
 * it gets is a file, which `certificates.ts` of every process finds by itself. One process of a server runs it.
 */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import type { Log } from '../../../core/log.ts'
import { certificateFile, type SiteAcme } from '../../../was/acme.ts'
import {
  type Attempts,
  begun,
  failed,
  nextAttemptMs,
  readAttempts,
  succeeded,
  writeAttempts,
} from './attempts.ts'
import type { Order } from './issue.ts'
import { takeLock } from './lock.ts'
import { readIssued, renewalMs } from './renewal.ts'
import { challengesDir, readSecret, removeOldChallenges, replaceSecret } from './store.ts'

export interface KeeperOptions {
  readonly acme: SiteAcme
  /** Where the library is. */
  readonly client: string
  /** Makes an order; rejects with what has been said. */
  readonly issue: (order: Order, signal: AbortSignal) => Promise<string>
  readonly log: Log
  /** The unit of waiting after failures, in milliseconds. Default a minute. */
  readonly retryUnitMs?: number
}

/** What has been tried for a name, for metrics. */
export interface Kept {
  readonly name: string
  /** Since the last certificate. */
  readonly failures: number
}

/** Between two looks, at most: another server may have renewed one. */
const LOOK_MS = 3_600_000
/** While another process orders. */
const BUSY_MS = 5_000
const LEAST_MS = 100

export class AcmeKeeper {
  readonly #options: KeeperOptions
  readonly #startedMs: number
  readonly #stopping: AbortController
  /** Of this process: where the disk is full they are all that holds it back. */
  readonly #attempts: Map<string, Attempts>
  /** By name, from 0 to 1. */
  readonly #jitters: ReadonlyMap<string, number>
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void>

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#startedMs = Date.now()
    this.#stopping = new AbortController()
    this.#attempts = new Map()
    this.#jitters = new Map(options.acme.names.map((name) => [name, Math.random()]))
    this.#timer = undefined
    this.#running = Promise.resolve()
  }

  /** From now on. */
  start(): void {
    this.#running = this.#round().then((nextMs) => {
      if (this.#stopping.signal.aborted) return
      const waitMs = Math.min(Math.max(nextMs - Date.now(), LEAST_MS), LOOK_MS)
      this.#timer = setTimeout(() => this.start(), waitMs).unref()
    })
  }

  kept(): readonly Kept[] {
    return this.#options.acme.names.map((name) => ({
      name,
      failures: this.#attempts.get(name)?.failures ?? 0,
    }))
  }

  /** Gives up an order that is being made. */
  async close(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer)
    await this.#running
  }

  /** Looks at all names, and orders what is due. Resolves to the time of the next look. Never rejects. */
  async #round(): Promise<number> {
    let nextMs = Date.now() + LOOK_MS
    for (const name of this.#options.acme.names) {
      if (this.#stopping.signal.aborted) break
      try {
        nextMs = Math.min(nextMs, await this.#lookAt(name))
      } catch (error) {
        this.#options.log.error(`the certificate of ${name} cannot be looked after`, error)
      }
    }
    return nextMs
  }

  async #lookAt(name: string): Promise<number> {
    if ((await this.#dueMs(name)) <= Date.now()) {
      const release = await takeLock(join(this.#options.acme.dir, 'lock'))
      if (release === null) return Date.now() + BUSY_MS
      try {
        // Who had the lock until now may have ordered it.
        if ((await this.#dueMs(name)) <= Date.now()) await this.#order(name)
      } finally {
        await release()
      }
    }
    return await this.#dueMs(name)
  }

  async #dueMs(name: string): Promise<number> {
    const { acme } = this.#options
    const stored = await readAttempts(acme, name)
    const own = this.#attempts.get(name)
    const attempts = own !== undefined && own.lastMs > stored.lastMs ? own : stored
    this.#attempts.set(name, attempts)
    const issued = readIssued(await readSecret(certificateFile(acme, name)), name)
    const wantedMs = renewalMs(issued, this.#jitters.get(name) ?? 0, Date.now())
    return Math.max(wantedMs, nextAttemptMs(attempts, this.#startedMs))
  }

  async #order(name: string): Promise<void> {
    const { acme, log, retryUnitMs } = this.#options
    const before = this.#attempts.get(name) as Attempts
    try {
      await this.#remember(name, begun(before, Date.now(), retryUnitMs))
      const pem = await this.#issue(name)
      checkIssued(pem, name)
      await replaceSecret(certificateFile(acme, name), pem)
      log.info(`a certificate for ${name} has come from ${acme.directory}`)
      await this.#remember(name, succeeded(Date.now()))
    } catch (error) {
      if (this.#stopping.signal.aborted) {
        // It was not the authority's doing.
        await this.#remember(name, before).catch(() => {})
        return
      }
      const attempts = failed(before, Date.now(), retryUnitMs)
      log.error(
        `no certificate for ${name} from ${acme.directory}: ${(error as Error).message}; tried again ${describeWait(attempts)}`,
      )
      await this.#remember(name, attempts)
    }
  }

  async #issue(name: string): Promise<string> {
    const { acme, client, issue } = this.#options
    await removeOldChallenges(acme)
    const { directory, email, keyType, caFile, externalAccount } = acme
    const accountKey = await accountKeyOf(acme)
    const own = { directory, email, keyType, caFile, externalAccount }
    const order = { ...own, name, accountKey, challengesDir: challengesDir(acme), client }
    this.#stopping.signal.throwIfAborted()
    return await issue(order, this.#stopping.signal)
  }

  async #remember(name: string, attempts: Attempts): Promise<void> {
    this.#attempts.set(name, attempts)
    await writeAttempts(this.#options.acme, name, attempts)
  }
}

/** The account is known by its key (RFC 8555 section 7.3.1): there is one for all names and all time. */
async function accountKeyOf({ authorityDir }: SiteAcme): Promise<string> {
  const file = join(authorityDir, 'account.pem')
  const known = await readSecret(file)
  if (known !== null) return known
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const made = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  await replaceSecret(file, made)
  return made
}

/** What would not be served is not kept, and not asked for again at once. */
function checkIssued(pem: string, name: string): void {
  const issued = readIssued(pem, name)
  if (issued === null) throw new Error('what it has given is no certificate for that name')
  if (!issued.checkPrivateKey(createPrivateKey(pem))) {
    throw new Error('what it has given is a certificate for another key')
  }
  if (Date.parse(issued.validTo) > Date.now()) return
  throw new Error(
    `what it has given ended on ${issued.validTo}; is the clock of this machine right?`,
  )
}

function describeWait({ lastMs, nextMs }: Attempts): string {
  const minutes = Math.ceil((nextMs - lastMs) / 60_000)
  return minutes < 120 ? `in ${minutes} min` : `in ${Math.round(minutes / 60)} h`
}
