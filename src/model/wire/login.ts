/**
 * From a target to a connection that is logged in and idle. The log-in itself (passwords, SCRAM, start-up
 * parameters) is the driver's, postgres.js; when it is done its socket is taken over. Called by
 * `connection.ts`.
 */
import type { Socket } from 'node:net'
import postgres from 'postgres'
import type { DatabaseTarget } from '../url.ts'
import type { CancelKey } from './cancel.ts'
import { dial } from './dial.ts'
import { ConnectionLost } from './lost.ts'

export interface LoginOptions {
  readonly target: DatabaseTarget
  readonly connectTimeoutMs: number
  /** Start-up parameters: settings of the session. */
  readonly settings: Readonly<Record<string, string | number>>
}

/** A session that has been logged in. */
export interface LoggedIn {
  readonly socket: Socket
  readonly key: CancelKey
  /** False where a pooler or proxy stands between: it gives a key of its own, and may give the session to others. */
  readonly isDirect: boolean
  /** It follows another server and takes no writes. */
  readonly isStandby: boolean
}

/** Rejects with what the system, the driver or PostgreSQL says; nothing is left open then. */
export async function login(options: LoginOptions): Promise<LoggedIn> {
  const { connectTimeoutMs } = options
  let socket: Socket | undefined
  let giveUp: (error: Error) => void = () => {}
  const timeout = new Promise<never>((_, reject) => {
    giveUp = reject
  })
  const timer = setTimeout(() => giveUp(new ConnectTimeout(connectTimeoutMs)), connectTimeoutMs)
  try {
    return await Promise.race([
      dial(options.target, (made) => {
        socket = made
      }).then((made) => handshake(made, options)),
      timeout,
    ])
  } catch (error) {
    socket?.destroy()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

const WATCHED = ['data', 'error', 'close', 'drain'] as const

/** Lets the driver log in over the socket, then takes its listeners off again. */
async function handshake(socket: Socket, { target, settings }: LoginOptions): Promise<LoggedIn> {
  // Between two owners nobody else would hear of an error, and Node ends the process for that.
  socket.on('error', () => {})
  const before = new Map(WATCHED.map((event) => [event, socket.listeners(event)]))
  let isTaken = false
  const options = {
    host: target.host,
    port: target.port,
    user: target.user,
    pass: target.password,
    database: target.database,
    ssl: false,
    max: 1,
    fetch_types: false,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: 0,
    onnotice: () => {},
    // The driver would dial again after a failure; here each connection has one chance.
    socket: () => {
      if (isTaken) return Promise.reject(new ConnectionLost())
      isTaken = true
      return Promise.resolve(Object.assign(socket, { host: target.host }))
    },
    connection: settings,
  }
  const driver = postgres(options as unknown as postgres.Options<Record<string, never>>)
  const asked = driver.unsafe('select pg_backend_pid() as pid, pg_is_in_recovery() as standby')
  let found: Readonly<Record<string, unknown>> = {}
  try {
    found = (await asked)[0] ?? found
  } catch (error) {
    driver.end({ timeout: 0 }).catch(() => {})
    throw error
  }
  for (const event of WATCHED) {
    for (const listener of socket.listeners(event)) {
      if (!before.get(event)?.includes(listener)) {
        socket.off(event, listener as (...args: unknown[]) => void)
      }
    }
  }
  const key = (asked as unknown as { readonly state: CancelKey }).state
  return {
    socket,
    key: { ...key },
    isDirect: key.pid === found['pid'],
    isStandby: found['standby'] === true,
  }
}

class ConnectTimeout extends Error {
  readonly code = 'CONNECT_TIMEOUT'

  constructor(timeoutMs: number) {
    super(`no connection within ${timeoutMs} ms`)
  }
}
