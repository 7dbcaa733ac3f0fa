/** Raw HTTP over a socket: what was sent byte for byte, what came back byte for byte. */
import { connect, type Socket } from 'node:net'

export interface RawResponse {
  readonly status: number
  readonly reason: string
  /** Names in lower case; several of one name joined by `, `. */
  readonly headers: Record<string, string>
  readonly body: Buffer
}

export interface Exchanged {
  readonly bytes: Buffer
  readonly responses: RawResponse[]
  /** The server ended the connection. */
  readonly closed: boolean
}

export interface RawOptions {
  /** Stop when so many responses have come. Default 1. */
  readonly expect?: number
  /** Methods of the requests, in order: HEAD has no body. */
  readonly methods?: readonly string[]
  /** Give up after so many milliseconds and return what has come. Default 5000. */
  readonly timeoutMs?: number
  /** Wait for the server to close even when enough responses have come. */
  readonly untilClosed?: boolean
  /** The connection. Default: a new one to the port. */
  readonly socket?: Socket
}

/** Opens a connection to `port` on 127.0.0.1, sends `request` and reads responses. */
export async function raw(
  port: number,
  request: string | Buffer,
  options: RawOptions = {},
): Promise<Exchanged> {
  const { expect = 1, methods = [], timeoutMs = 5000, untilClosed = false } = options
  const socket = options.socket ?? (await dial(port))
  socket.write(typeof request === 'string' ? Buffer.from(request) : request)
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    let closed = false
    let looking: NodeJS.Timeout | undefined
    const finish = (): void => {
      clearTimeout(timer)
      clearTimeout(looking)
      socket.destroy()
      const bytes = Buffer.concat(chunks)
      resolve({ bytes, responses: parseResponses(bytes, methods, closed), closed })
    }
    const timer = setTimeout(finish, timeoutMs)
    const look = (): void => {
      looking = undefined
      if (parseResponses(Buffer.concat(chunks), methods, false).length >= expect) finish()
    }
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      length += chunk.byteLength
      if (untilClosed) return
      // A large body is not put together anew for each piece.
      if (length < LARGE_BYTES) look()
      else looking ??= setTimeout(look, LOOK_MS)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      closed = true
      finish()
    })
  })
}

const LARGE_BYTES = 1024 * 1024
const LOOK_MS = 20

export function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
  })
}

/** Complete responses at the start of `bytes`; one without a length is complete when `closed`. */
export function parseResponses(
  bytes: Buffer,
  methods: readonly string[],
  closed: boolean,
): RawResponse[] {
  const responses: RawResponse[] = []
  let at = 0
  for (;;) {
    const end = bytes.indexOf('\r\n\r\n', at)
    if (end < 0) return responses
    const [line = '', ...fields] = bytes.toString('latin1', at, end).split('\r\n')
    const [, code, reason = ''] = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(line) ?? []
    if (code === undefined) throw new Error(`not a status line: ${JSON.stringify(line)}`)
    const headers: Record<string, string> = {}
    for (const field of fields) {
      const colon = field.indexOf(':')
      const name = field.slice(0, colon).toLowerCase()
      const value = field.slice(colon + 1).trim()
      headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
    }
    const status = Number(code)
    const bodiless = methods[responses.length] === 'HEAD' || status === 204 || status === 304
    const body = bodiless
      ? { bytes: Buffer.alloc(0), next: end + 4 }
      : readBody(bytes, end + 4, headers, closed)
    if (body === undefined) return responses
    responses.push({ status, reason, headers, body: body.bytes })
    at = body.next
  }
}

function readBody(
  bytes: Buffer,
  from: number,
  headers: Record<string, string>,
  closed: boolean,
): { bytes: Buffer; next: number } | undefined {
  const length = headers['content-length']
  if (length !== undefined) {
    const next = from + Number(length)
    return bytes.length < next ? undefined : { bytes: bytes.subarray(from, next), next }
  }
  if (headers['transfer-encoding'] === 'chunked') return readChunks(bytes, from)
  return closed ? { bytes: bytes.subarray(from), next: bytes.length } : undefined
}

function readChunks(bytes: Buffer, from: number): { bytes: Buffer; next: number } | undefined {
  const parts: Buffer[] = []
  let at = from
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const next = lineEnd + 2 + size + 2
    if (bytes.length < next) return undefined
    if (size === 0) return { bytes: Buffer.concat(parts), next }
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = next
  }
}
