/**
 * Requests to URLs that a client has named (a feed, a picture, a hook), which must not lead inside: to this machine,
 * its network, a cloud's metadata. Addresses are judged when the connection is made, so that a name cannot mean
 * another one by then (DNS rebinding), and each redirect is judged anew.
 */
import { type LookupAddress, lookup } from 'node:dns'
import { type IncomingMessage, request as plain } from 'node:http'
import { request as secure } from 'node:https'
import { type BlockList, isIP, type LookupFunction } from 'node:net'
import { createError } from '../../core/errors.ts'
import { isPublicAddress, listOf } from './addresses.ts'

/** What such a request may be, and cost. */
export interface OutsideOptions {
  /** Default `GET`. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Longest body of the answer. Default 5 MiB. */
  readonly maxBytes?: number
  /** Longest time for everything, redirects included. Default 10,000. */
  readonly timeoutMs?: number
  /** Redirects of a GET or HEAD that are followed. Default 5. */
  readonly maxRedirects?: number
  /** Ports that may be asked. Default 80 and 443. */
  readonly ports?: readonly number[]
  /** Networks that are let through although they are not public: `10.1.0.0/16`. Default none. */
  readonly allow?: readonly string[]
  /** Ends it. */
  readonly signal?: AbortSignal
}

/** An answer, read to its end. */
export interface OutsideReply {
  /** Where it came from, after redirects. */
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly bytes: Uint8Array
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** Never sent on to another origin. */
const SECRETS = ['authorization', 'cookie', 'proxy-authorization']
/** Made here: with a Host of his own a caller would ask another site at the same address. */
const OWNED = new Set([
  'host',
  'connection',
  'transfer-encoding',
  'content-length',
  'accept-encoding',
])

/**
 * Asks an http or https URL on the public Internet. Rejects with UWAS_ERR_WAS_OUTSIDE for a URL, an address or a
 * port that is not to be asked, for too many redirects, too long an answer, too much time, and what fails on the
 * network; its message is for the site, since it tells of the network.
 */
export async function fetchOutside(
  url: string,
  options: OutsideOptions = {},
): Promise<OutsideReply> {
  const { method = 'GET', maxRedirects = 5, timeoutMs = 10_000, signal } = options
  const allow = listOf(options.allow ?? [])
  const deadline = AbortSignal.timeout(timeoutMs)
  const ending = signal === undefined ? deadline : AbortSignal.any([signal, deadline])
  let target = judge(url, options, allow)
  let headers = fieldsOf(options.headers ?? {})
  for (let redirects = 0; ; redirects++) {
    const reply = await ask(target, { ...options, method }, headers, allow, ending)
    const location = reply.headers.get('location')
    const isFollowed = REDIRECTS.has(reply.status) && (method === 'GET' || method === 'HEAD')
    if (!isFollowed || location === null) return reply
    if (redirects === maxRedirects) throw refused(target, `more than ${maxRedirects} redirects`)
    const next = judge(location, options, allow, target)
    if (next.origin !== target.origin) headers = withoutSecrets(headers)
    target = next
  }
}

/** For tests: a look-up that gives no address that is not public. */
export function publicLookup(url: URL, allow: BlockList, resolve = lookup): LookupFunction {
  return (name, options, done) => {
    resolve(name, { ...options, all: true }, (error, found) => {
      const addresses: LookupAddress[] = error === null ? found : []
      const bad = addresses.find(({ address }) => !isAllowed(address, allow))
      const problem = bad && refused(url, `${name} is ${bad.address}, which is no public address`)
      const failure = error ?? problem ?? null
      if (failure !== null) return done(failure, '', 0)
      if (options.all === true) return done(null, addresses)
      const [first] = addresses
      done(null, first?.address ?? '', first?.family ?? 0)
    })
  }
}

function isAllowed(address: string, allow: BlockList): boolean {
  return isPublicAddress(address) || allow.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** A name is judged by what it resolves to; an address never gets there. */
function judge(
  text: string,
  { ports = [80, 443] }: OutsideOptions,
  allow: BlockList,
  base?: URL,
): URL {
  if (!URL.canParse(text, base?.href)) throw refused(null, 'this is no URL')
  const url = new URL(text, base?.href)
  const isSecure = url.protocol === 'https:'
  if (!isSecure && url.protocol !== 'http:') throw refused(url, 'only http and https are asked')
  if (url.username !== '' || url.password !== '') throw refused(url, 'it holds a name or password')
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port)
  if (!ports.includes(port)) throw refused(url, `port ${port} is none of ${ports.join(', ')}`)
  const address = addressIn(url)
  if (isIP(address) !== 0 && !isAllowed(address, allow)) {
    throw refused(url, `${address} is no public address`)
  }
  return url
}

function ask(
  url: URL,
  { method, body, maxBytes = 5 * 1024 * 1024 }: OutsideOptions & { readonly method: string },
  headers: Readonly<Record<string, string>>,
  allow: BlockList,
  signal: AbortSignal,
): Promise<OutsideReply> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(failed(url, signal.aborted ? signal.reason : error))
    // A connection of its own: one that is kept could have been made under other rules.
    const options = { method, headers, agent: false, signal, lookup: publicLookup(url, allow) }
    const sent = (url.protocol === 'https:' ? secure : plain)(url, options, (message) => {
      collect(message, url, maxBytes).then(resolve, (error: unknown) => {
        message.destroy()
        fail(error)
      })
    })
    sent.on('error', fail)
    sent.end(body)
  })
}

async function collect(
  message: IncomingMessage,
  url: URL,
  maxBytes: number,
): Promise<OutsideReply> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of message as AsyncIterable<Uint8Array>) {
    length += piece.byteLength
    if (length > maxBytes) throw refused(url, `its answer is longer than ${maxBytes} bytes`)
    pieces.push(piece)
  }
  const headers = new Headers()
  for (let i = 0; i + 1 < message.rawHeaders.length; i += 2) {
    headers.append(message.rawHeaders[i] as string, message.rawHeaders[i + 1] as string)
  }
  return { url: url.href, status: message.statusCode ?? 0, headers, bytes: Buffer.concat(pieces) }
}

function fieldsOf(given: Readonly<Record<string, string>>): Record<string, string> {
  const own = Object.entries(given).filter(([name]) => !OWNED.has(name.toLowerCase()))
  return { ...Object.fromEntries(own), 'accept-encoding': 'identity' }
}

function withoutSecrets(headers: Readonly<Record<string, string>>): Record<string, string> {
  const others = Object.entries(headers).filter(([name]) => !SECRETS.includes(name.toLowerCase()))
  return Object.fromEntries(others)
}

/** The host without the brackets of an IPv6 address. */
function addressIn({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}

function failed(url: URL, error: unknown): Error {
  const isOurs = (error as { code?: unknown }).code === 'UWAS_ERR_WAS_OUTSIDE'
  return isOurs ? (error as Error) : refused(url, messageOf(error), error)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Without the query, which may hold a secret. */
function refused(url: URL | null, problem: string, cause?: unknown): Error {
  const where = url === null ? 'a URL' : `${url.protocol}//${url.host}${url.pathname}`
  return createError('UWAS_ERR_WAS_OUTSIDE', { where, problem }, cause)
}
