/** A target → a connected socket, inside TLS where the target wants it. Used by `login.ts` and `cancel.ts`. */
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type DatabaseTarget, socketPath } from '../url.ts'
import { ConnectionLost } from './lost.ts'

/** SSLRequest (PostgreSQL 18, section 54.7): its length and its number. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])
/** A network that forgets idle connections, or a peer that is gone, is noticed by then. */
const KEEP_ALIVE_MS = 30_000

/** Rejects with what the system says. `onSocket` gets every socket that is made, to destroy it when time is up. */
export async function dial(
  target: DatabaseTarget,
  onSocket: (socket: Socket) => void,
): Promise<Socket> {
  const path = socketPath(target)
  const plain = path === undefined ? connect(target.port, target.host) : connect(path)
  onSocket(plain)
  if (path === undefined) plain.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS)
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

class TlsRefused extends Error {
  readonly code = 'CONNECTION_CLOSED'

  constructor() {
    super('the server does not speak TLS, which sslmode asks for')
  }
}
