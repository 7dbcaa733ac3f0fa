/** This side of `probe.mjs`: asks the profiled process, one command at a time. */
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'

export const PROBE = fileURLToPath(new URL('probe.mjs', import.meta.url))

/** A page of `bubbleprof`'s makes many objects to write down. */
const ANSWER_MS = 60_000

export interface Vital {
  readonly atMs: number
  /** Cores that were busy: 1 is one whole core. */
  readonly cpu: number
  /** Part of the time that the event loop was not waiting. */
  readonly loop: number
  /** The longest that a timer came too late. */
  readonly delayMs: number
  readonly heapMib: number
  readonly handles: number
}

export interface Vitals {
  readonly ms: number
  readonly samples: readonly Vital[]
  readonly garbage: {
    readonly times: number
    readonly ms: number
    readonly longestMs: number
  }
}

export interface AsyncGroup {
  /** Node's name of the resource: PROMISE, Immediate, TCPWRAP. */
  readonly type: string
  /** Who made it, as `name url:line:column`. */
  readonly place: string
  readonly times: number
  /** How many of them ran, or were resolved. */
  readonly ran: number
  /** From making to running, all together. */
  readonly waitedMs: number
  readonly longestMs: number
}

interface Commands {
  'cpu-start': [{ intervalMicros: number }, undefined]
  'cpu-stop': [{ file: string }, undefined]
  'heap-start': [{ intervalBytes: number }, undefined]
  'heap-stop': [{ file: string }, undefined]
  'vitals-start': [undefined, undefined]
  'vitals-stop': [undefined, Vitals]
  'async-start': [undefined, undefined]
  'async-stop': [undefined, readonly AsyncGroup[]]
  /** Bytes of the heap after a full collection. */
  'heap-used': [undefined, number]
  /** The same without one. */
  'heap-now': [undefined, number]
}

export class Probe {
  readonly #socket: Socket
  #text = ''
  #answered: ((line: string) => void) | undefined
  #failed: ((error: Error) => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.on('data', (part: string) => this.#take(part))
    socket.on('error', (error) => this.#failed?.(error))
    socket.on('close', () => this.#failed?.(new Error('the profiled process has ended')))
  }

  static open(path: string): Promise<Probe> {
    return new Promise((resolve, reject) => {
      const socket = connect(path, () => {
        socket.off('error', reject)
        resolve(new Probe(socket))
      })
      socket.once('error', reject)
    })
  }

  async ask<C extends keyof Commands>(
    command: C,
    options?: Commands[C][0],
  ): Promise<Commands[C][1]> {
    const line = await new Promise<string>((resolve, reject) => {
      const late = new Error(`the profiled process has not answered within ${ANSWER_MS} ms`)
      const timer = setTimeout(() => reject(late), ANSWER_MS)
      this.#answered = (text) => {
        clearTimeout(timer)
        resolve(text)
      }
      this.#failed = (error) => {
        clearTimeout(timer)
        reject(error)
      }
      this.#socket.write(`${JSON.stringify({ command, ...options })}\n`)
    })
    const { value, error } = JSON.parse(line)
    if (error !== undefined) throw new Error(`the profiled process cannot ${command}: ${error}`)
    return value
  }

  close(): void {
    this.#failed = undefined
    this.#socket.destroy()
  }

  #take(part: string): void {
    this.#text += part
    const end = this.#text.indexOf('\n')
    if (end < 0) return
    const line = this.#text.slice(0, end)
    this.#text = this.#text.slice(end + 1)
    this.#answered?.(line)
  }
}
