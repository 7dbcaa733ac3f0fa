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
  cork(write: () => void): EngineResponse
  /** Closes the connection at once; the abort handler runs. */
  close(): EngineResponse
  /** Empty on 20.69 when the connection was adopted. */
  getRemoteAddressAsText(): ArrayBuffer
  /** On 20.69. */
  getRemotePort?(): number
  /** A `Connection: close` field closes the connection by itself: never on the engine's own. */
  readonly closesAfterEnd?: boolean
}

/** A listening socket; closing it is all that can be done with it. */
export type ListenSocket = object

export interface EngineApp {
  /** GET in capitals only; `any` gets all else. */
  get(pattern: string, handler: (res: EngineResponse, req: EngineRequest) => void): EngineApp
  any(pattern: string, handler: (res: EngineResponse, req: EngineRequest) => void): EngineApp
  listen(
    host: string,
    port: number,
    options: number,
    done: (socket: ListenSocket | false) => void,
  ): EngineApp
  listen(port: number, options: number, done: (socket: ListenSocket | false) => void): EngineApp
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
  /** Do not share the port with another process. */
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number
}
