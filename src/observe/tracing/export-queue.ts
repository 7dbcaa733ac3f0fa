/**
 * Spans on their way to a collector: gathered, sent together, tried again where the protocol says so. Nobody waits for
 * it, and it holds a bounded number: what a collector does not take in time is dropped and counted. The log of the
 * process hears of that at most once a minute.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../core/log.ts'
import { type Outcome, Sender, STOPPED } from './sender.ts'

export interface ExportQueueOptions {
  /** The whole URL. */
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly maxQueuedSpans: number
  /** What stands around the spans of one request. */
  readonly envelope: readonly [before: string, behind: string]
  readonly log: Log
  /** Before a failed export is tried again the first time; each next wait is twice as long. Default 1000. */
  readonly firstRetryMs?: number
  /** Longest time from a span to its export, where they are few. Default 5000. */
  readonly gatherMs?: number
}

const MAX_BATCH = 512
const MAX_ATTEMPTS = 5
const GATHER_MS = 5000
const FIRST_RETRY_MS = 1000
const MAX_RETRY_MS = 30_000
/** What the end of a process waits for its last spans. */
const CLOSE_MS = 2000
/** Between two lines in the log of the process. */
const TELL_MS = 60_000

export class ExportQueue {
  /** Since the start. */
  sent: number
  dropped: number
  readonly #options: ExportQueueOptions
  readonly #sender: Sender
  #waiting: string[]
  /** Of the batch that is on its way. */
  #inFlight: number
  #timer: NodeJS.Timeout | null
  #running: Promise<void> | null
  /** Ends the wait before another attempt. */
  readonly #hurry: AbortController
  #isClosing: boolean
  /** Dropped since the log was told. */
  #untold: number
  #toldAt: number

  constructor(options: ExportQueueOptions) {
    this.sent = 0
    this.dropped = 0
    this.#options = options
    this.#sender = new Sender(options)
    this.#waiting = []
    this.#inFlight = 0
    this.#timer = null
    this.#running = null
    this.#hurry = new AbortController()
    this.#isClosing = false
    this.#untold = 0
    this.#toldAt = Number.NEGATIVE_INFINITY
  }

  /** Whether one more would be kept; it is counted as dropped where not. */
  hasRoom(): boolean {
    const { maxQueuedSpans } = this.#options
    if (this.#waiting.length + this.#inFlight < maxQueuedSpans && !this.#isClosing) return true
    this.#lose(1, 'the collector takes them more slowly than they come')
    return false
  }

  /** `span`: its JSON. */
  add(span: string): void {
    this.#waiting.push(span)
    this.#schedule()
  }

  /** Sends what waits, as far as that takes no longer than two seconds. */
  async close(): Promise<void> {
    if (this.#isClosing) return
    this.#isClosing = true
    this.#hurry.abort()
    const timer = setTimeout(() => this.#sender.close(), CLOSE_MS)
    while (!this.#sender.isClosed && (this.#running !== null || this.#waiting.length > 0)) {
      this.#start()
      await this.#running
    }
    clearTimeout(timer)
    this.#sender.close()
    const left = this.#waiting.length
    this.#waiting = []
    if (left > 0) this.#lose(left, STOPPED)
    this.#tellLost(STOPPED, true)
  }

  #start(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    // In a turn of its own: whoever ended the last span is answering a request.
    this.#running ??= new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#sendAll())
      .finally(() => {
        this.#running = null
        if (this.#waiting.length > 0 && !this.#isClosing) this.#schedule()
      })
  }

  #schedule(): void {
    const { gatherMs = GATHER_MS } = this.#options
    if (this.#waiting.length >= MAX_BATCH) this.#start()
    else this.#timer ??= setTimeout(() => this.#start(), gatherMs).unref()
  }

  /** What waits, and then as long as there are whole batches. */
  async #sendAll(): Promise<void> {
    let least = 1
    while (this.#waiting.length >= least && !this.#sender.isClosed) {
      const batch = this.#waiting.splice(0, MAX_BATCH)
      this.#inFlight = batch.length
      await this.#sendBatch(batch)
      this.#inFlight = 0
      least = this.#isClosing ? 1 : MAX_BATCH
    }
  }

  /** Never rejects. */
  async #sendBatch(batch: readonly string[]): Promise<void> {
    const [before, behind] = this.#options.envelope
    const text = before + batch.join(',') + behind
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#sender.send(text)
      if (outcome.isTaken) return this.#taken(batch.length, outcome)
      const isLast = attempt === MAX_ATTEMPTS || this.#isClosing || this.#sender.isClosed
      if (!outcome.mayRetry || isLast) return this.#lose(batch.length, outcome.problem)
      this.#tell(`spans cannot be sent, and are tried again: ${outcome.problem}`)
      await sleep(this.#pauseMs(attempt, outcome), undefined, {
        signal: this.#hurry.signal,
        ref: false,
      }).catch(() => {})
    }
  }

  /** As long as the collector says, else longer each time and never as long as another process's. */
  #pauseMs(attempt: number, { retryAfterMs }: Outcome): number {
    if (retryAfterMs !== null) return Math.min(retryAfterMs, MAX_RETRY_MS)
    const { firstRetryMs = FIRST_RETRY_MS } = this.#options
    return Math.min(MAX_RETRY_MS, firstRetryMs * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)
  }

  #taken(count: number, { rejected, problem }: Outcome): void {
    const refused = Math.min(rejected, count)
    this.sent += count - refused
    if (refused > 0) return this.#lose(refused, problem)
    if (problem !== '') this.#tell(`the collector says: ${problem}`)
    else if (this.#untold > 0) this.#tellLost('it takes them again')
  }

  #lose(count: number, why: string): void {
    this.dropped += count
    this.#untold += count
    this.#tellLost(why)
  }

  #tellLost(why: string, isLast = false): void {
    const count = this.#untold
    if (count === 0) return
    const isTold = this.#tell(
      `${count} ${count === 1 ? 'span was' : 'spans were'} lost: ${why}`,
      isLast,
    )
    if (isTold) this.#untold = 0
  }

  /** At most once a minute, and at the end. */
  #tell(text: string, isLast = false): boolean {
    const now = performance.now()
    if (!isLast && now - this.#toldAt < TELL_MS) return false
    this.#toldAt = now
    this.#options.log.warn(`tracing, ${this.#sender.where}: ${text}`)
    return true
  }
}
