/**
 * A WebSocket (RFC 6455) as a site sees it: handlers by event, and the socket that they get. `route/`
 * takes the handlers of a URL, `server/` makes the sockets.
 */
import { createError } from '../core/errors.ts'
import { Reply } from './reply.ts'
import type { Request } from './request.ts'

/** A string is a text message, bytes are a binary one. They are copied. */
export type SocketMessage = string | Uint8Array

/** One open WebSocket. `P` is the type of the route's parameters, `D` of what `authenticate` returned. */
export interface Socket<P = Record<string, unknown>, D = unknown> {
  /**
   * The handshake: its fields, cookies, query, address and services can be read as long as you like.
   * Statements, `atomic` and `rooms` take it as they take any request, also after the socket has closed.
   */
  readonly request: Request<P>
  /** Values of the route's `<converter:name>` parts. */
  readonly params: P
  /** What `authenticate` returned. */
  readonly data: D
  /** The subprotocol that was agreed on; empty for none. */
  readonly protocol: string
  /** False once either side has closed; nothing is sent from then on. */
  readonly isOpen: boolean
  /** Fires when the socket has closed, for whatever reason. */
  readonly signal: AbortSignal
  /** Bytes that wait for a slow reader. */
  readonly bufferedBytes: number
  /** Rooms that were joined, in no order. */
  readonly rooms: readonly string[]
  /**
   * Sends a message. False when it was not taken: the socket is closed, or its reader is too slow (see
   * `slowReaders`). Throws UWAS_ERR_HTTP_SOCKET for what is no message.
   */
  send(message: SocketMessage): boolean
  /** From now on gets what is published to `room`; leaving happens by itself when the socket closes. */
  join(room: string): void
  /** Gets no more of what is published to `room`. */
  leave(room: string): void
  /** Sends to all others in `room`, whether or not this socket is in it. */
  publish(room: string, message: SocketMessage): void
  /**
   * Closes with `code` (default 1000) and `reason` (default none, up to 123 bytes of UTF-8). What was sent
   * before still arrives. Codes are 1000 to 1003, 1007 to 1014 and 3000 to 4999 (RFC 6455 section 7.4), else
   * UWAS_ERR_HTTP_SOCKET. On a closed socket it does nothing.
   */
  close(code?: number, reason?: string): void
}

/**
 * What a site does with the sockets of a URL. One thing at a time happens to a socket: while `open` or
 * `message` has not resolved, what comes next waits. An error that is thrown or rejected with is logged and
 * closes its socket with 1011.
 */
export interface SocketHandlers<P = Record<string, unknown>, D = unknown> {
  /**
   * Before the handshake is accepted, inside the site's middleware: what it returns becomes `socket.data`.
   * A `Reply` that it returns, or an error that it throws, refuses.
   */
  readonly authenticate?: (req: Request<P>) => D | Reply | Promise<D | Reply>
  readonly open?: (socket: Socket<P, D>) => void | Promise<void>
  /** Text comes as a string, binary as bytes that are yours. Without it, what clients send is dropped. */
  readonly message?: (socket: Socket<P, D>, message: SocketMessage) => void | Promise<void>
  /** A slow reader has caught up with a part of what waits; see `bufferedBytes`. */
  readonly drain?: (socket: Socket<P, D>) => void | Promise<void>
  /**
   * Once for each socket that was open, after all else. `code` is that of the side that closed first; 1005 stands for
   * none, 1006 for a connection that was cut or that fell silent. 1002, 1007 and 1009 with a reason of the
   * server mean that the client broke the rules.
   */
  readonly close?: (socket: Socket<P, D>, code: number, reason: string) => void | Promise<void>
}

/** Limits and manners of the sockets of one URL. */
export interface SocketOptions {
  /**
   * Sites whose pages may connect: `'same'` is the site itself, by the host of the request (that of
   * `req.client`, so a trusted proxy may tell it); `'*'` all; else origins such as
   * `https://example.com`. A client that sends no Origin is no browser, and may. Default `'same'`.
   */
  readonly origins?: 'same' | '*' | readonly string[]
  /** Subprotocols that the site speaks; of those that the client offers, its favourite is taken. Default none. */
  readonly protocols?: readonly string[]
  /** Longest message that is taken; a longer one closes the socket with 1009. Default 65,536. */
  readonly maxMessageBytes?: number
  /**
   * What may wait for a slow reader; `slowReaders` says what happens to a message that does not fit. A longer
   * message is sent where nothing else waits. Default 1,048,576.
   */
  readonly maxBackpressureBytes?: number
  /** `close` closes the socket with 1013; `drop` leaves out messages until it has caught up. Default `close`. */
  readonly slowReaders?: 'close' | 'drop'
  /** A socket from which nothing comes for so long is closed; 8 to 960. Default 120. */
  readonly idleTimeoutSeconds?: number
  /** Pings in time, so that only a client that has gone falls silent. Default true. */
  readonly sendPings?: boolean
  /** Compresses messages of 1 KiB and more for clients that offer it (RFC 7692). Default false. */
  readonly compress?: boolean
}

/** Handlers and options of one URL, checked, with every default filled in. */
export interface SocketDefinition {
  readonly handlers: SocketHandlers
  readonly options: Required<SocketOptions>
}

/** Accepts a handshake: `server/` makes a socket of the connection. Never written as it is. */
export class SocketReply extends Reply {
  readonly definition: SocketDefinition
  /** Becomes `socket.data`. */
  readonly data: unknown
  readonly protocol: string

  constructor(definition: SocketDefinition, data: unknown, protocol: string) {
    super(101, null, null)
    this.definition = definition
    this.data = data
    this.protocol = protocol
  }
}

/** A reason shares a control frame of 125 bytes with its code (RFC 6455 section 5.5). */
const MAX_REASON_BYTES = 123

/** Throws UWAS_ERR_HTTP_SOCKET unless an endpoint may send them (RFC 6455 section 7.4). */
export function checkClose(code: number, reason: string): void {
  if (!isSendable(code)) {
    const problem = `code ${code} is none of 1000 to 1003, 1007 to 1014 and 3000 to 4999`
    throw createError('UWAS_ERR_HTTP_SOCKET', { call: 'close', problem })
  }
  const length = typeof reason === 'string' ? Buffer.byteLength(reason) : Number.NaN
  if (!(length <= MAX_REASON_BYTES)) {
    const problem = Number.isNaN(length)
      ? `the reason is of type ${typeof reason}, not a string`
      : `the reason has ${length} bytes; ${MAX_REASON_BYTES} at most`
    throw createError('UWAS_ERR_HTTP_SOCKET', { call: 'close', problem })
  }
}

function isSendable(code: number): boolean {
  if (!Number.isInteger(code)) return false
  return (
    (code >= 1000 && code <= 1003) ||
    (code >= 1007 && code <= 1014) ||
    (code >= 3000 && code <= 4999)
  )
}

/** Throws UWAS_ERR_HTTP_SOCKET; `call` is the one that was made. */
export function checkMessage(call: string, message: unknown): void {
  if (typeof message === 'string' || message instanceof Uint8Array) return
  const kind = message === null ? 'null' : typeof message
  const problem = `the message is of type ${kind}; give a string or a Uint8Array`
  throw createError('UWAS_ERR_HTTP_SOCKET', { call, problem })
}

/** Throws UWAS_ERR_HTTP_SOCKET. */
export function checkRoom(call: string, room: unknown): void {
  if (typeof room === 'string' && room !== '') return
  const problem = `the room is ${room === '' ? 'empty' : `of type ${typeof room}`}; give it a name`
  throw createError('UWAS_ERR_HTTP_SOCKET', { call, problem })
}
