/**
 * From a target to a connection that is logged in and idle. The log-in itself (passwords, SCRAM, start-up
 * parameters) is the driver's, postgres.js; when it is done its socket is taken over. Called by
 * `connection.ts`.
 */
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import postgres from 'postgres'
import { type DatabaseTarget, socketPath } from '../url.ts'
import { ConnectionLost } from './lost.ts'

export interface LoginOptions {
  readonly target: DatabaseTarget
  readonly connectTimeoutMs: number
  /** Start-up parameters: settings of the session. */
  readonly settings: Readonly<Record<string, string | number>>
}

/** SSLRequest (PostgreSQL 18, section 54.7): its length and its number. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])

/** Rejects with what the system, the driver or PostgreSQL says; nothing is left open then. */
export async function login(options: LoginOptions): Promise<Socket> {
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

/** A connected socket, inside TLS where the target wants it. `onSocket` gets every socket that is made. */
async function dial(target: DatabaseTarget, onSocket: (socket: Socket) => void): Promise<Socket> {
  const path = socketPath(target)
  const plain = path === undefined ? connect(target.port, target.host) : connect(path)
  onSocket(plain)
  plain.setNoDelay(true)
  await once(plain, 'connect')
  if (target.ssl === false || path !== undefined) return plain
  plain.write(SSL_REQUEST)
  const answer = await once(plain, 'data')
  if ((answer as Buffer).toString('latin1') !== 'S') {
    if (target.ssl === 'prefer') return plain
    throw new TlsRefused()
  }
  const secure = connectTls({
    socket: plain,
    // A name, never an address (RFC 6066 section 3).
    ...(isIP(target.host) === 0 && { servername: target.host }),
    host: target.host,
    rejectUnauthorized: target.ssl === 'verify-full',
  })
  onSocket(secure)
  await once(secure, 'secureConnect')
  return secure
}

/** Resolves with the event's value; rejects when the socket fails or ends before it. */
function once(socket: Socket, event: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onEvent = (value: unknown) => settle(() => resolve(value))
    const onError = (error: Error) => settle(() => reject(error))
    const onClose = () => settle(() => reject(new ConnectionLost()))
    const settle = (end: () => void) => {
      socket.off(event, onEvent).off('error', onError).off('close', onClose)
      end()
    }
    socket.on(event, onEvent).on('error', onError).on('close', onClose)
  })
}

const WATCHED = ['data', 'error', 'close', 'drain'] as const

/** Lets the driver log in over the socket, then takes its listeners off again. */
async function handshake(socket: Socket, { target, settings }: LoginOptions): Promise<Socket> {
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
  try {
    await driver.unsafe('select 1')
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
  return socket
}

class ConnectTimeout extends Error {
  readonly code = 'CONNECT_TIMEOUT'

  constructor(timeoutMs: number) {
    super(`no connection within ${timeoutMs} ms`)
  }
}

class TlsRefused extends Error {
  readonly code = 'CONNECTION_CLOSED'

  constructor() {
    super('the server does not speak TLS, which sslmode asks for')
  }
}
