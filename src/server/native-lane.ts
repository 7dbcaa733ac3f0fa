/**
 * The native lane: ordinary HTTP/1.1 on uWebSockets.js. A request for a file is answered in the engine's
 * callback; all else passes the fences, becomes a `Request`, and its `Reply` is written.
 */
import type { FileEntry } from '../files/entry.ts'
import { FileReply } from '../files/send-file.ts'
import type { HeaderList } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import { Request } from '../http/request.ts'
import { SocketReply } from '../http/socket.ts'
import { parseRequestTarget } from '../http/target.ts'
import type { Handler } from '../was/dispatch.ts'
import type { Guard } from '../was/guards/guards.ts'
import type { Application } from './application.ts'
import { arrivedAt, beginTrace } from './begin-trace.ts'
import { Corked, mayOverflow } from './corked.ts'
import { Deadlines } from './deadlines.ts'
import type { EngineRequest, EngineResponse } from './engine-types.ts'
import { Exchange } from './exchange.ts'
import { decoded } from './extra-head.ts'
import { asksToClose } from './fences.ts'
import { isOneSend, writePrepared } from './file-writer.ts'
import { FirstAnswers } from './first-answers.ts'
import { createHeads, type Heads } from './heads.ts'
import { linkRequest } from './link-request.ts'
import type { PeerAddresses } from './local-peers.ts'
import { Lookup } from './lookup.ts'
import { MAX_DRAINED_BYTES, NativeBody } from './native-body.ts'
import { NativeFields } from './native-fields.ts'
import { bodyLength, FieldScan } from './native-scan.ts'
import { writeReply } from './native-writer.ts'
import { OpenConnections } from './open-connections.ts'
import { recordFile } from './record-file.ts'
import { followed, Records } from './records.ts'
import { refusal, refusalBytes } from './refusal.ts'
import { CLEAR, type Scheme } from './scheme.ts'
import type { TakeSocket } from './server-socket.ts'
import { Unfinished } from './unfinished.ts'

export class NativeLane {
  /** Read anew by every request, so that a reload swaps it between two of them. */
  application: Application
  /** True from the moment in which the server stops: every reply then closes its connection. */
  draining: boolean
  /** Requests that have come since the start. */
  requests: number
  /** Where the engine does not know the addresses of its connections. */
  peers: PeerAddresses | null
  /** Those of the engine: empty where none of its are answered here. */
  readonly connections: OpenConnections
  readonly #scheme: Scheme
  readonly records: Records
  /** What stands before all else. */
  readonly first: FirstAnswers
  readonly #heads: Heads
  readonly #scan: FieldScan
  readonly #lookup: Lookup
  readonly #corked: Corked
  readonly #unfinished: Unfinished
  readonly #deadlines: Deadlines

  constructor(application: Application, baseHeaders: HeaderList, scheme: Scheme = CLEAR) {
    this.application = application
    this.draining = false
    this.requests = 0
    this.peers = null
    this.connections = new OpenConnections()
    this.#scheme = scheme
    this.records = new Records(this, scheme.secure)
    this.#heads = createHeads([...baseHeaders, ...(scheme.fields?.list ?? [])])
    this.#scan = new FieldScan()
    this.first = new FirstAnswers(this, this.#scan, scheme)
    this.#lookup = new Lookup(this, this.#scan, scheme)
    this.#corked = new Corked()
    this.#unfinished = new Unfinished(this, this.#heads)
    this.#deadlines = new Deadlines(() => this.application.limits)
  }

  /** Replies that have been begun and not finished. */
  get pending(): number {
    return this.#unfinished.count
  }

  /** The engine's handler for GET alone: it compares methods by case, so the method is known. */
  handleGet(res: EngineResponse, req: EngineRequest): void {
    this.#guard(res, req, 'GET')
  }

  /** For the strict lane: answers a request that no view may see, and closes. */
  refuse(res: EngineResponse, req: EngineRequest, status: number): void {
    const isHead = req.getCaseSensitiveMethod() === 'HEAD'
    const exchange = new Exchange(res, this.#deadlines, isHead, true)
    exchange.record = this.records.ofStrict(res, req)
    this.#refuse(exchange, status)
  }

  /** For the strict lane: a reply that no view has made. */
  reply(res: EngineResponse, req: EngineRequest, reply: Reply): void {
    const exchange = new Exchange(res, this.#deadlines, false, this.draining)
    exchange.record = this.records.ofStrict(res, req)
    writeReply(exchange, reply, this.#heads.of(reply))
  }

  /** For the strict lane: a whole refusal, for a connection without a request that could be answered. */
  refusalBytes(status: number, hint = ''): Uint8Array {
    return refusalBytes(status, this.#heads, hint)
  }

  /** The engine's handler for every other method. */
  handleOther(res: EngineResponse, req: EngineRequest): void {
    this.#guard(res, req, req.getCaseSensitiveMethod())
  }

  /** For the socket lane: `answer` decides, and `take` gets what it accepts; else its reply is written. */
  handleHandshake(
    res: EngineResponse,
    req: EngineRequest,
    { asked, path }: { readonly asked: string; readonly path: string },
    answer: Handler,
    take: TakeSocket,
  ): void {
    this.#scan.read(req)
    const startedAt = arrivedAt(this.application)
    this.records.path = req.getUrl()
    const guard = this.#lookup.guard('GET', this.records.path, asked, path)
    const search = req.getQuery() ?? ''
    this.#answerView(res, req, 'GET', path, search, startedAt, answer, guard, take)
  }

  /** A mistake of ours costs its connection, not the process: the engine ends that on an exception. */
  #guard(res: EngineResponse, req: EngineRequest, method: string): void {
    this.requests++
    try {
      this.#handle(res, req, method)
    } catch (error) {
      this.application.log.error(`${method} could not be answered`, error)
      try {
        res.close()
      } catch {
        // It had been answered before the mistake.
      }
    }
  }

  #handle(res: EngineResponse, req: EngineRequest, method: string): void {
    const startedAt = arrivedAt(this.application)
    const scan = this.#scan
    scan.read(req)
    const rawPath = req.getUrl()
    this.records.path = rawPath
    const first = this.first.of(res, req, method, rawPath)
    if (first instanceof Reply) return this.#send(res, req, method, first)
    if (first !== null) return this.#refuse(this.#exchangeOf(res, req, method), first)
    const { rules, guards } = this.application
    const isFree =
      (rules === null || !rules.touches(rawPath)) && (guards === null || !guards.touches(rawPath))
    const isRead = isFree && (method === 'GET' || method === 'HEAD')
    const entry = isRead ? this.#lookup.find(req, rawPath) : undefined
    if (entry !== undefined) this.#answerFile(res, req, method, rawPath, entry, startedAt)
    else this.#answerOther(res, req, method, rawPath, startedAt)
  }

  #answerFile(
    res: EngineResponse,
    req: EngineRequest,
    method: string,
    path: string,
    entry: FileEntry,
    startedAt: number,
  ): void {
    const { traces } = this.application
    const observer = this.application.observer?.of(entry) ?? null
    const { connection } = this.#scan
    const found = traces === null ? 0 : performance.now()
    const prepared = this.#lookup.prepare(req, method, path, entry)
    const decided = traces === null ? 0 : performance.now()
    const keepsAlive = !this.draining && (connection === '' || connection === 'keep-alive')
    if (keepsAlive && method === 'GET' && isOneSend(prepared)) {
      const told = observer && { observer, scan: this.#scan, method, entry }
      const record = told && this.records.brief(res, req, told)
      this.#corked.send(res, prepared)
      record?.end(prepared.status, prepared.length, false, false)
    } else if (prepared.status >= 400) {
      const told = this.#lookup.told(prepared, entry)
      const asked = [decoded(path), req.getQuery() ?? ''] as const
      return this.#answerView(res, req, method, ...asked, startedAt, told, null)
    } else {
      const exchange = this.#exchangeOf(res, req, method, entry)
      if (prepared.content === null) writePrepared(exchange, prepared, this.#unfinished)
      else res.cork(() => writePrepared(exchange, prepared, this.#unfinished))
    }
    if (traces === null) return
    const { status } = prepared
    recordFile(traces, entry, { method, path, status, startedAt, found, decided })
  }

  /** A reply that no view has made, to the request that was scanned last. */
  #send(res: EngineResponse, req: EngineRequest, method: string, reply: Reply): void {
    writeReply(this.#exchangeOf(res, req, method), reply, this.#heads.of(reply))
  }

  /** An exchange of the request that was scanned last. */
  #exchangeOf(
    res: EngineResponse,
    req: EngineRequest,
    method: string,
    entry: FileEntry | null = null,
  ): Exchange {
    const { connection } = this.#scan
    const observer = this.application.observer?.of(entry) ?? null
    const close = this.draining || asksToClose(connection)
    const closesByItself = connection.toLowerCase() === 'close'
    const exchange = new Exchange(res, this.#deadlines, method === 'HEAD', close, closesByItself)
    const told = observer && { observer, scan: this.#scan, method, entry }
    exchange.record = told && this.records.lasting(res, req, told)
    return exchange
  }

  /** A path that is not the canonical one of a file: perhaps another spelling of it, else a view's. */
  #answerOther(
    res: EngineResponse,
    req: EngineRequest,
    method: string,
    rawPath: string,
    startedAt: number,
  ): void {
    const { limits, rules, guards, notFound, dispatch } = this.application
    const search = req.getQuery() ?? ''
    const urlBytes = rawPath.length + (search === '' ? 0 : 1 + search.length)
    const isTooLong = urlBytes > limits.maxUrlBytes
    const target = isTooLong ? 414 : parseRequestTarget(rawPath)
    if (target === 414 || target === 400) {
      return this.#refuse(this.#exchangeOf(res, req, method), target)
    }
    if (target === 404) {
      const guard = this.#lookup.guard(method, rawPath, null, null)
      return this.#answerView(res, req, method, rawPath, search, startedAt, notFound, guard)
    }
    const routed = rules?.route(method, target.path, search, this.#scan.origin) ?? null
    const isMoved = routed instanceof Reply
    const { path, canonical } = routed === null || isMoved ? target : routed
    const guard = this.#lookup.guard(method, rawPath, target.path, path)
    if (isMoved && guard === null) return this.#send(res, req, method, routed)
    const isRead = method === 'GET' || method === 'HEAD'
    const isKnown = isMoved || (rules === null && guards === null && canonical === rawPath)
    const entry = isRead && !isKnown ? this.#lookup.find(req, canonical) : undefined
    if (entry !== undefined && guard === null) {
      return this.#answerFile(res, req, method, canonical, entry, startedAt)
    }
    const whole = isMoved ? () => routed : dispatch
    const answer = entry === undefined ? whole : this.#lookup.answer(req, method, canonical, entry)
    this.#answerView(res, req, method, path, search, startedAt, answer, guard)
  }

  /**
   * A request in doubt: no view sees it, and the connection ends with it. The answer waits for the next turn of the
   * loop: the engine runs what stands behind a request in the same segment even when its reply closes, not while one is pending.
   */
  #refuse(exchange: Exchange, status: number | 'close'): void {
    if (status === 'close') return exchange.cut()
    const reply = refusal(status)
    exchange.close = true
    this.#unfinished.begin(exchange)
    exchange.watch()
    setImmediate(() => {
      if (!exchange.aborted)
        exchange.res.cork(() => writeReply(exchange, reply, this.#heads.of(reply)))
    })
  }

  #answerView(
    res: EngineResponse,
    req: EngineRequest,
    method: string,
    path: string,
    search: string,
    startedAt: number,
    answer: Handler,
    guard: Guard | null,
    take: TakeSocket | null = null,
  ): void {
    const { application } = this
    const exchange = this.#exchangeOf(res, req, method)
    const fields = new NativeFields(req, res, this.#scan.acceptEncoding, this.peers)
    const trace = beginTrace(application, exchange.record, startedAt)
    const length = bodyLength(this.#scan, req)
    const limit = length === 0 ? 0 : this.#limitOf(method, path, fields)
    const isTooLarge = length > limit
    const body = length === 0 || isTooLarge ? null : new NativeBody(res, length, limit)
    if (length > MAX_DRAINED_BYTES) exchange.close = true
    const request = new Request({
      method,
      path,
      search,
      fields,
      body,
      services: application.services,
      remoteAddress: () => fields.address(),
      secure: this.#scheme.secure,
      trace,
    })
    trace?.add('server', startedAt)
    const inner = isTooLarge ? application.tooLarge : answer
    const respond = followed(exchange.record, request, inner, guard !== null)
    const result = guard === null ? respond(request) : guard(request, respond)
    if (result instanceof Reply) {
      // A socket keeps its handshake.
      if (take === null) fields.release()
      else fields.detach(null)
      if (mayOverflow(result.body)) {
        res.cork(() => this.#write(exchange, request, body, result, take))
      } else {
        this.#write(exchange, request, body, result, take)
      }
      return
    }
    fields.detach(body === null ? exchange : null)
    this.#watchOver(exchange, request, body)
    this.#answerLater(exchange, request, result, body, take)
  }

  #limitOf(method: string, path: string, fields: NativeFields): number {
    const { bodyLimit, services } = this.application
    return bodyLimit(method, path, () => fields.hostFor(services))
  }

  /** Apart from `#answerView`, whose variables would outlive every call for the sake of these functions. */
  #answerLater(
    exchange: Exchange,
    request: Request,
    result: Promise<Reply>,
    body: NativeBody | null,
    take: TakeSocket | null,
  ): void {
    exchange.watch()
    result
      .then((reply) => {
        if (exchange.aborted) return
        exchange.res.cork(() => this.#write(exchange, request, body, reply, take))
      })
      .catch((error) => exchange.cut(error))
  }

  /** Counts an exchange that does not end at once, and tells its request and the log what becomes of it. */
  #watchOver(exchange: Exchange, request: Request, body: NativeBody | null): void {
    // Not by its hooks: a file has set some already.
    if (exchange.hasRequest) return
    exchange.hasRequest = true
    this.#unfinished.begin(exchange)
    linkRequest(exchange, request, body, this.application.log)
  }

  #write(
    exchange: Exchange,
    request: Request,
    body: NativeBody | null,
    reply: Reply,
    take: TakeSocket | null,
  ): void {
    const { trace } = request
    const from = trace?.reply() ?? 0
    exchange.close ||= this.draining
    if (body !== null) exchange.onEnding = body.yieldTo(reply)
    try {
      if (take !== null && reply instanceof SocketReply) this.#open(exchange, request, reply, take)
      else if (reply instanceof FileReply) this.#writeFile(exchange, reply)
      else writeReply(exchange, reply, this.#heads.of(reply))
      if (exchange.isDone) {
        body?.abort()
        request.markDone()
      } else this.#watchOver(exchange, request, body)
    } catch (error) {
      this.#watchOver(exchange, request, body)
      exchange.cut(error)
    }
    if (trace === null) return
    trace.add('reply', from)
    this.application.traces?.record('view', request.method, request.path, reply.status, trace)
  }

  /** A server that stops opens nothing new. */
  #open(exchange: Exchange, request: Request, accepted: SocketReply, take: TakeSocket): void {
    if (this.draining) {
      const reply = refusal(503)
      writeReply(exchange, reply, this.#heads.of(reply))
    } else {
      request.markSocket()
      exchange.status = 101
      take(accepted, request)
      exchange.done()
    }
  }

  /** A file that a view has let go: as a static one, with the fields of the view. */
  #writeFile(exchange: Exchange, reply: FileReply): void {
    writePrepared(exchange, { ...reply.prepared, head: this.#heads.of(reply) }, this.#unfinished)
  }
}
