/** Tasks whose whole answer is wanted as it is: texts, or a description. For migrations and checks. */
import { int16At, int32At } from './input.ts'
import { type Column, Task } from './task.ts'

/** Cells in the order of `columns`; null is SQL NULL. */
export type TextRow = readonly (string | null)[]

export interface Result {
  readonly rows: readonly TextRow[]
  /** The same array for every run of one prepared statement on one connection. */
  readonly columns: readonly Column[]
  /** Rows that the statement returned or changed. */
  readonly count: number
  /** The command tag's first word: `COMMIT`. */
  readonly command: string
}

export interface Description {
  /** pg_type.oid of `$1`, `$2`, … */
  readonly params: readonly number[]
  readonly columns: readonly Column[]
}

/** Settles a promise at the end. */
export abstract class Settling<T> extends Task {
  readonly promise: Promise<T>
  #resolve!: (value: T) => void
  #reject!: (error: unknown) => void

  constructor() {
    super()
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  protected abstract result(): T

  done(failure: unknown): void {
    if (failure === undefined) this.#resolve(this.result())
    else this.#reject(failure)
  }
}

/** Of several statements in one text the last one's answer is kept. */
export class Collected extends Settling<Result> {
  #rows: TextRow[] = []
  #columns: readonly Column[] | null = null
  #count = 0
  #command = ''

  columns(columns: readonly Column[]): void {
    this.#columns = columns
    this.#rows = []
  }

  row(buffer: Buffer, at: number): void {
    this.#rows.push(readTexts(buffer, at))
  }

  complete(buffer: Buffer, at: number, end: number): void {
    this.#count = countAt(buffer, end)
    this.#command = /^\w+/.exec(buffer.toString('latin1', at, end))?.[0] ?? ''
  }

  protected result(): Result {
    const columns = this.prepared?.columns ?? this.#columns ?? []
    return { rows: this.#rows, columns, count: this.#count, command: this.#command }
  }
}

export class Described extends Settling<Description> {
  columns(): void {}

  row(): void {}

  complete(): void {}

  protected result(): Description {
    return { params: this.prepared?.params ?? [], columns: this.prepared?.columns ?? [] }
  }
}

/** The number that ends a command's tag, which ends at `end` with its zero byte; 0 when there is none. */
export function countAt(buffer: Buffer, end: number): number {
  let count = 0
  let scale = 1
  for (let at = end - 2; ; at--) {
    const digit = (buffer[at] as number) - 48
    if (digit < 0 || digit > 9) return count
    count += digit * scale
    scale *= 10
  }
}

function readTexts(buffer: Buffer, at: number): TextRow {
  const cells: (string | null)[] = []
  let from = at + 2
  for (let i = int16At(buffer, at); i > 0; i--) {
    const length = int32At(buffer, from)
    from += 4
    if (length < 0) cells.push(null)
    else {
      cells.push(buffer.toString('utf8', from, from + length))
      from += length
    }
  }
  return cells
}
