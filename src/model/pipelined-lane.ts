/**
 * The lane of single statements: few connections that all requests share, each statement sent behind the other
 * without waiting. One that takes long blocks those behind it, so the next ones go elsewhere. Called by `database.ts`.
 */
import type { Connection } from './connection.ts'
import type { Connector } from './connector.ts'
import { busy } from './failures.ts'

/** Statements in flight on one connection, past which further ones are refused. */
const MAX_PENDING = 5000
/** An answer that is not there by then is one that takes long. */
const LOOK_MS = 50
/** What is in flight on a connection that is replaced has so long to be answered. */
const CLOSE_MS = 60_000

export class PipelinedLane {
  readonly #connector: Connector
  readonly #slots: (Connection | undefined)[]
  readonly #opening: (Promise<Connection> | undefined)[]
  #closed: boolean
  /** Runs while something is in flight. */
  #looking: NodeJS.Timeout | null

  constructor(connector: Connector, size: number) {
    this.#connector = connector
    this.#slots = new Array<undefined>(size).fill(undefined)
    this.#opening = new Array<undefined>(size).fill(undefined)
    this.#closed = false
    this.#looking = null
  }

  get size(): number {
    return this.#slots.length
  }

  get connections(): Connection[] {
    return this.#slots.filter((each) => each !== undefined)
  }

  /**
   * The least loaded open connection, of those that get on where there are such; undefined when none is open:
   * then `openAny` is asked. Throws UWAS_ERR_MODEL_BUSY.
   */
  pick(): Connection | undefined {
    let best: Connection | undefined
    for (let i = 0; i < this.#slots.length; i++) {
      const each = this.#slots[i]
      if (each === undefined) {
        if (!this.#closed) this.#open(i).catch(() => {})
      } else if (best === undefined || isBetter(each, best)) best = each
    }
    if (best !== undefined && best.pending >= MAX_PENDING) {
      throw busy(`${MAX_PENDING} statements are in flight on each pipelined connection`)
    }
    if (this.#looking === null) this.#startLooking()
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

  /**
   * Milliseconds that a single statement waits for its answer, on the connection where it waits least; 0 where it does
   * not. `hasOther`: it does not stay behind one that takes long. Found within 50 ms.
   */
  answerMs(now: number, hasOther: boolean): number {
    let least = Number.POSITIVE_INFINITY
    for (const each of this.#slots) {
      if (each === undefined) continue
      least = Math.min(least, each.isStuck && hasOther ? 0 : each.answerMs(now))
    }
    return least === Number.POSITIVE_INFINITY ? 0 : least
  }

  /** Each second: ends connections that hang, replaces those whose time is over. */
  tick(now: number): void {
    for (let i = 0; i < this.#slots.length; i++) {
      const each = this.#slots[i]
      each?.checkHung(now)
      if (each?.alive === true && each.isOver(now)) this.#replace(i, each)
    }
  }

  async close(timeoutMs: number): Promise<void> {
    this.#closed = true
    if (this.#looking !== null) clearInterval(this.#looking)
    await Promise.all(this.connections.map((each) => each.close(timeoutMs)))
  }

  #startLooking(): void {
    const look = () => {
      let isBusy = false
      for (const each of this.#slots) {
        each?.look()
        if (each !== undefined && each.pending > 0) isBusy = true
      }
      if (isBusy || this.#looking === null) return
      clearInterval(this.#looking)
      this.#looking = null
    }
    this.#looking = setInterval(look, LOOK_MS).unref()
  }

  /** The old one serves on until the new one is there, and then what it has begun. */
  #replace(i: number, old: Connection): void {
    if (this.#opening[i] !== undefined || this.#closed) return
    this.#opening[i] = this.#fill(i).finally(() => {
      this.#opening[i] = undefined
    })
    this.#opening[i].then(
      () => old.close(CLOSE_MS),
      () => {},
    )
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
    let connection: Connection | undefined
    connection = await this.#connector.open(() => {
      if (this.#slots[i] === connection) this.#slots[i] = undefined
    })
    if (this.#closed) await connection.close(0)
    if (connection.alive) this.#slots[i] = connection
    return connection
  }
}

function isBetter(one: Connection, other: Connection): boolean {
  if (one.isStuck !== other.isStuck) return other.isStuck
  return one.pending < other.pending
}
