/**
 * Asks PostgreSQL to stop what a session is doing (PostgreSQL 18, section 54.2.8). Used by `connection.ts`,
 * for sessions that one holder has to itself: the request names a session, never a statement.
 */
import type { Socket } from 'node:net'
import type { DatabaseTarget } from '../url.ts'
import { dial } from './dial.ts'

/** What PostgreSQL has told at log-in: who may stop the session. */
export interface CancelKey {
  readonly pid: number
  readonly secret: number
}

const CANCEL_REQUEST = 80877102

/**
 * Resolves when PostgreSQL has taken note, or after `timeoutMs`. It has signalled the session before it closes
 * the socket, so what is sent to the session from then on is not hit any more.
 */
export async function requestCancel(
  target: DatabaseTarget,
  { pid, secret }: CancelKey,
  timeoutMs: number,
): Promise<boolean> {
  let socket: Socket | undefined
  const timer = setTimeout(() => socket?.destroy(), timeoutMs)
  try {
    const dialled = await dial(target, (made) => {
      socket = made
    })
    const closed = new Promise<boolean>((resolve) => {
      let isEnded = false
      dialled.on('error', () => {})
      dialled.on('end', () => {
        isEnded = true
      })
      dialled.on('close', () => resolve(isEnded))
      // Nothing comes, but without a reader the end does not either.
      dialled.resume()
    })
    const request = Buffer.alloc(16)
    request.writeInt32BE(16, 0)
    request.writeInt32BE(CANCEL_REQUEST, 4)
    request.writeInt32BE(pid | 0, 8)
    request.writeInt32BE(secret | 0, 12)
    dialled.write(request)
    return await closed
  } catch {
    return false
  } finally {
    clearTimeout(timer)
    socket?.destroy()
  }
}
