/**
 * Ends a connection so that the last reply arrives: a socket that is closed with bytes unread is reset,
 * and a reset can overtake the reply (RFC 9112 section 9.6). Called by the strict lane.
 */
import type { Socket } from 'node:net'

/** How long a client may go on sending after its last reply, in milliseconds. */
const LINGER_MS = 2_000

/** Sends `bytes`, closes this side, and lets go when the client has closed its own or time is up. */
export function endLingering(socket: Socket, bytes?: Uint8Array): void {
  if (socket.destroyed) return
  // Who resets it has its reply, or wants none.
  socket.on('error', () => {})
  if (socket.writable) {
    if (bytes === undefined) socket.end()
    else socket.end(bytes)
  }
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  timer.unref()
  socket.once('end', () => socket.destroy())
  socket.once('close', () => clearTimeout(timer))
  socket.resume()
}
