/**
 * Server-sent events (HTML standard, section 9.2): a view's events come in, a reply leaves that stays open
 * as long as its client does. Called by views; the writer's backpressure holds the source back.
 */
import { createError } from '../core/errors.ts'
import type { ServiceKey } from '../core/services.ts'
import { type Reply, stream } from './reply.ts'
import type { Request } from './request.ts'

/** One event. A text alone is an event with this data. */
export interface ServerEvent {
  /** A text, sent as it is, in as many lines as it has; anything else is sent as JSON. */
  readonly data: unknown
  /** The type that `addEventListener` names. Default `message`. */
  readonly event?: string
  /** What the client sends back as Last-Event-ID when it connects again. */
  readonly id?: string
  /** Milliseconds after which the client connects again when the stream has ended. */
  readonly retry?: number
}

/** How a stream of events is kept open. */
export interface EventsOptions {
  /** Milliseconds of silence after which a comment is sent, so that nobody on the way gives up. Default 15,000. */
  readonly heartbeatMs?: number
}

/** Fires when the server stops: streams end, and their clients connect to another one. */
export const DRAINING: ServiceKey<AbortSignal> = {
  name: 'the signal of a server that stops',
  hint: 'serve it with uwas, which provides it',
}

/**
 * A reply of events. `source` is pulled as fast as the client reads, and returned when the client goes away or
 * the server stops; for events that are pushed there is `EventQueue`. The head is sent at once; nothing is
 * compressed or kept. Its view's errors after the first event cut the connection: the client connects again.
 */
export function events(
  req: Request,
  source: AsyncIterable<ServerEvent | string>,
  { heartbeatMs = 15_000 }: EventsOptions = {},
): Reply {
  const stop = req.services.find(DRAINING)
  const reply = stream(encodeAll(source, heartbeatMs, stop), 'text/event-stream', {
    // Proxies that buffer by default are asked not to (nginx).
    headers: { 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
  })
  reply.compress = false
  return reply
}

/** The id of the last event that the client has seen, when it connects again. */
export function lastEventId(req: Request): string | undefined {
  return req.header('last-event-id')
}

/**
 * Events from anywhere for one client: `push` never waits. A client that does not read fast enough is cut
 * off when `maxQueued` events wait for it (default 1000); it connects again with its Last-Event-ID.
 */
export class EventQueue implements AsyncIterable<ServerEvent | string> {
  readonly #maxQueued: number
  readonly #events: (ServerEvent | string)[] = []
  #isEnded = false
  #failure: unknown = undefined
  #wake: (() => void) | null = null

  constructor(maxQueued = 1000) {
    this.#maxQueued = maxQueued
  }

  /** Events that wait for the client. */
  get length(): number {
    return this.#events.length
  }

  /** False when nobody will get it: the client has gone, is too slow, or the queue has ended. */
  push(event: ServerEvent | string): boolean {
    if (this.#isEnded || this.#failure !== undefined) return false
    if (this.#events.length >= this.#maxQueued) {
      this.#events.length = 0
      this.#failure = createError('UWAS_ERR_HTTP_EVENTS_SLOW', { limit: this.#maxQueued })
      this.#wake?.()
      return false
    }
    this.#events.push(event)
    this.#wake?.()
    return true
  }

  /** Ends the stream behind what waits. */
  end(): void {
    this.#isEnded = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ServerEvent | string, void> {
    try {
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure
        const event = this.#events.shift()
        if (event !== undefined) yield event
        else if (this.#isEnded) return
        else await new Promise<void>((resolve) => this.#waitFor(resolve))
      }
    } finally {
      this.#isEnded = true
      this.#events.length = 0
    }
  }

  #waitFor(resolve: () => void): void {
    this.#wake = () => {
      this.#wake = null
      resolve()
    }
  }
}

async function* encodeAll(
  source: AsyncIterable<ServerEvent | string>,
  heartbeatMs: number,
  stop: AbortSignal | undefined,
): AsyncGenerator<string, void> {
  const iterator = source[Symbol.asyncIterator]()
  const stopped = stop === undefined ? NEVER : aborted(stop)
  try {
    yield ': open\n\n'
    let next = iterator.next()
    for (;;) {
      const won = await firstOf(next, stopped, heartbeatMs)
      if (won === 'stopped') return
      if (won === 'silence') {
        yield ':\n\n'
        continue
      }
      if (won.done === true) return
      yield encodeEvent(won.value)
      next = iterator.next()
    }
  } finally {
    // Not awaited: a source that waits for something else would hold the reply for ever.
    Promise.resolve(iterator.return?.()).catch(() => {})
  }
}

const NEVER = new Promise<'stopped'>(() => {})

function aborted(signal: AbortSignal): Promise<'stopped'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('stopped')
    else signal.addEventListener('abort', () => resolve('stopped'), { once: true })
  })
}

async function firstOf<T>(
  next: Promise<T>,
  stopped: Promise<'stopped'>,
  heartbeatMs: number,
): Promise<T | 'stopped' | 'silence'> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<'silence'>((resolve) => {
    timer = setTimeout(() => resolve('silence'), heartbeatMs)
    timer.unref()
  })
  try {
    return await Promise.race([next, stopped, silence])
  } finally {
    clearTimeout(timer)
  }
}

/** Throws UWAS_ERR_HTTP_EVENT for an event or id that would be read as something else. */
export function encodeEvent(given: ServerEvent | string): string {
  const { data, event, id, retry } = typeof given === 'string' ? { data: given } : given
  let text = ''
  if (event !== undefined) text += `event: ${oneLine('event', event)}\n`
  if (id !== undefined) text += `id: ${oneLine('id', id)}\n`
  if (retry !== undefined) {
    if (!Number.isSafeInteger(retry) || retry < 0) throw wrong('retry', String(retry))
    text += `retry: ${retry}\n`
  }
  const body = typeof data === 'string' ? data : (JSON.stringify(data) ?? 'null')
  return `${text}${body
    .split(/\r\n|\r|\n/)
    .map((line) => `data: ${line}\n`)
    .join('')}\n`
}

function oneLine(field: string, text: string): string {
  if (typeof text !== 'string' || /[\r\n\0]/.test(text)) throw wrong(field, JSON.stringify(text))
  return text
}

function wrong(field: string, value: string): Error {
  return createError('UWAS_ERR_HTTP_EVENT', { field, value })
}
