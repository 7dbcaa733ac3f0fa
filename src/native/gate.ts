/**
 * The gate of the addon: an address comes in, accepted connections come out, each with the lane that its
 * first request belongs to. Nothing of a connection has been read when it is handed over. Called by
 * `server/`; made by `skin.ts`.
 */
import { closeSync } from 'node:fs'
import type { ConnectionCounts, RawCounts } from './connection-counts.ts'
import type { About } from './skin.ts'

/** `pipelined`: ordinary, with a further request behind the first. `strict`: anything but ordinary. */
export type Lane = 'native' | 'pipelined' | 'strict'

/** By the numbers of native/binding/accept.cc. */
const LANES: readonly Lane[] = ['native', 'pipelined', 'strict']

/** Where to listen. */
export interface GateAddress {
  /** Name or address; without one, all addresses of both IP versions. */
  readonly host?: string | undefined
  /** 0 takes any free port. */
  readonly port: number
  /** Connections that may wait in the kernel. Default 512. */
  readonly backlog?: number
  /** Several sockets share the address (SO_REUSEPORT). Default false. */
  readonly reusePort?: boolean
}

/** A listening socket: a descriptor that its owner closes, and the port that it has. */
export interface Listening {
  readonly fd: number
  readonly port: number
}

/** Where a unix socket listens. */
export interface PathAddress {
  readonly path: string
  /** Its permissions: who may write may connect. Default 0o666. */
  readonly mode?: number
  /** Connections that may wait in the kernel. Default 512. */
  readonly backlog?: number
}

/** Of a descriptor: a listening socket, a stream socket that does not listen (`deaf`), or something else. */
export type SocketKind = 'tcp' | 'unix' | 'deaf' | 'none'

/**
 * What is called for each connection: its owner is the callee from here on, who closes `fd`. `paths` are those of
 * `pipelined` requests as sent, with a blank between two, where all are whole, by GET or HEAD and without content; else empty.
 */
export type OnConnection = (fd: number, lane: Lane, paths: string) => void

/** A gate that is open. */
export interface Acceptor {
  /** Accepts no further connection; those whose first request has not come whole go on. */
  stop(): void
  /** How many of those there are. */
  waiting(): number
  /** Hands over those that have sent something, closes the others; nothing is called any more. */
  close(): void
}

/** What the gate makes of the first bytes of a connection. */
export interface Judgement {
  readonly lane: Lane
  /** Offset of the line that decided: of `strict` the one that is not plainly ordinary, else the end of the head. */
  readonly line: number
}

export interface Gate {
  /**
   * A listening TCP socket, not inherited by child processes. Throws UWAS_ERR_NATIVE_LISTEN; its
   * `cause` has the system's `errno`.
   */
  listen(address: GateAddress): Listening
  /**
   * A listening unix socket, which takes the place of one that nobody listens on any more, and of nothing else. Its port
   * is 0. Throws UWAS_ERR_NATIVE_LISTEN, as `listen` does.
   */
  listenPath(address: PathAddress): Listening
  kindOf(fd: number): SocketKind
  /**
   * Accepts from the listening socket `fd`, which stays the caller's. A connection is looked at
   * (MSG_PEEK) until its first head is whole, for at most 1 s and `maxHeadBytes`: one that is not
   * plainly ordinary by then is `strict`, and so is that of a client known to pipeline later (apt). One that is silent for
   * 10 s is closed. Where `counts` have no room for a connection, it is closed before anything else is done for it.
   */
  accept(
    fd: number,
    maxHeadBytes: number,
    onConnection: OnConnection,
    counts?: ConnectionCounts | null,
  ): Acceptor
  /**
   * Bounds what the kernel takes of a reply and cannot send yet to 256 KiB, for all connections that the listening socket
   * `fd` accepts from now on (TCP_NOTSENT_LOWAT of tcp(7)): else it takes up to 4 MiB at once, and a slow reader cannot be
   * told from one that stands still. What is on its way is not bounded. Nothing for a unix socket.
   */
  boundUnsent(fd: number): void
  /** The other end of the connection `fd` as `address port`; empty when it is none, or none any more. */
  peerOf(fd: number): string
}

/** The lane of a connection that sends just these bytes, as `accept` with the same `maxHeadBytes` has it. */
export type Judge = (bytes: Uint8Array, maxHeadBytes: number) => Judgement

/** The addon's functions without words. */
export interface RawGate {
  listen(host: string, port: number, backlog: number, reusePort: boolean): Listening
  listenPath(path: string, mode: number, backlog: number): number
  socketKind(fd: number): SocketKind
  peerOf(fd: number): string
  boundUnsent(fd: number): void
  judge(bytes: Uint8Array, maxHeadBytes: number): [lane: number, line: number]
  /** The batch is flat: descriptor, number of the lane, paths, and so on. */
  accept(
    fd: number,
    maxHeadBytes: number,
    onConnections: (batch: (number | string)[]) => void,
    counts?: RawCounts,
  ): Acceptor
}

/** `inWords` gives a failure of the addon its message. */
export function createGate(
  { listen, listenPath, socketKind, accept, peerOf, boundUnsent }: Partial<RawGate>,
  inWords: (error: unknown, about: About) => unknown,
): Gate | null {
  if (listen === undefined || listenPath === undefined || socketKind === undefined) return null
  if (accept === undefined || peerOf === undefined || boundUnsent === undefined) return null
  return {
    listen({ host = '', port, backlog = 512, reusePort = false }) {
      try {
        return listen(host, port, backlog, reusePort)
      } catch (error) {
        const subject = `${host === '' ? '*' : host}:${port}`
        throw inWords(error, { subject, root: '', expected: '' })
      }
    },
    listenPath({ path, mode = 0o666, backlog = 512 }) {
      try {
        return { fd: listenPath(path, mode, backlog), port: 0 }
      } catch (error) {
        throw inWords(error, { subject: path, root: '', expected: '' })
      }
    },
    kindOf: socketKind,
    boundUnsent,
    accept(fd, maxHeadBytes, onConnection, counts) {
      const take = (batch: (number | string)[]): void => {
        for (let i = 0; i < batch.length; i += 3) {
          const lane = LANES[batch[i + 1] as number] as Lane
          onConnection(batch[i] as number, lane, batch[i + 2] as string)
        }
      }
      return accept(fd, maxHeadBytes, take, counts?.raw)
    },
    peerOf,
  }
}

export function createJudge({ judge }: Partial<RawGate>): Judge | null {
  if (judge === undefined) return null
  return (bytes, maxHeadBytes) => {
    const [lane, line] = judge(bytes, maxHeadBytes)
    return { lane: LANES[lane] as Lane, line }
  }
}

/** Closes a listening socket. */
export function closeListening({ fd }: Listening): void {
  closeSync(fd)
}
