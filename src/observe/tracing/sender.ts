/**
 * One request to a collector by OTLP/HTTP (opentelemetry.io, "OTLP Specification"): spans in JSON, gzip'ed; what has
 * become of it leaves. It never throws, and whatever the other side does ends in time.
 */
import { Agent, type IncomingMessage, request as plain } from 'node:http'
import { Agent as SecureAgent, request as secure } from 'node:https'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'

/** What has become of spans that were sent. */
export interface Outcome {
  readonly isTaken: boolean
  /** How many of them the collector has refused all the same. */
  readonly rejected: number
  readonly mayRetry: boolean
  /** How long it wants to be left alone; null: it has not said. */
  readonly retryAfterMs: number | null
  /** Empty: none. */
  readonly problem: string
}

interface SenderOptions {
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

interface Answer {
  readonly status: number
  readonly retryAfter: string
  readonly type: string
  readonly text: string
}

/** By the specification; all others are final. */
const RETRYABLE = new Set([429, 502, 503, 504])
/** Of an answer; the rest is not read. */
const MAX_ANSWER_BYTES = 64 * 1024
const MAX_WORDS = 200
export const STOPPED = 'the server has stopped'

const compress = promisify(gzip)

export class Sender {
  /** The endpoint as logs name it: without its query, which may hold a secret. */
  readonly where: string
  readonly #url: URL
  readonly #headers: Readonly<Record<string, string>>
  readonly #timeoutMs: number
  readonly #agent: Agent
  readonly #end: AbortController

  constructor({ endpoint, headers, timeoutMs }: SenderOptions) {
    this.#url = new URL(endpoint)
    this.where = `${this.#url.origin}${this.#url.pathname}`
    this.#headers = headers
    this.#timeoutMs = timeoutMs
    const kept = { keepAlive: true, maxSockets: 1 }
    this.#agent = this.#url.protocol === 'https:' ? new SecureAgent(kept) : new Agent(kept)
    this.#end = new AbortController()
  }

  get isClosed(): boolean {
    return this.#end.signal.aborted
  }

  /** `text`: an ExportTraceServiceRequest in JSON. */
  async send(text: string): Promise<Outcome> {
    const late = new AbortController()
    const problem = `no answer within ${this.#timeoutMs} ms`
    const timer = setTimeout(() => late.abort(new Error(problem)), this.#timeoutMs)
    const signal = AbortSignal.any([late.signal, this.#end.signal])
    try {
      const body = await compress(text, { level: constants.Z_BEST_SPEED })
      return outcomeOf(await this.#post(body, signal))
    } catch (error) {
      if (late.signal.aborted) return failed(problem, true, null)
      const words = this.isClosed ? STOPPED : wordsOf((error as Error).message)
      return failed(words, true, null)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ends what is on its way. */
  close(): void {
    this.#end.abort(new Error(STOPPED))
    this.#agent.destroy()
  }

  #post(body: Uint8Array, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = {
        'User-Agent': 'uwas OTLP exporter',
        ...this.#headers,
        'Content-Type': 'application/json',
        'Content-Encoding': 'gzip',
        'Content-Length': body.byteLength,
      }
      const options = { method: 'POST', headers, agent: this.#agent, signal }
      const sent = (this.#url.protocol === 'https:' ? secure : plain)(this.#url, options)
      sent.on('error', reject)
      // Node tells nobody of what ends after another protocol was answered.
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      sent.on('upgrade', (_message, socket) => {
        socket.destroy()
        reject(new Error('it answers 101'))
      })
      sent.on('response', (message) => void read(message).then(resolve, reject))
      sent.end(body)
    })
  }
}

async function read(message: IncomingMessage): Promise<Answer> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of message as AsyncIterable<Uint8Array>) {
    pieces.push(piece)
    length += piece.byteLength
    // Leaving the loop ends the connection.
    if (length > MAX_ANSWER_BYTES) break
  }
  return {
    status: message.statusCode ?? 0,
    retryAfter: message.headers['retry-after'] ?? '',
    type: message.headers['content-type'] ?? '',
    text: Buffer.concat(pieces).toString(),
  }
}

function outcomeOf({ status, retryAfter, type, text }: Answer): Outcome {
  if (status >= 200 && status < 300) {
    const { rejected, problem } = partialSuccess(type.startsWith('application/json') ? text : '')
    return { isTaken: true, rejected, mayRetry: false, retryAfterMs: null, problem }
  }
  const words = /^(?:application\/json|text\/plain)\b/.test(type) ? wordsOf(text) : ''
  const problem = `it answers ${status}${words === '' ? '' : `: ${words}`}`
  return failed(problem, RETRYABLE.has(status), afterMs(retryAfter))
}

function failed(problem: string, mayRetry: boolean, retryAfterMs: number | null): Outcome {
  return { isTaken: false, rejected: 0, mayRetry, retryAfterMs, problem }
}

/** `ExportTracePartialSuccess`; an answer that is none says that all were taken. */
function partialSuccess(text: string): { rejected: number; problem: string } {
  try {
    const { partialSuccess: told } = JSON.parse(text) as {
      partialSuccess?: { rejectedSpans?: unknown; errorMessage?: unknown }
    }
    const rejected = Number(told?.rejectedSpans ?? 0)
    const problem = typeof told?.errorMessage === 'string' ? wordsOf(told.errorMessage) : ''
    return { rejected: Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0, problem }
  } catch {
    return { rejected: 0, problem: '' }
  }
}

/** Retry-After (RFC 9110 section 10.2.3): seconds or a date; null for anything else. */
function afterMs(text: string): number | null {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const at = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now())
}

/** What others say, for one line of a log. */
function wordsOf(text: string): string {
  return text
    .slice(0, MAX_WORDS)
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
}
