/** Requests by HTTP/2: with Node's own client, and frame by frame for what no client sends. */
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2'
import type { Test } from 'tap'
import { dialTls } from './tls.ts'

export interface Http2Reply {
  readonly status: number
  /** Without pseudo-fields and Date. */
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Buffer
  /** Code of the reset that ended it; 0: none. */
  readonly reset: number
}

/** Until the test ends. */
export function openHttp2(t: Test, port: number | null): ClientHttp2Session {
  const session = connect(`https://localhost:${port}`, { rejectUnauthorized: false })
  session.on('error', () => {})
  t.teardown(() => session.destroy())
  return session
}

/** One request and all of its reply. */
export function ask2(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string | Buffer,
): Promise<Http2Reply> {
  return new Promise((resolve) => {
    const request = session.request(headers, { endStream: body === undefined })
    let status = 0
    let fields: Http2Reply['headers'] = {}
    const chunks: Buffer[] = []
    request.on('response', ({ ':status': code, date: _date, ...rest }) => {
      status = Number(code)
      fields = Object.fromEntries(Object.entries(rest))
    })
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => {})
    request.on('close', () => {
      const reset = request.rstCode ?? 0
      resolve({ status, headers: fields, body: Buffer.concat(chunks), reset })
    })
    if (body !== undefined) request.end(body)
  })
}

export const TYPE = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  continuation: 9,
}
export const FLAG = { ack: 1, endStream: 1, endHeaders: 4 }

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

/** RFC 9113 section 4.1. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Literal fields without indexing (RFC 7541 section 6.2.2), names and values of fewer than 127 bytes. */
export function fieldBlock(fields: Fields): Buffer {
  const text = (value: string) =>
    Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')])
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  )
}

export type Fields = readonly (readonly [name: string, value: string])[]

/** Of a plain request. */
export const HEAD: Fields = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/'],
]

export const with_ = (name: string, value: string): Fields =>
  HEAD.map((field) => (field[0] === name ? [name, value] : field))

export const without = (name: string): Fields => HEAD.filter((field) => field[0] !== name)

export const headers = (
  id: number,
  fields: Fields = HEAD,
  flags = FLAG.endStream | FLAG.endHeaders,
): Buffer => frame(TYPE.headers, flags, id, fieldBlock(fields))

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export interface RawHttp2 {
  send(...frames: Buffer[]): void
  /** All that have come. */
  readonly frames: Frame[]
  /** Resolves when one has come that fits, or the connection has closed. */
  until(fits: (frame: Frame) => boolean): Promise<Frame | undefined>
  /** Error code of the GOAWAY that the server ends with; undefined where it ends without one. */
  end(): Promise<number | undefined>
}

/** A connection with preface and settings sent, and no client behind it. */
export async function rawHttp2(t: Test, port: number | null): Promise<RawHttp2> {
  const socket = await dialTls(port ?? 0, { ALPNProtocols: ['h2'], servername: 'localhost' })
  t.teardown(() => socket.destroy())
  const frames: Frame[] = []
  let rest = Buffer.alloc(0)
  let isClosed = false
  let wake = () => {}
  socket.on('error', () => {})
  socket.on('close', () => {
    isClosed = true
    wake()
  })
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const length = rest.readUIntBE(0, 3)
      const [type = 0, flags = 0] = rest.subarray(3, 5)
      const payload = rest.subarray(9, 9 + length)
      frames.push({ type, flags, stream: rest.readUInt32BE(5), payload })
      rest = rest.subarray(9 + length)
    }
    wake()
  })
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  socket.write(frame(TYPE.settings, 0, 0))
  async function until(fits: (one: Frame) => boolean): Promise<Frame | undefined> {
    for (;;) {
      const found = frames.find(fits)
      if (found !== undefined || isClosed) return found
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return {
    frames,
    until,
    send(...list) {
      if (!socket.destroyed) socket.write(Buffer.concat(list))
    },
    async end() {
      await until(() => isClosed)
      return frames.findLast(({ type }) => type === TYPE.goaway)?.payload.readUInt32BE(4)
    },
  }
}
