/**
 * A request that Node has parsed, in the shape of the engine's, so that all lanes run the same code behind it. The body
 * is decoded and the target is origin-form already, so the fields say so too. Made by the strict lane and by HTTP/2.
 */
import type { IncomingMessage } from 'node:http'
import type { EngineRequest } from './engine-types.ts'
import type { OriginTarget } from './strict-target.ts'

export type Field = [name: string, value: string]

/** Fields in the order of arrival, names in lower case, none joined or dropped. */
export function fieldsOf(rawHeaders: readonly string[]): Field[] {
  const fields: Field[] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    fields.push([(rawHeaders[i] as string).toLowerCase(), rawHeaders[i + 1] as string])
  return fields
}

export class ParsedRequest implements EngineRequest {
  /** A body without Content-Length comes. */
  readonly isChunked: boolean
  readonly protocol: string
  readonly #method: string
  readonly #target: Omit<OriginTarget, 'authority'>
  readonly #fields: readonly Field[]

  constructor(
    method: string,
    target: Omit<OriginTarget, 'authority'>,
    fields: readonly Field[],
    { isChunked, protocol }: { readonly isChunked: boolean; readonly protocol: string },
  ) {
    this.protocol = protocol
    this.#method = method
    this.#target = target
    this.#fields = fields
    this.isChunked = isChunked
  }

  getUrl(): string {
    return this.#target.path
  }

  getQuery(): string | undefined {
    return this.#target.query
  }

  getCaseSensitiveMethod(): string {
    return this.#method
  }

  getHeader(lowerCaseName: string): string {
    return this.#fields.find(([name]) => name === lowerCaseName)?.[1] ?? ''
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (const [name, value] of this.#fields) visit(name, value)
  }
}

/**
 * `fields` are those of `message`. A client of HTTP/1.0 may leave Host out (RFC 9112 section 3.2): the
 * address that it has called stands in.
 */
export function strictRequest(
  message: IncomingMessage,
  fields: readonly Field[],
  target: OriginTarget,
): ParsedRequest {
  const isChunked = fields.some(([name]) => name === 'transfer-encoding')
  let seen = fields.filter(([name]) => name !== 'transfer-encoding')
  if (target.authority !== null) seen = withHost(seen, target.authority)
  const hasHost = seen.some(([name, value]) => name === 'host' && value !== '')
  if (message.httpVersion === '1.0' && !hasHost) seen = [...seen, ['host', localHost(message)]]
  const protocol = `HTTP/${message.httpVersion}`
  return new ParsedRequest(message.method ?? '', target, seen, { isChunked, protocol })
}

/** A request that is answered without being judged: its target as it was sent. */
export function unjudged(message: IncomingMessage): ParsedRequest {
  const [path = '', query] = (message.url ?? '').split(/\?(.*)/s, 2)
  return strictRequest(message, fieldsOf(message.rawHeaders), { path, query, authority: null })
}

/** The target's own authority counts, whatever Host says (RFC 9112 section 3.2.2); a bad Host stays bad. */
function withHost(fields: readonly Field[], authority: string): Field[] {
  return fields.map(([name, value]) =>
    name === 'host' && value !== '' ? [name, authority] : [name, value],
  )
}

function localHost({ socket }: IncomingMessage): string {
  const { localAddress, localPort } = socket
  // By a unix socket.
  if (localAddress === undefined) return 'localhost'
  const address = localAddress.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  return `${address.includes(':') ? `[${address}]` : address}:${localPort}`
}
