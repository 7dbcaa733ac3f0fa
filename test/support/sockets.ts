/** Sites of WebSockets alone, and a client that speaks RFC 6455 byte by byte, rules broken on demand. */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Test } from 'tap'
import WebSocket, { type ClientOptions } from 'ws'
import { createLog } from '../../src/core/log.ts'
import { Services } from '../../src/core/services.ts'
import type { Middleware } from '../../src/http/view.ts'
import { compileUrls } from '../../src/route/compile.ts'
import type { RouteEntry } from '../../src/route/entry.ts'
import { urlconf } from '../../src/route/urlconf.ts'
import { createDispatcher } from '../../src/was/dispatch.ts'
import { createErrorPages } from '../../src/was/error-pages.ts'
import { ROOMS, Rooms } from '../../src/was/rooms.ts'
import { createSiteSockets } from '../../src/was/site-sockets.ts'
import { applicationOf, type ServeOptions, serve, type TestServer } from './application.ts'
import { dial } from './raw.ts'

export interface SocketSite extends TestServer {
  readonly rooms: Rooms
  readonly url: string
}

export interface SocketSiteOptions extends ServeOptions {
  readonly middleware?: readonly Middleware[]
}

/** What `serve` takes, of a site with these URLs. */
export function socketSite(entries: readonly RouteEntry[], options: SocketSiteOptions = {}) {
  const log: string[] = []
  const urls = compileUrls(urlconf(...entries))
  const dispatcher = createDispatcher({
    urls,
    middleware: options.middleware ?? [],
    errorPages: createErrorPages({ log: createLog((line) => log.push(line)) }),
    maxBodyBytes: 1024,
    viewTimeoutMs: 60_000,
    fileMethods: () => undefined,
  })
  const rooms = new Rooms()
  const services = (options.services ?? new Services()).provide(ROOMS, rooms)
  const sockets = createSiteSockets(urls, rooms, dispatcher.compose)
  return { dispatch: dispatcher.dispatch, rooms, options: { ...options, services, sockets } }
}

/** Serves `entries` on a free port until the test ends. */
export async function serveSockets(
  t: Test,
  entries: readonly RouteEntry[],
  options: SocketSiteOptions = {},
): Promise<SocketSite> {
  const site = socketSite(entries, options)
  const server = await serve(t, site.dispatch, site.options)
  return { ...server, rooms: site.rooms, url: `ws://127.0.0.1:${server.port}` }
}

/** The same as an application, to be swapped in. */
export function applicationOfSockets(entries: readonly RouteEntry[]) {
  const site = socketSite(entries)
  return applicationOf(site.dispatch, site.options)
}

export interface Client extends WebSocket {
  /** The next message that has not been taken: text as it is, bytes as a Buffer. */
  next(): Promise<string | Buffer>
  /** Code and reason of the end. */
  readonly ended: Promise<{ code: number; reason: string }>
}

/** A client of `ws`, open; rejects when the handshake is refused. */
export function connect(
  url: string,
  protocols: string[] = [],
  options: ClientOptions = {},
): Promise<Client> {
  const client = new WebSocket(url, protocols, { perMessageDeflate: false, ...options })
  const messages: (string | Buffer)[] = []
  const takers: ((message: string | Buffer) => void)[] = []
  client.on('message', (data, isBinary) => {
    const message = isBinary ? (data as Buffer) : String(data)
    const taker = takers.shift()
    if (taker === undefined) messages.push(message)
    else taker(message)
  })
  const ended = new Promise((resolve) => {
    client.on('close', (code, reason) => resolve({ code, reason: String(reason) }))
  })
  const next = (): Promise<string | Buffer> => {
    const message = messages.shift()
    if (message !== undefined) return Promise.resolve(message)
    return new Promise((resolve) => takers.push(resolve))
  }
  return new Promise((resolve, reject) => {
    client.once('open', () => resolve(Object.assign(client, { next, ended }) as Client))
    client.on('error', reject)
  })
}

/** The status with which a handshake is refused. */
export function refusedWith(url: string, options: ClientOptions = {}): Promise<number> {
  const client = new WebSocket(url, [], options)
  return new Promise((resolve, reject) => {
    client.on('unexpected-response', (_req, res) => {
      resolve(res.statusCode ?? 0)
      client.terminate()
    })
    client.on('open', () => reject(new Error('it was accepted')))
    client.on('error', reject)
  })
}

export interface FrameOptions {
  readonly fin?: boolean
  /** The three bits behind FIN: 4 is RSV1. */
  readonly rsv?: number
  readonly masked?: boolean
  /** Length that the frame tells, when it is not that of its content. */
  readonly length?: number
}

export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10

/** One frame as a client sends it (RFC 6455 section 5.2). */
export function frame(
  opcode: number,
  content: string | Uint8Array = '',
  { fin = true, rsv = 0, masked = true, length }: FrameOptions = {},
): Buffer {
  const bytes = Buffer.from(content as string)
  const total = length ?? bytes.length
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  const mask = masked ? 0x80 : 0
  let head: Buffer
  if (total < 126) head = Buffer.from([first, mask | total])
  else if (total < 65_536) head = Buffer.from([first, mask | 126, total >> 8, total & 255])
  else {
    head = Buffer.alloc(10, 0)
    head.writeUInt8(first, 0)
    head.writeUInt8(mask | 127, 1)
    head.writeBigUInt64BE(BigInt(total), 2)
  }
  if (!masked) return Buffer.concat([head, bytes])
  const key = randomBytes(4)
  return Buffer.concat([head, key, bytes.map((byte, i) => byte ^ (key[i & 3] as number))])
}

/** Content of a Close frame. */
export function closing(code: number, reason: string | Uint8Array = ''): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(code)
  return Buffer.concat([bytes, Buffer.from(reason as string)])
}

export interface Received {
  readonly opcode: number
  readonly content: Buffer
}

export interface RawSocket {
  readonly socket: Socket
  /** The head of the answer to the handshake. */
  readonly head: string
  send(...frames: Buffer[]): void
  /** Frames that have come so far, the server's: never masked, never in parts. */
  frames(): Received[]
  /** Resolves when the server has ended the connection. */
  readonly closed: Promise<void>
  /** Resolves when so many frames have come, or the connection has ended. */
  until(count: number): Promise<Received[]>
}

export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

/** A handshake with further fields, or with some left out. */
export function handshake(path: string, fields: Record<string, string | null> = {}): string {
  const all: Record<string, string | null> = {
    Host: 'x',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': KEY,
    ...fields,
  }
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}\r\n`],
  )
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/** Opens a connection and sends a handshake; resolves when its answer has come. */
export async function openRaw(
  port: number,
  path: string,
  fields: Record<string, string | null> = {},
  { dialled, behind }: { readonly dialled?: Socket; readonly behind?: Buffer } = {},
): Promise<RawSocket> {
  const socket = dialled ?? (await dial(port))
  let received = Buffer.alloc(0)
  let isClosed = false
  let wake = (): void => {}
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    wake()
  })
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      isClosed = true
      wake()
      resolve()
    })
  })
  const until = async (isEnough: () => boolean): Promise<void> => {
    while (!isEnough() && !isClosed) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  socket.write(Buffer.concat([Buffer.from(handshake(path, fields)), behind ?? Buffer.alloc(0)]))
  await until(() => received.includes('\r\n\r\n'))
  const end = received.indexOf('\r\n\r\n') + 4
  const frames = (): Received[] => parseFrames(received.subarray(end))
  return {
    socket,
    head: received.toString('latin1', 0, end),
    send: (...all) => void socket.write(Buffer.concat(all)),
    frames,
    closed,
    async until(count) {
      await until(() => frames().length >= count)
      return frames()
    },
  }
}

function parseFrames(bytes: Buffer): Received[] {
  const frames: Received[] = []
  for (let at = 0; at + 2 <= bytes.length; ) {
    const short = bytes.readUInt8(at + 1)
    if (short > 127) throw new Error('a frame of the server is masked')
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0
    const start = at + 2 + lengthBytes
    if (start > bytes.length) break
    const length =
      short === 127
        ? Number(bytes.readBigUInt64BE(at + 2))
        : short === 126
          ? bytes.readUInt16BE(at + 2)
          : short
    if (start + length > bytes.length) break
    frames.push({
      opcode: bytes.readUInt8(at) & 15,
      content: bytes.subarray(start, start + length),
    })
    at = start + length
  }
  return frames
}
