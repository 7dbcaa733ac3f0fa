/**
 * Who holds a connection, and since when: a transaction that does not end keeps one from all others. For development
 * and tests, since the stack of each holder costs. Called by `exclusive-lane.ts`.
 */
import { fileURLToPath } from 'node:url'
import type { Log } from '../core/log.ts'
import type { Connection } from './connection.ts'

export interface Holder {
  readonly since: number
  /** Frames of who asked for it, innermost first. */
  readonly stack: string
  isTold: boolean
}

const MOST_FRAMES = 6
/** Frames of uwas itself, which the reader does not look for. */
const OWN = new URL('../', import.meta.url)
const OWN_FOLDERS = ['core', 'model', 'was', 'server'].flatMap((name) => [
  `${OWN.href}${name}/`,
  `${fileURLToPath(OWN)}${name}/`,
])

function isOwn(frame: string): boolean {
  return frame.includes('node:internal') || OWN_FOLDERS.some((folder) => frame.includes(folder))
}

export class Leaks {
  readonly #log: Log
  readonly #afterMs: number
  readonly #held: Map<Connection, Holder>

  constructor(log: Log, afterMs: number) {
    this.#log = log
    this.#afterMs = afterMs
    this.#held = new Map()
  }

  /** Called while the caller is still on the stack, before anything is awaited. */
  begin(): Holder {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 30
    const { stack = '' } = new Error()
    Error.stackTraceLimit = stackTraceLimit
    const frames = stack.split('\n').slice(1)
    const others = frames.filter((frame) => !isOwn(frame))
    const kept = (others.length > 0 ? others : frames).slice(0, MOST_FRAMES)
    return { since: performance.now(), stack: kept.join('\n'), isTold: false }
  }

  took(connection: Connection, holder: Holder): void {
    this.#held.set(connection, { ...holder, since: performance.now() })
  }

  gaveBack(connection: Connection): void {
    this.#held.delete(connection)
  }

  /** Warns of each holder that has had its connection for too long, once. */
  look(now: number): void {
    for (const holder of this.#held.values()) {
      const ms = Math.round(now - holder.since)
      if (holder.isTold || ms < this.#afterMs) continue
      holder.isTold = true
      this.#log.warn(
        `a database connection has been held for ${ms} ms; is a promise in its transaction never settled? It was taken\n${holder.stack}`,
      )
    }
  }

  /** For the error of who waited in vain: where each of the others took its own. */
  describe(): string {
    const now = performance.now()
    return [...this.#held.values()]
      .map(
        ({ since, stack }) => `\n  held for ${Math.round(now - since)} ms, taken${firstOf(stack)}`,
      )
      .join('')
  }

  /** The database is closed: who still holds one will not give it back. */
  atEnd(): void {
    for (const { stack } of this.#held.values()) {
      this.#log.warn(
        `a database connection was not given back until the end; it was taken\n${stack}`,
      )
    }
    this.#held.clear()
  }
}

function firstOf(stack: string): string {
  return ` ${(stack.split('\n')[0] ?? '').trim()}`
}
