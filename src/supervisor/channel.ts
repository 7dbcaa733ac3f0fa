/** A worker's end of the ipc channel to its supervisor. Made by `worker.ts`. */
import type { FromWorker, ToWorker } from './messages.ts'

/** A listening socket as Node hands it over; it is open while somebody holds this. */
export interface SocketHandle {
  readonly fd: number
  close(): void
}

export class Channel {
  /** Told with each message; what comes before somebody listens waits. */
  onMessage: (message: ToWorker, handle?: SocketHandle) => void

  constructor(onMessage: Channel['onMessage']) {
    this.onMessage = onMessage
    process.on('message', (message, handle) =>
      this.onMessage(message as ToWorker, handle as unknown as SocketHandle | undefined),
    )
  }

  /** Resolves when it is on its way. A supervisor that has gone is told by `disconnect`, not here. */
  tell(message: FromWorker): Promise<void> {
    return new Promise((resolve) => {
      if (process.connected) process.send?.(message, undefined, {}, () => resolve())
      else resolve()
    })
  }
}
