/** What listens for `server.ts`: the gate before both lanes, or the engine by itself. */

/** Where to listen: `host` undefined for all addresses, port 0 for any free one; or a unix socket. */
export interface FrontAddress {
  readonly host?: string | undefined
  readonly port: number
  /** Of a unix socket; then host and port do not count. */
  readonly path?: string | undefined
  /** Permissions of a unix socket. Default 0o666. */
  readonly mode?: number | undefined
  /** Whether other processes may listen there too (SO_REUSEPORT). Default false. */
  readonly isShared?: boolean
}

export interface Front {
  /** The ports that are listened on, in the order of the addresses; 0 for unix sockets. */
  readonly ports: readonly number[]
  /** Whether odd connections have a lane of their own. */
  readonly gated: boolean
  /** Accepts nothing more; connections that are open go on. */
  stop(): void
  /** Connections that have begun something beyond the replies that the lane counts itself. */
  busy(): number
  /** Open connections that the engine does not have. */
  connections(): number
  /** Closes all connections at once. */
  close(): void
}
