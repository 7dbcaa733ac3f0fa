/**
 * A request's fields and its peer on the native lane. They are copied out of the engine when somebody
 * first asks, or when the view's synchronous part has returned without a reply: a synchronous view that
 * reads no field pays nothing, and nobody pays for an address that is not read.
 */
import { createError } from '../core/errors.ts'
import type { Services } from '../core/services.ts'
import { type Client, findClient } from '../http/forwarded.ts'
import type { FieldSource } from '../http/request.ts'
import { formatAddress, readAddress } from './address-text.ts'
import type { EngineRequest, EngineResponse } from './engine-types.ts'
import type { PeerAddresses } from './local-peers.ts'

/** An exchange that has not ended with the view's synchronous part. */
interface Lasting {
  readonly isDone: boolean
  readonly aborted: boolean
}

export class NativeFields implements FieldSource {
  #req: EngineRequest | null
  #res: EngineResponse | null
  #entries: [name: string, value: string][] | null
  #address: ArrayBuffer | null
  /** The address where the engine has none. */
  #known: string
  /** Whose end takes the response away. */
  #exchange: Lasting | null
  readonly #peers: PeerAddresses | null
  readonly #acceptEncoding: string

  /** `acceptEncoding` is what the scan of the request has found: every page asks for it. */
  constructor(
    req: EngineRequest,
    res: EngineResponse,
    acceptEncoding: string,
    peers: PeerAddresses | null,
  ) {
    this.#req = req
    this.#res = res
    this.#entries = null
    this.#address = null
    this.#known = ''
    this.#exchange = null
    this.#peers = peers
    this.#acceptEncoding = acceptEncoding
  }

  /** An empty field is undefined. */
  get(name: string): string | undefined {
    if (name === 'accept-encoding') return this.#acceptEncoding || undefined
    let joined: string | undefined
    const separator = name === 'cookie' ? '; ' : ', '
    for (const [other, value] of this.entries()) {
      if (other !== name || value === '') continue
      joined = joined === undefined ? value : joined + separator + value
    }
    return joined
  }

  /** Throws UWAS_ERR_SERVER_REQUEST_OVER when the request was answered before anybody asked. */
  entries(): [name: string, value: string][] {
    if (this.#entries === null) {
      if (this.#req === null) throw createError('UWAS_ERR_SERVER_REQUEST_OVER', {})
      const entries: [string, string][] = []
      this.#req.forEach((name, value) => {
        entries.push([name, value])
      })
      this.#entries = entries
    }
    return this.#entries
  }

  /** The peer's address as text, empty when nobody asked before the peer went; throws as `entries`. */
  address(): string {
    if (this.#address === null) {
      if (this.#exchange?.aborted) return ''
      if (this.#res === null || this.#exchange?.isDone) {
        throw createError('UWAS_ERR_SERVER_REQUEST_OVER', {})
      }
      this.#readAddress(this.#res)
    }
    if (this.#known !== '') return this.#known
    return formatAddress(Buffer.from(this.#address as ArrayBuffer).toString('latin1'))
  }

  /** The host that the client named, before there is a `Request` to ask; throws as `entries`. */
  hostFor(services: Services): string {
    return this.clientFor(services, false).host
  }

  /** The same for all of the client. */
  clientFor(services: Services, secure: boolean): Client {
    const address = (): string => this.address()
    return findClient(services, {
      header: (name) => this.get(name),
      get remoteAddress() {
        return address()
      },
      secure,
    })
  }

  /**
   * Copies what the engine takes back. The address, which costs a system call, is read when it is asked for, as
   * long as `exchange` lasts; null: now, for who sends a body, of which the view may wait for all before it asks
   * who that was.
   */
  detach(exchange: Lasting | null): void {
    this.entries()
    this.#req = null
    this.#exchange = exchange
    if (exchange === null && this.#res !== null) this.#readAddress(this.#res)
  }

  #readAddress(res: EngineResponse): void {
    this.#address = res.getRemoteAddressAsText()
    if (this.#address.byteLength === 0) this.#known = this.#peers?.addressOf(res) ?? ''
  }

  /** Lets go of the engine's objects without a copy: the request has been answered. */
  release(): void {
    this.#req = null
    this.#res = null
  }
}

/** The peer of `res` as text, while it may be touched. */
export function addressOf(res: EngineResponse, peers: PeerAddresses | null): string {
  // Where others know it, the engine does not, and to ask it is a system call.
  return peers?.addressOf(res) || readAddress(res)
}
