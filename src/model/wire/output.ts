/**
 * Messages to PostgreSQL, written behind each other into one buffer and sent as one write
 * (PostgreSQL 18, section 54.7). Used by `session.ts`.
 */

const FIRST_BYTES = 16 * 1024
/** A buffer that one large parameter has made grow beyond this is not kept. */
const MAX_KEPT_BYTES = 256 * 1024

/** Execute of the unnamed portal, all rows; then Sync. */
const EXECUTE_SYNC = [0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0x53, 0, 0, 0, 4]
const SYNC_BYTES = 5
/** Parameters may take this many bytes of text in all; PostgreSQL's own limit of a message is 1 GiB. */
const MAX_BYTES = 0x3fffffff

export class Output {
  #buffer: Buffer
  #length: number

  constructor() {
    this.#buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
    this.#length = 0
  }

  get length(): number {
    return this.#length
  }

  /** What has been written; it stays whole until `reuse` or `renew`. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  /** Takes back what was written behind the first `length` bytes. */
  cutTo(length: number): void {
    this.#length = length
  }

  /** Begins anew in the same memory: nobody reads the bytes any more. */
  reuse(): void {
    if (this.#buffer.byteLength > MAX_KEPT_BYTES) this.renew()
    else this.#length = 0
  }

  /** Begins anew in memory of its own: somebody still reads the bytes. */
  renew(): void {
    this.#buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
    this.#length = 0
  }

  /** Names no parameter types: PostgreSQL infers them from the statement. */
  parse(name: string, sql: string): void {
    this.#message(0x50, () => {
      this.#text(name)
      this.#text(sql)
      this.#int16(0)
    })
  }

  describeStatement(name: string): void {
    this.#message(0x44, () => {
      this.#byte(0x53)
      this.#text(name)
    })
  }

  closeStatement(name: string): void {
    this.#message(0x43, () => {
      this.#byte(0x53)
      this.#text(name)
    })
  }

  query(sql: string): void {
    this.#message(0x51, () => this.#text(sql))
  }

  /** Parse, Bind and Execute of a command without parameters or rows; what follows runs only where it succeeds. */
  command(sql: string): void {
    this.parse('', sql)
    this.run(UNNAMED, NOTHING)
    this.cutTo(this.#length - SYNC_BYTES)
  }

  copyData(text: string): void {
    this.#message(0x64, () => {
      this.#reserve(3 * text.length)
      this.#length += this.#buffer.write(text, this.#length, 'utf8')
    })
  }

  copyDone(): void {
    this.#message(0x63, () => {})
  }

  copyFail(reason: string): void {
    this.#message(0x66, () => this.#text(reason))
  }

  sync(): void {
    this.#message(0x53, () => {})
  }

  terminate(): void {
    this.#message(0x58, () => {})
  }

  /** Bind, Execute and Sync. `prefix` is from `bindPrefix`; parameters and results are text. */
  run(prefix: Uint8Array, args: readonly (string | null)[]): void {
    const start = this.#length
    this.#reserve(prefix.byteLength + 2 + EXECUTE_SYNC.length)
    this.#buffer.set(prefix, start)
    this.#length += prefix.byteLength
    for (let i = 0; i < args.length; i++) this.#argument(args[i] as string | null)
    this.#reserve(2 + EXECUTE_SYNC.length)
    this.#int16(0)
    this.#buffer.writeInt32BE(this.#length - start - 1, start + 1)
    const buffer = this.#buffer
    let at = this.#length
    for (let i = 0; i < EXECUTE_SYNC.length; i++) buffer[at++] = EXECUTE_SYNC[i] as number
    this.#length = at
  }

  #argument(value: string | null): void {
    if (value === null) {
      this.#reserve(4)
      this.#length = this.#buffer.writeInt32BE(-1, this.#length)
      return
    }
    const { length } = value
    this.#reserve(4 + 3 * length)
    const buffer = this.#buffer
    const start = this.#length + 4
    let at = start
    if (length <= 24) {
      let i = 0
      for (; i < length; i++) {
        const code = value.charCodeAt(i)
        if (code > 0x7f) break
        buffer[at++] = code
      }
      if (i < length) at = start + buffer.write(value, start, 'utf8')
    } else at += buffer.write(value, start, 'utf8')
    buffer.writeInt32BE(at - start, this.#length)
    this.#length = at
  }

  #message(type: number, write: () => void): void {
    this.#byte(type)
    const start = this.#length
    this.#int32(0)
    write()
    this.#buffer.writeInt32BE(this.#length - start, start)
  }

  #byte(value: number): void {
    this.#reserve(1)
    this.#buffer[this.#length++] = value
  }

  #int16(value: number): void {
    this.#reserve(2)
    this.#length = this.#buffer.writeInt16BE(value, this.#length)
  }

  #int32(value: number): void {
    this.#reserve(4)
    this.#length = this.#buffer.writeInt32BE(value, this.#length)
  }

  /** A text with the zero byte that ends it. */
  #text(value: string): void {
    this.#reserve(3 * value.length + 1)
    this.#length += this.#buffer.write(value, this.#length, 'utf8')
    this.#buffer[this.#length++] = 0
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#buffer.byteLength) return
    if (needed > MAX_BYTES) throw new RangeError('a statement with its parameters is above 1 GiB')
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.byteLength))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}

/** The beginning of each Bind of a prepared statement: all that stands before its parameters. */
export function bindPrefix(name: string, paramCount: number): Buffer {
  // Type, length (set later), unnamed portal, statement, no formats (all text), number of parameters.
  return Buffer.concat([
    Buffer.from([0x42, 0, 0, 0, 0, 0]),
    Buffer.from(`${name}\0`),
    Buffer.from([0, 0, paramCount >> 8, paramCount & 0xff]),
  ])
}

const UNNAMED = bindPrefix('', 0)
const NOTHING: readonly (string | null)[] = []
