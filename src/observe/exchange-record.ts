/**
 * What is known of one request and of what has become of it. A lane fills it in when the request comes and ends it when
 * the last byte has been handed over; the observer reads it then.
 */
import type { Trace } from '../core/trace.ts'
import { uuid7 } from '../core/uuid7.ts'
import type { Request } from '../http/request.ts'

/** The client went before anything was sent: nginx's own number. */
const CLIENT_CLOSED = 499
/** The server closed without an answer: nginx's own number. */
const NO_ANSWER = 444

/** Who is told of the end. */
export interface RecordReader {
  ended(record: ExchangeRecord): void
}

/** Who has answered: a file, a page that was made before, the URL conf, or the server alone, which has refused it. */
export type Answerer = 'static' | 'page' | 'view' | 'server'

export class ExchangeRecord {
  readonly #reader: RecordReader
  method = ''
  /** As sent, without the query. */
  path = ''
  /** As sent, without `?`. */
  search = ''
  /** `HTTP/1.1` */
  protocol = 'HTTP/1.1'
  /** Whether the connection is TLS. */
  secure = false
  host = ''
  /** Of the client, as `req.client` tells them: behind proxies others than those of the connection. */
  scheme: 'http' | 'https' = 'http'
  clientHost = ''
  /** Of the client, as `req.client` tells it. */
  address = ''
  referer = ''
  userAgent = ''
  /** Further fields that somebody wants; null: none. */
  fields: Readonly<Record<string, string>> | null = null
  /** By `performance.now()`; 0 where nobody wants to know. */
  startedAt = 0
  /** From the head of the request to the last byte of the answer; 0 where nobody wants to know. */
  durationMs = 0
  answerer: Answerer = 'server'
  /** Pattern of the route that answers: `/posts/<int:id>`; empty: none. */
  route = ''
  status = 0
  /** Bytes of content that were handed over. */
  bodyBytes = 0
  /** False when the client has gone, or the connection was cut, before the last byte. */
  isWhole = true
  /** The server has ended it before its last byte. */
  isCut = false
  /** Whether `status` was sent, and does not only stand for what has happened. */
  hasHead = true
  /** Where the time of the request went; null: nobody wants to know. */
  trace: Trace | null = null
  #request: Request | null = null
  #id = ''

  constructor(reader: RecordReader) {
    this.#reader = reader
  }

  /** Names the request; the same as `req.id` where there is a `Request`. */
  get id(): string {
    if (this.#id === '') this.#id = this.#request?.id ?? uuid7()
    return this.#id
  }

  /** Who has signed in by basic auth; empty: nobody. */
  get user(): string {
    return this.#request?.remoteUser ?? ''
  }

  /** From now on it has the id and the route of this one. */
  follow(request: Request): void {
    this.answerer = 'view'
    this.#request = request
    this.trace = request.trace
  }

  /** For a record that is used again, for files and pages. */
  begin(): void {
    this.#id = ''
    this.trace = null
  }

  /** `status` 0: nothing has been sent. */
  end(status: number, bodyBytes: number, isAborted: boolean, isCut: boolean): void {
    this.status = status === 0 ? (isCut ? NO_ANSWER : CLIENT_CLOSED) : status
    this.bodyBytes = bodyBytes
    this.hasHead = status !== 0
    this.isCut = isCut
    this.isWhole = !(isAborted || isCut)
    if (this.startedAt !== 0) this.durationMs = performance.now() - this.startedAt
    if (this.#request !== null) this.route = this.#request.route
    this.#reader.ended(this)
  }
}
