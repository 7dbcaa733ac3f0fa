/**
 * The part of uWebSockets.js that uwas uses: what both pinned builds offer, and nothing else.
 * Lifetimes: an `EngineRequest` lives until its handler returns; an `EngineResponse` until it has
 * ended or its abort handler has run, and it throws when it is touched later.
 */

/** Strings are sent as UTF-8; buffers by their bytes, read during the call only. */
export type Sendable = string | ArrayBuffer | Uint8Array

export interface EngineRequest {
  /** Path without query, as sent. */
  getUrl(): string
  /** Query without `?`; undefined when there is no `?`. */
  getQuery(): string | undefined
  getCaseSensitiveMethod(): string
  /** All fields up to the first nameless one, names in lower case. */
  forEach(visit: (name: string, value: string) => void): void
  /** Leaves the request to the next handler that matches: the engine's only. */
  setYield?(isLeft: boolean): EngineRequest
  /** As logs name it; the native lane's are all `HTTP/1.1`. */
  readonly protocol?: string
  /** A decoded body without Content-Length comes: the strict lane's only, never the engine's. */
  readonly isChunked?: boolean
}

export interface EngineResponse {
  /** Chunks are kept until they are sent, so their memory must not be used again: Node's, never the engine's. */
  readonly keepsChunks?: boolean
  /** May carry header lines after the status: `200 OK\r\nA: b`. The engine checks nothing. */
  writeStatus(status: Sendable): EngineResponse
  writeHeader(name: Sendable, value: Sendable): EngineResponse
  /** Sends a chunk; false when the kernel did not take everything (the rest is buffered). */
  write(chunk: Sendable): boolean
  /** Writes Content-Length and the body; copies what the kernel does not take. */
  end(body?: Sendable, closeConnection?: boolean): EngineResponse
  /** Ends without a body and, called without arguments, without Content-Length. */
  endWithoutBody(): EngineResponse
  /** Writes what the kernel takes of a body of `totalBytes`: [all of `chunk` taken, response done]. */
  tryEnd(chunk: Sendable, totalBytes: number): [ok: boolean, done: boolean]
  /** Bytes of the body that have been taken. */
  getWriteOffset(): number
  onWritable(handler: (offset: number) => boolean): EngineResponse
  onAborted(handler: () => void): EngineResponse
  /** `chunk` is neutered when the handler returns. */
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): EngineResponse
  /** Bytes of the bodies of all requests of its connection, so far, where they share it: HTTP/2's only. */
  readonly sharedBytes?: number
  /** So many bytes of the body may have come that `onData` is not told of yet: by TLS only. */
  readonly hiddenBytes?: number
  /**
   * Stops the flow of `onData`, what waits to be sent, and the engine's own time-out, until `resume`. A write that the kernel
   * refuses ends it.
   */
  pause(): void
  resume(): void
  cork(write: () => void): EngineResponse
  /** Closes the connection at once; the abort handler runs. */
  close(): EngineResponse
  /** Empty on 20.69 when the connection was adopted. */
  getRemoteAddressAsText(): ArrayBuffer
  /** 4 bytes for IPv4, 16 for IPv6. The engine's only; empty as the text is. */
  getRemoteAddress?(): ArrayBuffer
  /** On 20.69. */
  getRemotePort?(): number
  /**
   * Ends the exchange and makes a WebSocket of the connection; fields that were written before are sent with
   * the 101. Runs `open` of `context` before it returns. The engine's only.
   */
  upgrade?<D>(
    userData: D,
    key: string,
    protocol: string,
    extensions: string,
    context: EngineSocketContext,
  ): void
  /** A `Connection: close` field closes the connection by itself: never on the engine's own. */
  readonly closesAfterEnd?: boolean
  /** What the client got in place of the reply, of which nothing had been sent: the strict lane's only. */
  readonly refused?: { readonly status: number; readonly length: number } | undefined
}

/** What belongs to one `ws` call; handed back by `upgrade`. */
export type EngineSocketContext = object

/** Lives until the `close` handler of its behaviour has run, and throws when it is touched later. */
export interface EngineSocket {
  /** 1 sent, 0 waits for the reader, 2 dropped: more than `maxBackpressure` waits already. */
  send(message: Sendable, isBinary: boolean, compress: boolean): number
  getBufferedAmount(): number
  /** Sends a Close frame; the `close` handler runs before it returns. */
  end(code: number, reason: string): void
  getUserData(): unknown
}

/** Limits and handlers of the sockets of one `ws` call. `message` is neutered when its handler returns. */
export interface EngineSocketBehavior {
  /** A longer message cuts the connection, without a Close frame. */
  readonly maxPayloadLength: number
  readonly maxBackpressure: number
  /** Seconds, 8 to 960. */
  readonly idleTimeout: number
  readonly sendPingsAutomatically: boolean
  readonly compression: number
  upgrade(res: EngineResponse, req: EngineRequest, context: EngineSocketContext): void
  open(socket: EngineSocket): void
  message(socket: EngineSocket, message: ArrayBuffer, isBinary: boolean): void
  drain(socket: EngineSocket): void
  /** 1006 with the engine's own words as reason where the connection was cut. */
  close(socket: EngineSocket, code: number, reason: ArrayBuffer): void
}

/** A listening socket; closing it is all that can be done with it. */
export type ListenSocket = object

export interface EngineApp {
  /** GET in capitals only; `any` gets all else. */
  get(pattern: string, handler: (res: EngineResponse, req: EngineRequest) => void): EngineApp
  any(pattern: string, handler: (res: EngineResponse, req: EngineRequest) => void): EngineApp
  /** Requests with a Sec-WebSocket-Key of 24 characters, before any `get`; `upgrade` may yield. */
  ws(pattern: string, behavior: EngineSocketBehavior): EngineApp
  listen(
    host: string,
    port: number,
    options: number,
    done: (socket: ListenSocket | false) => void,
  ): EngineApp
  listen(port: number, options: number, done: (socket: ListenSocket | false) => void): EngineApp
  /**
   * 1 for each connection, -1 for each that ends, whose address nobody knows any more; the end of one that has become a
   * WebSocket is not told.
   */
  filter(handler: (res: EngineResponse, change: number) => void): EngineApp
  /** Takes an accepted connection over: its descriptor is the engine's from here on. */
  adoptSocket(fd: number): EngineApp
  /** Closes listening sockets and all connections at once. */
  close(): EngineApp
}

export interface Engine {
  App(): EngineApp
  /** `silent` leaves out the `uWebSockets: 20` field. */
  _cfg(setting: 'silent'): void
  us_listen_socket_close(socket: ListenSocket): void
  us_socket_local_port(socket: ListenSocket): number
  /** Of `compression`. */
  readonly DISABLED: number
  readonly SHARED_COMPRESSOR: number
  /** Do not share the port with another process. */
  readonly LIBUS_LISTEN_DEFAULT: number
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number
}
