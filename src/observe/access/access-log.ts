/** The access log: one line for every answered request. Made by `app.ts`, told by the observer. */
import type { Log } from '../../core/log.ts'
import type { ExchangeRecord } from '../exchange-record.ts'
import type { ExchangeListener } from '../observer.ts'
import { compileFormat, type LineFormat } from './format.ts'
import { LineWriter } from './line-writer.ts'
import type { SiteAccessLog } from './options.ts'
import { createRedact } from './redact.ts'
import { createSample, type Sample } from './sample.ts'

/** The process that logs. */
export interface LoggingProcess {
  /** Number of the worker, from 1; 0 where there are none. */
  readonly worker: number
  /** Whether requests have traces. Default false. */
  readonly isTraced?: boolean
  readonly log: Log
}

export class AccessLog implements ExchangeListener {
  readonly needsTime: boolean
  readonly needsClient = true
  readonly fields: readonly string[]
  readonly #line: LineFormat['line']
  readonly #sample: Sample | null
  readonly #writer: LineWriter

  /** Throws UWAS_ERR_OBSERVE_LOG_FORMAT. */
  constructor(options: SiteAccessLog, { worker, isTraced = false, log }: LoggingProcess) {
    const redact = createRedact(options.redact)
    const { line, needsTime, fields } = compileFormat(options.format, {
      redact,
      worker,
      isTraced,
    })
    this.needsTime = needsTime
    this.fields = fields
    this.#line = line
    this.#sample = createSample(options.sample)
    const { file, maxBufferBytes } = options
    // Two that do it at once would rename each other's new file.
    const rotation = worker > 1 ? null : options
    this.#writer = new LineWriter({ file, maxBufferBytes, rotation, what: 'access log', log })
  }

  /** Lines that were lost since the start. */
  get dropped(): number {
    return this.#writer.dropped
  }

  /** Opens its file; what is wrong with that stands in the log of the process, and nobody has to wait for it. */
  open(): void {
    this.#writer.open()
  }

  ended(record: ExchangeRecord): void {
    if (this.#sample === null || this.#sample(record)) this.#writer.append(this.#line(record))
  }

  /** Goes on in the file that has the name by now: what a rotation from outside asks for. */
  reopen(): void {
    this.#writer.reopen()
  }

  close(): Promise<void> {
    return this.#writer.close()
  }
}
