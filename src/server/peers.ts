/**
 * Addresses of connections that the engine has adopted, for builds that do not know them themselves: those
 * tell the port of a peer, so no two open connections of the engine may have the same one. Descriptors come
 * in from the gate; `NativeFields` asks.
 */
import type { Gate } from '../native/gate.ts'
import type { EngineResponse } from './engine-types.ts'
import type { PeerAddresses } from './local-peers.ts'

interface Known {
  readonly fd: number
  /** `address port` */
  readonly peer: string
  readonly address: string
}

export class Peers implements PeerAddresses {
  readonly #peerOf: Gate['peerOf']
  readonly #byPort: Map<number, Known>

  constructor({ peerOf }: Pick<Gate, 'peerOf'>) {
    this.#peerOf = peerOf
    this.#byPort = new Map()
  }

  /** False when an open connection from another address, or to another one of ours, has that port. */
  add(fd: number): boolean {
    const peer = this.#peerOf(fd)
    const port = Number(peer.slice(peer.indexOf(' ') + 1))
    const known = this.#byPort.get(port)
    // A descriptor with that very peer is that connection; with any other it has been closed since.
    if (known !== undefined && known.fd !== fd && this.#peerOf(known.fd) === known.peer)
      return false
    this.#byPort.set(port, { fd, peer, address: peer.slice(0, peer.indexOf(' ')) })
    return true
  }

  /** Empty when the connection is gone. */
  addressOf(res: Pick<EngineResponse, 'getRemotePort'>): string {
    return this.#byPort.get(res.getRemotePort?.() ?? 0)?.address ?? ''
  }
}
