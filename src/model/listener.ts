/**
 * The connection that hears what NOTIFY sends: one for all channels, out of the pool's budget, made again when it is
 * lost. Made by `listen.ts` for a database, asked for its life by `database.ts`.
 */
import type { Log } from '../core/log.ts'
import type { Connection } from './connection.ts'
import type { SeparateOptions } from './database.ts'
import { problemOf, translate } from './failures.ts'
import type { Subscription } from './subscription.ts'
import { quoteName } from './table/columns.ts'

/** What a listener has of its database. */
export interface ListenerHost {
  readonly log: Log
  readonly where: string
  readonly exclusive: { reserve(): Promise<void>; free(): void }
  openSession(what: string, options?: SeparateOptions): Promise<Connection>
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5000
const CLOSE_MS = 1000

export class Listener {
  readonly #host: ListenerHost
  readonly #channels: Map<string, Set<Subscription>>
  #connection: Connection | null
  /** It is asked to listen for the first time. */
  #opening: Connection | null
  /** What changes the connection takes turns. */
  #last: Promise<unknown>
  #timer: NodeJS.Timeout | undefined
  /** Attempts to connect since it was lost. */
  #attempts: number
  #isReserved: boolean
  #isLost: boolean
  #isClosed: boolean

  constructor(host: ListenerHost) {
    this.#host = host
    this.#channels = new Map()
    this.#connection = null
    this.#opening = null
    this.#last = Promise.resolve()
    this.#timer = undefined
    this.#attempts = 0
    this.#isReserved = false
    this.#isLost = false
    this.#isClosed = false
  }

  /** Resolves when PostgreSQL has taken the channel. Rejects with UWAS_ERR_MODEL_UNAVAILABLE, _BUSY, _SESSION. */
  async add(channel: string, subscription: Subscription): Promise<void> {
    await this.#next(async () => {
      const known = this.#channels.get(channel)
      const all = known ?? new Set<Subscription>()
      this.#channels.set(channel, all.add(subscription))
      try {
        if (this.#connection === null) await this.#connect()
        else if (known === undefined) await this.#connection.simple(`listen ${quoteName(channel)}`)
      } catch (error) {
        this.#forget(channel, subscription)
        await this.#endUnused()
        throw translate(error, `listening to "${channel}"`, this.#host.where)
      }
    })
  }

  /** Its handler is called no more from now on; resolves when PostgreSQL has been told. Never rejects. */
  async remove(channel: string, subscription: Subscription): Promise<void> {
    if (!this.#forget(channel, subscription)) return
    await this.#next(async () => {
      if (!this.#channels.has(channel)) {
        await this.#connection?.simple(`unlisten ${quoteName(channel)}`).catch(() => {})
      }
      await this.#endUnused()
    })
  }

  get isConnected(): boolean {
    return this.#connection !== null
  }

  /** Each second: a network may have forgotten the connection. */
  tick(now: number): void {
    this.#connection?.checkHung(now)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#channels.clear()
    // What is on its way may never be answered, and the end waits behind it.
    const timer = setTimeout(() => {
      for (const each of [this.#opening, this.#connection]) each?.kill('it was closed')
    }, CLOSE_MS)
    await this.#next(() => this.#endUnused())
    clearTimeout(timer)
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }

  /** Whether it was there. */
  #forget(channel: string, subscription: Subscription): boolean {
    const all = this.#channels.get(channel)
    const isKnown = all?.delete(subscription) ?? false
    subscription.end()
    if (all?.size === 0) this.#channels.delete(channel)
    return isKnown
  }

  async #connect(): Promise<void> {
    if (!this.#isReserved) await this.#host.exclusive.reserve()
    this.#isReserved = true
    let connection: Connection | undefined
    connection = await this.#host.openSession('listening', {
      onNotification: (channel, payload) => this.#heard(channel, payload),
      onEnd: () => {
        if (connection !== undefined && connection === this.#connection) this.#lost()
      },
    })
    this.#opening = connection
    const texts = [...this.#channels.keys()].map((channel) => `listen ${quoteName(channel)}`)
    try {
      await connection.simple(texts.join('; '))
    } catch (error) {
      await connection.close(CLOSE_MS)
      throw error
    } finally {
      this.#opening = null
    }
    this.#connection = connection
    clearTimeout(this.#timer)
    if (!connection.alive) return this.#lost()
    if (this.#isLost) this.#resume()
  }

  #resume(): void {
    this.#isLost = false
    this.#attempts = 0
    this.#host.log.info(`listening at ${this.#host.where} again`)
    for (const each of [...this.#channels.values()].flatMap((all) => [...all])) each.resync()
  }

  async #endUnused(): Promise<void> {
    if (this.#channels.size > 0) return
    clearTimeout(this.#timer)
    const connection = this.#connection
    this.#connection = null
    this.#isLost = false
    this.#attempts = 0
    await connection?.close(CLOSE_MS)
    if (this.#isReserved) this.#host.exclusive.free()
    this.#isReserved = false
  }

  #lost(): void {
    this.#connection = null
    if (this.#isClosed) return
    if (!this.#isLost) {
      const { log, where } = this.#host
      log.warn(`the connection that listens at ${where} was lost; what is sent now is not heard`)
    }
    this.#isLost = true
    this.#again()
  }

  /** The pauses grow, and are not those of other servers that have lost theirs at the same time. */
  #again(): void {
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#attempts++)
    const work = () => void this.#next(() => this.#reconnect())
    this.#timer = setTimeout(work, pauseMs * (0.5 + 0.5 * Math.random())).unref()
  }

  async #reconnect(): Promise<void> {
    if (this.#connection !== null || this.#channels.size === 0) return
    try {
      await this.#connect()
    } catch (error) {
      if (this.#attempts === 1) this.#host.log.warn(`it cannot listen yet: ${problemOf(error)}`)
      this.#again()
    }
  }

  #heard(channel: string, payload: string): void {
    for (const each of [...(this.#channels.get(channel) ?? [])]) each.hear(payload)
  }
}
