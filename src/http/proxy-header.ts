/**
 * The header of the PROXY protocol, versions 1 and 2 (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt), by
 * which a load balancer tells whose connection it hands on. Pure: the first bytes of a connection in, what they say out.
 */
import { isIP } from 'node:net'

/** `none`: they are something else. `more`: it goes on. `bad`: it begins as one and is none. */
export type ProxyHeader = 'none' | 'more' | 'bad' | ProxiedFor

export interface ProxiedFor {
  /** Bytes of the header; the connection's own come behind it. */
  readonly length: number
  /** Null: the balancer speaks for itself, or does not know. */
  readonly address: string | null
}

const V1 = Buffer.from('PROXY ')
/** With its CRLF: section 2.1. */
const MAX_V1_BYTES = 107
const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const V2_HEAD_BYTES = 16
/** Addresses and what balancers add to them: certificates of clients are the longest. */
const MAX_V2_BYTES = 4096
const LOCAL = 0x20
const PROXY = 0x21
/** Family and transport: unspecified, TCP over IPv4, over IPv6, a Unix socket. */
const UNSPECIFIED = 0x00
const TCP4 = 0x11
const TCP6 = 0x21
const UNIX = 0x31

export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (isBeginning(bytes, V1)) return bytes.length < V1.length ? 'more' : readText(bytes)
  if (isBeginning(bytes, V2)) return bytes.length < V2_HEAD_BYTES ? 'more' : readBinary(bytes)
  return 'none'
}

function isBeginning(bytes: Buffer, whole: Buffer): boolean {
  const length = Math.min(bytes.length, whole.length)
  return bytes.subarray(0, length).equals(whole.subarray(0, length))
}

/** `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443`, or `PROXY UNKNOWN` and whatever follows. */
function readText(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, MAX_V1_BYTES).indexOf('\r\n')
  if (end < 0) return bytes.length < MAX_V1_BYTES ? 'more' : 'bad'
  const length = end + 2
  const [, family = '', ...rest] = bytes.toString('latin1', 0, end).split(' ')
  if (family === 'UNKNOWN') return { length, address: null }
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : 0
  const [from = '', to = '', ...ports] = rest
  const isWhole =
    version > 0 && isIP(from) === version && isIP(to) === version && !from.includes('%')
  if (!isWhole || ports.length !== 2 || !ports.every(isPort)) return 'bad'
  return { length, address: version === 6 ? plain(from) : from }
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535
}

function readBinary(bytes: Buffer): ProxyHeader {
  const command = bytes[12]
  const length = V2_HEAD_BYTES + bytes.readUInt16BE(14)
  if ((command !== LOCAL && command !== PROXY) || length > MAX_V2_BYTES) return 'bad'
  if (bytes.length < length) return 'more'
  if (command === LOCAL) return { length, address: null }
  const addresses = bytes.subarray(V2_HEAD_BYTES, length)
  switch (bytes[13]) {
    case TCP4:
      if (addresses.length < 12) return 'bad'
      return { length, address: addresses.subarray(0, 4).join('.') }
    case TCP6:
      if (addresses.length < 36) return 'bad'
      return { length, address: textOf(addresses) }
    case UNSPECIFIED:
    case UNIX:
      return { length, address: null }
    default:
      return 'bad'
  }
}

function textOf(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16))
  return plain(groups.join(':'))
}

const MAPPED = /^::ffff:([\da-f]+):([\da-f]+)$/

/** As logs, limits and rules have the peers of other connections: IPv6 is short, and IPv4 within it is IPv4. */
function plain(address: string): string {
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const words = MAPPED.exec(short)?.slice(1)
  if (words === undefined) return short
  return words
    .map((word) => Number.parseInt(word, 16))
    .flatMap((word) => [word >> 8, word & 0xff])
    .join('.')
}
