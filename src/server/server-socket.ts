/**
 * One WebSocket: the engine's events become calls of the site's handlers, one after the other, and the
 * site's calls go to the engine while it is there. Made by `socket-lane.ts` when a handshake is accepted.
 */
import type { Log } from '../core/log.ts'
import type { Request } from '../http/request.ts'
import {
  checkClose,
  checkMessage,
  checkRoom,
  type Socket,
  type SocketDefinition,
  type SocketMessage,
  type SocketReply,
} from '../http/socket.ts'
import type { RoomMember, Rooms } from '../was/rooms.ts'
import type { EngineSocket } from './engine-types.ts'

/** What the lane has to do with a socket. */
export interface SocketHost {
  readonly log: Log
  readonly rooms: Rooms
  /** The socket has closed. */
  remove(socket: ServerSocket): void
  /** A handler goes on, or has come to its end: a server that stops waits for them. */
  count(change: 1 | -1): void
}

/** Makes a WebSocket of the connection of an accepted handshake; called inside a cork. */
export type TakeSocket = (reply: SocketReply, request: Request) => void

/** Shorter messages do not become smaller than what it costs. */
const MIN_COMPRESSED_BYTES = 1024

/** Messages that wait for an asynchronous handler, as a multiple of the longest one. */
const WAITING_FACTOR = 16
/** What a waiting message costs beside its bytes. */
const WAITING_OVERHEAD_BYTES = 256

/** Codes for what the engine has cut without one, by the words in which it says why. */
const CUT: readonly (readonly [words: RegExp, code: number])[] = [
  [/too big/i, 1009],
  [/UTF-8/i, 1007],
  [/invalid WebSocket frame|close payload|protocol/i, 1002],
]

type Step = readonly [event: string, run: () => unknown, bytes: number]

export class ServerSocket implements Socket, RoomMember {
  readonly request: Request
  readonly data: unknown
  readonly protocol: string
  readonly definition: SocketDefinition
  readonly #host: SocketHost
  readonly #rooms: Set<string>
  #engine: EngineSocket | null
  #abort: AbortController | null
  #isClosed: boolean
  /** A handler has not resolved yet; what comes meanwhile stands in `#waiting`. */
  #isBusy: boolean
  #waiting: Step[]
  #waitingBytes: number
  /** A handler has failed, or the socket was closed for its client's fault: no further message is handled. */
  #isOver: boolean

  constructor(host: SocketHost, request: Request, reply: SocketReply) {
    this.request = request
    this.data = reply.data
    this.protocol = reply.protocol
    this.definition = reply.definition
    this.#host = host
    this.#rooms = new Set()
    this.#engine = null
    this.#abort = null
    this.#isClosed = false
    this.#isBusy = false
    this.#waiting = []
    this.#waitingBytes = 0
    this.#isOver = false
  }

  get params(): Record<string, unknown> {
    return this.request.params
  }

  get isOpen(): boolean {
    return this.#engine !== null
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.#isClosed) this.#abort.abort()
    }
    return this.#abort.signal
  }

  get bufferedBytes(): number {
    return this.#engine?.getBufferedAmount() ?? 0
  }

  get rooms(): readonly string[] {
    return [...this.#rooms]
  }

  send(message: SocketMessage): boolean {
    checkMessage('send', message)
    const isBinary = typeof message !== 'string'
    return this.#send(isBinary ? message : Buffer.from(message), isBinary)
  }

  join(room: string): void {
    checkRoom('join', room)
    if (this.#engine === null) return
    this.#rooms.add(room)
    this.#host.rooms.join(room, this)
  }

  leave(room: string): void {
    checkRoom('leave', room)
    this.#rooms.delete(room)
    this.#host.rooms.leave(room, this)
  }

  publish(room: string, message: SocketMessage): void {
    this.#host.rooms.publishExcept(this, room, message)
  }

  deliver(content: Uint8Array, isBinary: boolean): void {
    this.#send(content, isBinary)
  }

  close(code = 1000, reason = ''): void {
    checkClose(code, reason)
    this.#engine?.end(code, reason)
  }

  /** For the engine's `open`. */
  opened(engine: EngineSocket): void {
    this.#engine = engine
    const { open } = this.definition.handlers
    if (open !== undefined) this.#do('open', () => open(this))
  }

  /** For the engine's `message`: the bytes are copied here. */
  received(bytes: ArrayBuffer, isBytes: boolean): void {
    const { handlers, options } = this.definition
    if (bytes.byteLength > options.maxMessageBytes) {
      this.#isOver = true
      this.close(1009, `messages have ${options.maxMessageBytes} bytes at most`)
      return
    }
    const { message } = handlers
    if (message === undefined || this.#isOver) return
    const content = isBytes ? new Uint8Array(bytes.slice(0)) : Buffer.from(bytes).toString()
    this.#do('message', () => message(this, content), bytes.byteLength)
  }

  /** For the engine's `drain`. */
  drained(): void {
    const { drain } = this.definition.handlers
    if (drain !== undefined) this.#do('drain', () => drain(this))
  }

  /** For the engine's `close`: it must not be touched any more. */
  closed(code: number, reason: string): void {
    this.#engine = null
    for (const room of this.#rooms) this.#host.rooms.leave(room, this)
    this.#rooms.clear()
    this.#isClosed = true
    this.#abort?.abort()
    this.#host.remove(this)
    const { close } = this.definition.handlers
    const cut = code === 1006 ? CUT.find(([words]) => words.test(reason))?.[1] : undefined
    if (close !== undefined) this.#do('close', () => close(this, cut ?? code, reason))
  }

  /** One message may be longer than what may wait, but nothing may wait behind it. */
  #send(content: Uint8Array, isBinary: boolean): boolean {
    const engine = this.#engine
    if (engine === null) return false
    const { compress, maxBackpressureBytes, slowReaders } = this.definition.options
    const waiting = engine.getBufferedAmount()
    if (waiting > 0 && waiting + content.byteLength > maxBackpressureBytes) {
      if (slowReaders === 'close') this.close(1013, 'the reader is too slow')
      return false
    }
    return engine.send(content, isBinary, compress && content.length >= MIN_COMPRESSED_BYTES) !== 2
  }

  /** Runs a handler now, or when those before it have resolved. */
  #do(event: string, run: () => unknown, bytes = 0): void {
    if (!this.#isBusy) {
      this.#run(event, run)
      return
    }
    this.#waiting.push([event, run, bytes])
    this.#waitingBytes += bytes + (event === 'message' ? WAITING_OVERHEAD_BYTES : 0)
    const most = WAITING_FACTOR * (this.definition.options.maxMessageBytes + WAITING_OVERHEAD_BYTES)
    if (this.#waitingBytes <= most || this.#isOver) return
    this.#giveUp()
    this.close(1013, 'too many messages wait to be handled')
  }

  #run(event: string, run: () => unknown): void {
    try {
      const result = run()
      if (!isThenable(result)) return
      this.#isBusy = true
      this.#host.count(1)
      void Promise.resolve(result)
        .catch((error) => this.#fail(event, error))
        .then(() => this.#next())
    } catch (error) {
      this.#fail(event, error)
    }
  }

  #next(): void {
    this.#isBusy = false
    this.#host.count(-1)
    while (!this.#isBusy) {
      const step = this.#waiting.shift()
      if (step === undefined) return
      const [event, run, bytes] = step
      this.#waitingBytes -= bytes + (event === 'message' ? WAITING_OVERHEAD_BYTES : 0)
      this.#run(event, run)
    }
  }

  #fail(event: string, error: unknown): void {
    const { path, id } = this.request
    const what = `WebSocket ${path} (request ${id}): its ${event} handler failed`
    this.#host.log.error(this.isOpen ? `${what}; it was closed with 1011` : what, error)
    this.#giveUp()
    this.close(1011, 'the server failed')
  }

  /** What waits is not handled any more, apart from the end. */
  #giveUp(): void {
    this.#isOver = true
    this.#waiting = this.#waiting.filter(([event]) => event === 'close')
    this.#waitingBytes = 0
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}
