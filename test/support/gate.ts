/** The addon's gate by itself: bytes in, the lane of their connection out. */
import { closeSync } from 'node:fs'
import { connect } from 'node:net'
import type { Test } from 'tap'
import type { Gate, Lane } from '../../src/native/gate.ts'
import { closeListening } from '../../src/native/gate.ts'
import { loadNative } from '../../src/native/load.ts'

export function openGate(t: Test, maxHeadBytes: number): { laneOf(bytes: Buffer): Promise<Lane> } {
  const { listen, accept } = loadNative().gate as Gate
  const listening = listen({ host: '127.0.0.1', port: 0 })
  let take: (lane: Lane) => void = () => {}
  const acceptor = accept(listening.fd, maxHeadBytes, (fd, lane) => {
    closeSync(fd)
    take(lane)
  })
  t.teardown(() => {
    acceptor.close()
    closeListening(listening)
  })
  return {
    laneOf: (bytes) =>
      new Promise((resolve, reject) => {
        const socket = connect(listening.port, '127.0.0.1', () => socket.write(bytes))
        // It is closed without having been read.
        socket.on('error', () => {})
        const late = setTimeout(() => reject(new Error('the gate has kept it')), 60_000)
        take = (lane) => {
          clearTimeout(late)
          socket.destroy()
          resolve(lane)
        }
      }),
  }
}
