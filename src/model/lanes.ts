/**
 * The two ways to a connection. The pipelined lane shares few connections between all single
 * statements; the exclusive lane lends one connection to one transaction at a time. Waiting is
 * bounded in both. Called by `database.ts` and `atomic.ts`.
 */
import type { Connection } from './connection.ts'
import type { Connector } from './connector.ts'
import { busy } from './failures.ts'

/** Statements in flight on one connection, past which further ones are refused. */
const MAX_PENDING = 5000
/** Transactions waiting for a connection, past which further ones are refused. */
const MAX_WAITING = 5000

/** Connections that many statements share, each sent behind the other without waiting. */
export class PipelinedLane {
  readonly #connector: Connector
  readonly #slots: (Connection | undefined)[]
  readonly #opening: (Promise<Connection> | undefined)[]
  #closed: boolean

  constructor(connector: Connector, size: number) {
    this.#connector = connector
    this.#slots = new Array<undefined>(size).fill(undefined)
    this.#opening = new Array<undefined>(size).fill(undefined)
    this.#closed = false
  }

  get connections(): Connection[] {
    return this.#slots.filter((each) => each !== undefined)
  }

  /** The least loaded open connection, or undefined when none is open: then `open` is asked. */
  pick(): Connection | undefined {
    let best: Connection | undefined
    for (let i = 0; i < this.#slots.length; i++) {
      const each = this.#slots[i]
      if (each === undefined) {
        if (!this.#closed) this.#open(i).catch(() => {})
      } else if (best === undefined || each.pending < best.pending) {
        best = each
      }
    }
    if (best !== undefined && best.pending >= MAX_PENDING) {
      throw busy(`${MAX_PENDING} statements are in flight on each pipelined connection`)
    }
    return best
  }

  /** Any connection as soon as one is open. Rejects with UWAS_ERR_MODEL_UNAVAILABLE. */
  openAny(): Promise<Connection> {
    return this.#open(0)
  }

  /** Opens all. Rejects with UWAS_ERR_MODEL_UNAVAILABLE when one cannot be opened. */
  openAll(): Promise<Connection[]> {
    return Promise.all(this.#slots.map((_, i) => this.#open(i)))
  }

  async close(timeoutMs: number): Promise<void> {
    this.#closed = true
    await Promise.all(this.connections.map((each) => each.close(timeoutMs)))
  }

  #open(i: number): Promise<Connection> {
    const slot = this.#slots[i]
    if (slot !== undefined) return Promise.resolve(slot)
    this.#opening[i] ??= this.#fill(i).finally(() => {
      this.#opening[i] = undefined
    })
    return this.#opening[i]
  }

  async #fill(i: number): Promise<Connection> {
    const connection = await this.#connector.open(() => {
      this.#slots[i] = undefined
    })
    if (this.#closed) await connection.close(0)
    if (connection.alive) this.#slots[i] = connection
    return connection
  }
}

interface Waiter {
  readonly resolve: (connection: Connection | undefined) => void
  readonly timer: NodeJS.Timeout
}

/** Connections that are lent out one by one. */
export class ExclusiveLane {
  readonly #connector: Connector
  readonly #size: number
  readonly #acquireTimeoutMs: number
  readonly #all: Set<Connection>
  readonly #idle: Connection[]
  readonly #waiters: Set<Waiter>
  #opening: number

  constructor(connector: Connector, size: number, acquireTimeoutMs: number) {
    this.#connector = connector
    this.#size = size
    this.#acquireTimeoutMs = acquireTimeoutMs
    this.#all = new Set()
    this.#idle = []
    this.#waiters = new Set()
    this.#opening = 0
  }

  get connections(): Connection[] {
    return [...this.#all]
  }

  /**
   * Lends a connection; give it back with `release`. Rejects with UWAS_ERR_MODEL_BUSY when none
   * became free in time, with UWAS_ERR_MODEL_UNAVAILABLE when none can be opened.
   */
  async acquire(): Promise<Connection> {
    const deadline = performance.now() + this.#acquireTimeoutMs
    for (;;) {
      const idle = this.#idle.pop()
      if (idle?.alive) return idle
      if (idle !== undefined) continue
      if (this.#all.size + this.#opening < this.#size) return this.#open()
      const given = await this.#wait(deadline - performance.now())
      if (given?.alive) return given
    }
  }

  /** Takes a connection back: to the next in the queue, else to the idle ones. */
  release(connection: Connection): void {
    if (connection.alive && !this.#wake(connection)) this.#idle.push(connection)
  }

  async close(timeoutMs: number): Promise<void> {
    await Promise.all(this.connections.map((each) => each.close(timeoutMs)))
  }

  async #open(): Promise<Connection> {
    this.#opening++
    let connection: Connection | undefined
    try {
      connection = await this.#connector.open(() => {
        if (connection !== undefined) this.#all.delete(connection)
        this.#wake(undefined)
      })
      if (connection.alive) this.#all.add(connection)
      return connection
    } finally {
      this.#opening--
      if (connection === undefined) this.#wake(undefined)
    }
  }

  #wait(timeoutMs: number): Promise<Connection | undefined> {
    if (this.#waiters.size >= MAX_WAITING) {
      return Promise.reject(busy(`${MAX_WAITING} transactions are waiting already`))
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter)
        const ms = this.#acquireTimeoutMs
        reject(busy(`all ${this.#size} for transactions were in use for ${ms} ms`))
      }, timeoutMs)
      const waiter = { resolve, timer }
      this.#waiters.add(waiter)
    })
  }

  /** Gives `connection`, or the place that became free, to who waits longest. */
  #wake(connection: Connection | undefined): boolean {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter)
      clearTimeout(waiter.timer)
      waiter.resolve(connection)
      return true
    }
    return false
  }
}
