/**
 * A session of PostgreSQL after its log-in: tasks go out behind each other without waiting, each with a
 * Sync of its own, so that none can fail another; answers come in the same order (PostgreSQL 18, section
 * 54.2.4, "Pipelining"). Made by `connection.ts`.
 */
import type { Socket } from 'node:net'
import { readColumns, readNotification, readOids } from './columns.ts'
import { drained } from './drained.ts'
import { Input } from './input.ts'
import { ConnectionLost } from './lost.ts'
import { Output } from './output.ts'
import { isFatal, isStale, readFields, ServerError } from './server-error.ts'
import { Statements } from './statements.ts'
import type { Column, Prepared, Task } from './task.ts'

export interface SessionOptions {
  readonly onNotice: (message: string) => void
  /** Gets what NOTIFY sends to a channel that the session listens to. */
  readonly onNotification: (channel: string, payload: string) => void
  /** A pooler that shares sessions answers one task at a time: the next waits here. */
  readonly isSerial: boolean
  /** Called once, when nothing can be sent any more. */
  readonly onEnd: (failure: Error) => void
}

/** Bytes that are sent at once instead of at the end of the loop's turn. */
const FLUSH_BYTES = 64 * 1024
const IDLE = 0x49

export class Session {
  readonly #socket: Socket
  readonly #options: SessionOptions
  readonly #output: Output
  readonly #input: Input
  /** Tasks that are sent and not answered, from `#first` on. */
  #tasks: (Task | undefined)[]
  #first: number
  #answers: number
  readonly #isSerial: boolean
  /** Behind the one that is sent, where one at a time is. */
  readonly #held: { readonly task: Task; readonly start: () => void }[]
  readonly #statements: Statements
  /** Commands that the next task brings along. */
  #leads: readonly string[]
  #isScheduled: boolean
  #isEnding: boolean
  #ended: Error | undefined
  /** A FATAL that came before the end. */
  #fatal: ServerError | undefined
  readonly #flush: () => void

  constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket
    this.#options = options
    this.#output = new Output()
    this.#input = new Input((type, buffer, at, end) => this.#receive(type, buffer, at, end))
    this.#tasks = []
    this.#first = 0
    this.#answers = 0
    this.#isSerial = options.isSerial
    this.#held = []
    this.#statements = new Statements()
    this.#leads = NONE
    this.#isScheduled = false
    this.#isEnding = false
    this.#ended = undefined
    this.#fatal = undefined
    this.#flush = () => {
      this.#isScheduled = false
      this.#send()
    }
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', (error) => this.#end(error))
    socket.on('close', () => this.#end(new ConnectionLost()))
  }

  /** Tasks that are not answered. */
  get pending(): number {
    return this.#tasks.length - this.#first + this.#held.length
  }

  /** Tasks that have been answered so far. */
  get answers(): number {
    return this.#answers
  }

  get isEnded(): boolean {
    return this.#ended !== undefined
  }

  /** From here on no statement keeps a name: what the pooler cannot keep either. */
  forgetNames(): void {
    this.#statements.forgetNames()
  }

  /**
   * The next task of `run` or `simple` brings these commands along: they go out with it and run before it, and where one
   * fails the task fails with it and does not run.
   */
  lead(commands: readonly string[]): void {
    this.#leads = commands
  }

  /** Forgets the commands of `lead`; false where they have been sent. */
  dropLead(): boolean {
    const isUnsent = this.#leads !== NONE
    this.#leads = NONE
    return isUnsent
  }

  /** Runs a statement, prepared at its first run here. `args` are texts. */
  run(task: Task, sql: string, args: readonly (string | null)[]): void {
    if (this.#ended !== undefined) return task.done(this.#ended)
    if (this.#isBusy()) return this.#holdRun(task, sql, args)
    const known = this.#statements.find(sql)
    const prepared = known ?? this.#statements.prepare(sql, args.length)
    task.prepared = prepared
    task.args = args
    const { length } = this.#output
    try {
      if (this.#leads !== NONE) for (const command of this.#leads) this.#output.command(command)
      for (const command of task.before) this.#output.command(command)
      if (known === undefined) {
        this.#output.parse(prepared.name, sql)
        this.#output.describeStatement(prepared.name)
      }
      this.#output.run(prepared.bind, args)
    } catch (error) {
      // Half a message would end the session, with all that is in flight on it.
      this.#output.cutTo(length)
      if (known === undefined) this.#statements.forget(prepared)
      throw error
    }
    task.leads = this.#leads.length + task.before.length
    task.begins = this.#leads
    this.#leads = NONE
    this.#push(task)
  }

  /** Prepares and describes a statement without running it. */
  describe(task: Task, sql: string, paramCount: number): void {
    if (this.#ended !== undefined) return task.done(this.#ended)
    if (this.#isBusy()) return this.#hold(task, () => this.describe(task, sql, paramCount))
    const known = this.#statements.find(sql)
    if (known !== undefined) this.#output.closeStatement(known.name)
    const prepared = this.#statements.prepare(sql, paramCount)
    task.prepared = prepared
    this.#output.parse(prepared.name, sql)
    this.#output.describeStatement(prepared.name)
    this.#output.sync()
    this.#push(task)
  }

  /** Runs a text of one or more statements, unprepared. */
  simple(task: Task, sql: string): void {
    if (this.#ended !== undefined) return task.done(this.#ended)
    if (this.#isBusy()) return this.#hold(task, () => this.simple(task, sql))
    const leads = this.#leads
    this.#output.query(leads === NONE ? sql : [...leads, sql].join('; '))
    task.leads = leads.length
    this.#leads = NONE
    this.#push(task)
  }

  /** Ends the session when all tasks are answered. */
  end(): void {
    this.#isEnding = true
    if (this.pending === 0) this.#terminate()
  }

  /** Cuts the connection; tasks without an answer fail. */
  destroy(failure: Error): void {
    this.#socket.destroy()
    this.#end(failure)
  }

  /** One at a time, and one is on its way. */
  #isBusy(): boolean {
    return this.#isSerial && this.#tasks.length > this.#first
  }

  /** Apart from `run`, which is hot: a closure in it would cost each call. */
  #holdRun(task: Task, sql: string, args: readonly (string | null)[]): void {
    this.#hold(task, () => this.run(task, sql, args))
  }

  #hold(task: Task, start: () => void): void {
    this.#held.push({ task, start })
  }

  #next(): void {
    const next = this.#held.shift()
    if (next === undefined) return
    try {
      next.start()
    } catch (error) {
      next.task.done(error)
      this.#next()
    }
  }

  #push(task: Task): void {
    this.#tasks.push(task)
    if (this.#output.length >= FLUSH_BYTES) this.#send()
    else if (!this.#isScheduled) {
      this.#isScheduled = true
      // After the sockets of this turn: what their requests ask for leaves in one write.
      setImmediate(this.#flush)
    }
  }

  #send(): void {
    if (this.#ended !== undefined || this.#output.length === 0) return
    this.#socket.write(this.#output.bytes)
    if (this.#socket.writableLength === 0) this.#output.reuse()
    else this.#output.renew()
  }

  #terminate(): void {
    this.#output.terminate()
    this.#send()
    this.#socket.end()
  }

  #read(chunk: Buffer): void {
    try {
      this.#input.push(chunk)
    } catch (error) {
      this.destroy(new ProtocolFailure((error as Error).message))
    }
  }

  #receive(type: number, buffer: Buffer, at: number, end: number): void {
    const task = this.#tasks[this.#first]
    switch (type) {
      case 0x44: // DataRow
        return this.#row(task, buffer, at)
      case 0x5a: // ReadyForQuery
        return this.#ready(task, buffer[at] as number)
      case 0x43: // CommandComplete
        return this.#complete(task, buffer, at, end)
      case 0x54: // RowDescription
        return this.#columns(task, readColumns(buffer, at))
      case 0x74: // ParameterDescription
        if (task?.prepared != null) task.prepared.params = readOids(buffer, at)
        return
      case 0x6e: // NoData
        return this.#columns(task, NO_COLUMNS)
      case 0x45: // ErrorResponse
        return this.#failed(task, new ServerError(readFields(buffer, at, end)))
      case 0x41: // NotificationResponse
        return this.#options.onNotification(...readNotification(buffer, at))
      case 0x4e: // NoticeResponse
        return this.#options.onNotice(readFields(buffer, at, end).message ?? '')
      case 0x47: // CopyInResponse
        return this.#copyIn(task)
      default:
        if (!IGNORED.has(type)) throw new Error(`unknown message ${String.fromCharCode(type)}`)
    }
  }

  #complete(task: Task | undefined, buffer: Buffer, at: number, end: number): void {
    if (task !== undefined && task.leads > 0) task.leads--
    else attempt(task, () => task?.complete(buffer, at, end))
  }

  #row(task: Task | undefined, buffer: Buffer, at: number): void {
    if (task === undefined || task.failure !== undefined) return
    try {
      task.row(buffer, at)
    } catch (error) {
      task.failure = error
    }
  }

  #columns(task: Task | undefined, columns: readonly Column[]): void {
    if (task === undefined) return
    if (task.prepared === null) attempt(task, () => task.columns(columns))
    // Described once; every later run answers by the same columns.
    else task.prepared.columns = this.#statements.columnsOf(task.prepared, columns)
  }

  #copyIn(task: Task | undefined): void {
    if (task?.feed === undefined) {
      this.#output.copyFail('uwas sends no data for COPY')
      if (task?.prepared != null) this.#output.sync()
      return this.#send()
    }
    const isOpen = () => this.#ended === undefined && this.#tasks[this.#first] === task
    const ending = (write: () => void) => {
      if (!isOpen()) return
      write()
      this.#send()
    }
    task.feed({
      write: (text) => {
        if (!isOpen()) return true
        this.#output.copyData(text)
        this.#send()
        // It gets on, so that nobody takes it for hung.
        this.#answers++
        return !this.#socket.writableNeedDrain
      },
      drained: () => drained(this.#socket),
      done: () => ending(() => this.#output.copyDone()),
      fail: (reason) => ending(() => this.#output.copyFail(reason)),
    })
  }

  #failed(task: Task | undefined, error: ServerError): void {
    if (isFatal(error)) this.#fatal = error
    if (task === undefined) return
    const { prepared } = task
    if (prepared !== null && prepared.columns === null) {
      // Not even prepared: those that were sent behind it must not say that it does not exist.
      task.failure ??= prepared.failure ?? error
      prepared.failure ??= error
      this.#statements.forget(prepared)
    } else task.failure ??= error
  }

  #ready(task: Task | undefined, status: number): void {
    if (task === undefined) throw new Error('an answer to nothing')
    this.#shift()
    const { prepared, failure } = task
    if (prepared !== null && failure instanceof ServerError && isStale(failure)) {
      this.#statements.forgetAll(prepared, this.#output)
      if (this.#repeat(task, prepared, status)) return
    }
    if (this.#held.length > 0) this.#next()
    task.done(failure)
    if (this.#isEnding && this.pending === 0 && this.#ended === undefined) this.#terminate()
  }

  /** Once more with a new plan, where the failed run did nothing: alone in its transaction, or the first of one, which begins anew. */
  #repeat(task: Task, { sql, failure }: Prepared, status: number): boolean {
    if (task.isRepeated || failure !== undefined || task.leads > 0) return false
    if (task.args === null || this.#isEnding) return false
    if (status !== IDLE) {
      // What was sent behind it has failed with its transaction.
      if (task.begins.length === 0 || this.pending > 0) return false
      this.#leads = ['rollback', ...task.begins]
    }
    task.isRepeated = true
    task.failure = undefined
    this.run(task, sql, task.args)
    return true
  }

  #shift(): void {
    this.#answers++
    this.#tasks[this.#first++] = undefined
    if (this.#first === this.#tasks.length) {
      this.#tasks.length = 0
      this.#first = 0
    } else if (this.#first >= 1024 && this.#first * 2 > this.#tasks.length) {
      this.#tasks = this.#tasks.slice(this.#first)
      this.#first = 0
    }
  }

  #end(failure: Error): void {
    if (this.#ended !== undefined) return
    this.#ended = this.#fatal ?? failure
    const tasks = [...this.#tasks.slice(this.#first), ...this.#held.map(({ task }) => task)]
    this.#tasks = []
    this.#first = 0
    this.#held.length = 0
    this.#options.onEnd(this.#ended)
    for (const task of tasks) task?.done(task.failure ?? this.#ended)
  }
}

class ProtocolFailure extends Error {
  readonly code = 'CONNECTION_DESTROYED'

  constructor(problem: string) {
    super(`PostgreSQL answered against its protocol: ${problem}`)
  }
}

const NO_COLUMNS: readonly Column[] = []
const NONE: readonly string[] = []

/**
 * ParseComplete, BindComplete, CloseComplete, EmptyQueryResponse, ParameterStatus, CopyOutResponse with its
 * data and end, PortalSuspended.
 */
const IGNORED = new Set([0x31, 0x32, 0x33, 0x49, 0x53, 0x48, 0x64, 0x63, 0x73])

function attempt(task: Task | undefined, work: () => void): void {
  if (task === undefined || task.failure !== undefined) return
  try {
    work()
  } catch (error) {
    task.failure = error
  }
}
