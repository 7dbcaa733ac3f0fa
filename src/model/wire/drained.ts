/** When a socket takes more. Used by `session.ts` for COPY. */
import type { Socket } from 'node:net'

/** Resolves too when the socket is closed: whoever waits finds out then. */
export function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    if (socket.destroyed || !socket.writableNeedDrain) return resolve()
    socket.on('drain', done).on('close', done)
  })
}
