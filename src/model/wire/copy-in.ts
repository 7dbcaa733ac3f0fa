/**
 * COPY … FROM STDIN: texts go out as PostgreSQL takes them, a few at a time (PostgreSQL 18, section 54.2.6). Made
 * by `transaction.ts`, since nothing else can be asked of a session that copies; run by `session.ts`.
 */
import { countAt, Settling } from './collect.ts'

/** What a session gives to who has data for it. */
export interface CopyTarget {
  /** Sends a piece of the data. False: wait for `drained` before the next. */
  write(text: string): boolean
  /** When there is room again, or the connection is lost. */
  drained(): Promise<void>
  done(): void
  /** Ends the COPY with an error. */
  fail(reason: string): void
}

/** Resolves to the number of rows. */
export class CopyIn extends Settling<number> {
  readonly #pieces: AsyncIterable<string>
  #count = 0
  #isStopped = false

  constructor(pieces: AsyncIterable<string>) {
    super()
    this.#pieces = pieces
  }

  /** Ends it before its end. */
  stop(reason: Error): void {
    this.failure ??= reason
    this.#isStopped = true
  }

  override feed(target: CopyTarget): void {
    this.#send(target).then(
      () => {
        if (this.#isStopped) target.fail('it was stopped')
        else if (this.failure === undefined) target.done()
      },
      (error: unknown) => {
        const isOver = this.failure !== undefined && !this.#isStopped
        this.failure ??= error
        if (!isOver) target.fail('its source failed')
      },
    )
  }

  async #send(target: CopyTarget): Promise<void> {
    for await (const piece of this.#pieces) {
      // PostgreSQL refuses a row while others are still on their way.
      if (this.failure !== undefined) return
      if (!target.write(piece)) await target.drained()
    }
  }

  columns(): void {}

  row(): void {}

  complete(buffer: Buffer, _at: number, end: number): void {
    this.#count = countAt(buffer, end)
  }

  protected result(): number {
    return this.#count
  }
}
