/**
 * Connections that a load balancer hands on: who may tell so, and whose they are. They come in with the balancer's address and leave,
 * without the header of the PROXY protocol, with that of the client. Asked by the fronts before anything is read.
 */
import type { Socket } from 'node:net'
import { createError } from '../core/errors.ts'
import type { ServiceKey } from '../core/services.ts'
import { Networks } from '../http/networks.ts'
import { readProxyHeader } from '../http/proxy-header.ts'
import { peerOf } from './node-response.ts'

/** Who is believed. */
export class ProxySenders {
  readonly #networks: Networks

  /** Throws UWAS_ERR_SERVER_PROXY_NETWORK for what is no network. */
  constructor(networks: readonly string[]) {
    this.#networks = new Networks(networks, (network) =>
      createError('UWAS_ERR_SERVER_PROXY_NETWORK', { network }),
    )
  }

  has(socket: Socket): boolean {
    return this.#networks.has(peerOf(socket))
  }
}

export const PROXY_SENDERS: ServiceKey<ProxySenders> = {
  name: 'senders of the PROXY protocol',
  hint: 'set `proxyProtocol` in uwas.config.ts',
}

/** For the header to be whole, in milliseconds. */
const TIMEOUT_MS = 10_000

/** Reads headers; what has no whole one yet is its own. */
export class ProxyHeaders {
  readonly #waiting: Set<Socket>
  readonly #timeoutMs: number

  constructor(timeoutMs = TIMEOUT_MS) {
    this.#waiting = new Set()
    this.#timeoutMs = timeoutMs
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /**
   * `next` is called once it is known whose `socket` is, which then has the client's `remoteAddress` and gives the bytes behind
   * the header first. A connection that begins without a header is the balancer's own: a look at our health.
   */
  read(socket: Socket, next: () => void): void {
    let bytes = Buffer.alloc(0)
    const give = (): void => void socket.destroy()
    const timer = setTimeout(give, this.#timeoutMs)
    const stop = (): void => {
      clearTimeout(timer)
      this.#waiting.delete(socket)
      socket.off('data', onData).off('close', stop).off('end', give).off('error', give)
    }
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk])
      const header = readProxyHeader(bytes)
      if (header === 'more') return
      stop()
      if (header === 'bad') return give()
      const { length, address } = header === 'none' ? { length: 0, address: null } : header
      if (address !== null) Object.defineProperty(socket, 'remoteAddress', { value: address })
      socket.pause()
      if (length < bytes.length) socket.unshift(bytes.subarray(length))
      next()
      socket.resume()
    }
    this.#waiting.add(socket)
    socket.on('data', onData).once('close', stop).once('end', give).on('error', give)
  }

  /** Gives up those that are still waiting. */
  close(): void {
    for (const socket of this.#waiting) socket.destroy()
  }
}
