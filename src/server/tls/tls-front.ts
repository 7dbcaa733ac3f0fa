/**
 * Listens for TLS. Connections come in; what they say is deciphered and leaves for the strict lane, or by ALPN for
 * HTTP/2. Whoever speaks without TLS is told so. Made by `server.ts` where a site has certificates.
 */
import { createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net'
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type TLSSocket,
  type TlsOptions,
  type Server as TlsServer,
} from 'node:tls'
import { loadNative } from '../../native/load.ts'
import { normalizeHost } from '../../route/host-pattern.ts'
import type { ConnectionLimits } from '../connection-limits.ts'
import { isHost } from '../fences.ts'
import { Http2Lane } from '../http2/http2-lane.ts'
import { endLingering } from '../linger.ts'
import { cannotListen } from '../listen-error.ts'
import type { NativeLane } from '../native-lane.ts'
import { peerOf } from '../node-response.ts'
import { PROXY_SENDERS, ProxyHeaders } from '../proxy-senders.ts'
import type { SocketLane } from '../socket-lane.ts'
import { StrictLane } from '../strict-lane.ts'
import type { Certificate } from './certificate.ts'
import type { Certificates } from './certificates.ts'
import type { CertificateEnd } from './expiry.ts'
import { policyOptions } from './policy.ts'
import { TicketKeys } from './ticket-keys.ts'

/** The lanes that answer: by TLS, and in clear for those who knock at the wrong door. */
export interface TlsLanes {
  readonly secure: NativeLane
  readonly clear: NativeLane
}

export interface TlsFrontOptions {
  readonly certificates: Certificates
  /** Longest block of request line and fields, in bytes. */
  readonly maxHeaderBytes: number
  /** Whether clients that can have HTTP/2. */
  readonly http2: boolean
  /** Of the site's WebSockets. Default: their URLs answer 426. */
  readonly sockets?: SocketLane | undefined
  /** Whether who asks for a name that no certificate is for, or for none, gets no handshake. Default false. */
  readonly refusesUnknown?: boolean
  /** Default: this server's own. */
  readonly tickets?: TicketKeys | undefined
  /** Default: for any number of connections. */
  readonly limits?: ConnectionLimits | null
  /** Until its first byte, and from there to the end of its handshake, in milliseconds. Default 10,000. */
  readonly handshakeTimeoutMs?: number
}

/** A listening socket as Node has it. */
export type ListeningHandle = object

const HANDSHAKE_TIMEOUT_MS = 10_000
/** How often it is asked whether the key of tickets has changed. */
const RENEW_KEY_MS = 60_000
/** ContentType of RFC 8446 section 5.1: a connection by TLS begins with it. */
const HANDSHAKE = 22
const METHOD = /^[A-Z]{2,}/
const HINT = 'This port speaks TLS: the URL begins with https://\n'

export class TlsFront {
  readonly #lanes: TlsLanes
  readonly #certificates: Certificates
  readonly #refusesUnknown: boolean
  readonly #tickets: TicketKeys
  readonly #ticketTimer: NodeJS.Timeout
  readonly #strict: StrictLane
  readonly #http2: Http2Lane | null
  readonly #headers: ProxyHeaders
  /** Clients of connections that a balancer has handed on, by the socket below TLS. */
  readonly #clients: WeakMap<Socket, string>
  readonly #server: TlsServer
  readonly #timeoutMs: number
  readonly #limits: ConnectionLimits | null
  readonly #listening: Set<NetServer>
  /** All connections, by their sockets below TLS. */
  readonly #open: Set<Socket>
  /** What each connection has been shown. */
  readonly #shown: WeakMap<Socket, Certificate>
  /** Connections without a whole handshake. */
  #waiting: number

  constructor(lanes: TlsLanes, options: TlsFrontOptions) {
    const { certificates, maxHeaderBytes, sockets } = options
    this.#lanes = lanes
    this.#certificates = certificates
    this.#refusesUnknown = options.refusesUnknown ?? false
    this.#tickets = options.tickets ?? new TicketKeys()
    this.#timeoutMs = options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS
    this.#limits = options.limits ?? null
    this.#listening = new Set()
    this.#open = new Set()
    this.#headers = new ProxyHeaders()
    this.#clients = new WeakMap()
    this.#shown = new WeakMap()
    this.#waiting = 0
    const isFor = (socket: Socket, host: string): boolean => this.#isFor(socket, host)
    this.#strict = new StrictLane(lanes.secure, { maxHeaderBytes, sockets, secure: { isFor } })
    this.#http2 = options.http2 ? new Http2Lane(lanes.secure, { maxHeaderBytes, isFor }) : null
    this.#server = this.#createServer(certificates)
    const renewKey = (): void => void this.#server.setTicketKeys(this.#tickets.current())
    this.#ticketTimer = setInterval(renewKey, RENEW_KEY_MS).unref()
  }

  /** Listens by itself; resolves to the port. Rejects with UWAS_ERR_SERVER_LISTEN. */
  async listen(address: { readonly host?: string | undefined; readonly port: number }) {
    const { host, port } = address
    const server = this.#createListener()
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => void cannotListen(address, error).then(reject))
      server.listen({ port, ...(host !== undefined && { host }) }, resolve)
    })
    return (server.address() as { readonly port: number }).port
  }

  /** Accepts from the listening socket `handle`, which becomes its own, until what it returns is called. */
  accept(handle: ListeningHandle): () => void {
    const server = this.#createListener()
    // Its owner has found the address free.
    server.on('error', (error) => {
      this.#lanes.secure.application.log.error('accepting connections for TLS failed', error)
    })
    server.listen(handle)
    return () => this.#stopListening(server)
  }

  /** Accepts nothing more; connections that are open go on. */
  stop(): void {
    for (const server of this.#listening) this.#stopListening(server)
    this.#http2?.drain()
  }

  certificateEnds(): readonly CertificateEnd[] {
    return this.#certificates.ends()
  }

  /** All that are open. */
  get connections(): number {
    return this.#open.size
  }

  /** Connections that have not said yet what they want. */
  busy(): number {
    return this.#waiting + this.#headers.waiting
  }

  /** Replies that have not left completely. */
  sending(): number {
    return this.#strict.active + (this.#http2?.active ?? 0)
  }

  /** Closes all connections at once, and follows no certificate any more. */
  close(): void {
    this.stop()
    this.#certificates.close()
    clearInterval(this.#ticketTimer)
    this.#strict.close()
    this.#http2?.close()
    for (const socket of this.#open) socket.destroy()
  }

  #createServer(certificates: Certificates): TlsServer {
    const server = createTlsServer({
      ...this.#contextOptions(),
      ALPNProtocols: this.#http2 === null ? ['http/1.1'] : ['h2', 'http/1.1'],
      handshakeTimeout: this.#timeoutMs,
      SNICallback: (name, done) => {
        const found = this.#refusesUnknown ? certificates.named(name) : certificates.find(name)
        if (found === undefined) done(new Error(`no certificate is for ${name}`))
        else done(null, found.context)
      },
    })
    certificates.onChange = () => server.setSecureContext(this.#contextOptions())
    server.on('secureConnection', (socket) => {
      this.#waiting--
      const shown = socket.servername ? certificates.find(socket.servername) : this.#unnamed()
      if (shown !== undefined) this.#shown.set(socket, shown)
      this.#serve(socket)
    })
    // Node has sent its alert where TLS has one; a handshake that is too slow it leaves open.
    server.on('tlsClientError', (_error, socket) => {
      this.#waiting--
      socket.destroy()
    })
    return server
  }

  /** What clients that name no host are shown. */
  #unnamed(): Certificate | undefined {
    const { all, default: first } = this.#certificates
    return this.#refusesUnknown ? all.find((one) => one.hasAddresses) : first
  }

  /** Of clients that name no host. Without a certificate they get no handshake. */
  #contextOptions(): SecureContextOptions & Pick<TlsOptions, 'ticketKeys'> {
    const { policy } = this.#certificates
    const shown = this.#unnamed()
    const tickets = { ticketKeys: this.#tickets.current(), sessionIdContext: 'uwas' }
    return { ...policyOptions(policy), ...shown?.material, ...tickets }
  }

  #createListener(): NetServer {
    const server = createNetServer({ allowHalfOpen: true, noDelay: true })
    server.on('connection', (socket) => this.#accept(socket))
    server.on('listening', () => boundUnsent(server))
    this.#listening.add(server)
    return server
  }

  #stopListening(server: NetServer): void {
    if (!this.#listening.delete(server)) return
    server.close()
  }

  #accept(socket: Socket): void {
    if (this.#limits?.admits(socket) === false) return void socket.destroy()
    const senders = this.#lanes.secure.application.services.find(PROXY_SENDERS)
    if (!senders?.has(socket)) return this.#take(socket)
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    this.#headers.read(socket, () => {
      const { remoteAddress } = socket
      if (this.#limits?.admitsClient(socket) === false) return void socket.destroy()
      if (remoteAddress !== undefined) this.#clients.set(socket, remoteAddress)
      this.#take(socket)
    })
  }

  /** Its first byte tells whether it speaks TLS; what costs memory begins behind it. */
  #take(socket: Socket): void {
    this.#waiting++
    this.#open.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => this.#open.delete(socket))
    const onSilent = (): void => {
      clearTimeout(timer)
      socket.destroy()
      this.#waiting--
      socket.off('close', onSilent)
    }
    const timer = setTimeout(onSilent, this.#timeoutMs)
    socket.once('close', onSilent)
    socket.once('end', onSilent)
    socket.once('data', (bytes: Buffer) => {
      clearTimeout(timer)
      socket.off('close', onSilent)
      socket.off('end', onSilent)
      if (bytes[0] === HANDSHAKE) {
        socket.pause()
        socket.unshift(bytes)
        this.#server.emit('connection', socket)
      } else {
        this.#waiting--
        this.#refuseClear(socket, bytes)
      }
    })
  }

  #refuseClear(socket: Socket, bytes: Buffer): void {
    if (METHOD.test(bytes.toString('latin1', 0, 8))) {
      const { clear } = this.#lanes
      endLingering(socket, clear.refusalBytes(400, HINT))
      clear.records.senseless(400, peerOf(socket), HINT)
    } else socket.destroy()
  }

  #serve(socket: TLSSocket): void {
    socket.on('error', () => {})
    const below = belowTls(socket)
    const client = below && this.#clients.get(below)
    if (client !== undefined) Object.defineProperty(socket, 'remoteAddress', { value: client })
    if (this.#http2 !== null && socket.alpnProtocol === 'h2') this.#http2.adopt(socket)
    else this.#strict.adopt(socket)
  }

  /**
   * Whether the certificate of a connection is for the host of a request on it: a client may ask for what another site
   * has on a connection that it has for this one, and 421 tells it to open another (RFC 9110 section 15.5.20). A client
   * that has named no host in its handshake, as old ones and checks of health do, cannot be held to one, so that it gets
   * what it asks for; but where unknown names are refused it has been let in for a certificate of addresses, and for
   * what that one is for alone: else leaving the name out would lead past the refusal. A host that the site does not
   * answer for at all is left to the lane, which does as `unknownHosts` says.
   */
  #isFor(socket: Socket, host: string): boolean {
    const { servername } = socket as TLSSocket
    if (!isHost(host) || (!servername && !this.#refusesUnknown)) return true
    const { hosts } = this.#lanes.secure.application
    if (hosts !== null && !hosts.allows(host)) return true
    const name = normalizeHost(host)
    const isNamed = servername && name === normalizeHost(servername)
    return isNamed || (this.#shown.get(socket)?.covers(name) ?? true)
  }
}

/** As the gate does it for connections in clear. Node has no word for the descriptor. */
function boundUnsent(server: NetServer): void {
  const { _handle: handle } = server as { _handle?: { readonly fd?: number } | null }
  if (handle?.fd !== undefined) loadNative().gate?.boundUnsent(handle.fd)
}

/** Node has no word for it. By its ends one of two to different addresses would be taken for the other, or one of two by unix sockets. */
function belowTls(socket: TLSSocket): Socket | undefined {
  return (socket as { _parent?: Socket })._parent
}
