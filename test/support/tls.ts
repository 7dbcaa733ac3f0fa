/** Servers with TLS, and connections to them. */
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { ListenOptions } from '../../src/server/server.ts'
import { Certificates } from '../../src/server/tls/certificates.ts'
import type { Issued } from './certificates.ts'
import { type Exchanged, type RawOptions, raw } from './raw.ts'

type Tls = NonNullable<ListenOptions['tls']>

/** What `listen` takes, for these certificates on any free port. */
export async function tlsOf(all: readonly Issued[], more: Partial<Tls> = {}): Promise<Tls> {
  const certificates = await Certificates.load(all, 'intermediate')
  const off = { hsts: null, redirect: false, publicPort: null }
  return { certificates, port: 0, http2: true, ...off, ...more }
}

/** A connection with a whole handshake; rejects where there is none. */
export function dialTls(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const wanted = { port, host: '127.0.0.1', rejectUnauthorized: false, ...options }
    const socket = connect(wanted, () => resolve(socket))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed without a handshake')))
  })
}

/** As `raw`, by TLS; 0 is for `port` where there is none. */
export async function rawTls(
  port: number | null,
  request: string,
  options: RawOptions & { readonly tls?: ConnectionOptions } = {},
): Promise<Exchanged> {
  const socket = await dialTls(port ?? 0, options.tls)
  return raw(0, request, { ...options, socket })
}
