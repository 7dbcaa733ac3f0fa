/**
 * A request of Node's `http` in the shape of the engine's, so that both lanes run the same code behind
 * it. The body is decoded and the target is origin-form already, so the fields say so too.
 */
import type { IncomingMessage } from 'node:http'
import type { EngineRequest } from './engine-types.ts'
import type { OriginTarget } from './strict-target.ts'

export type Field = [name: string, value: string]

/** Fields in the order of arrival, names in lower case, none joined or dropped. */
export function fieldsOf(message: IncomingMessage): Field[] {
  const { rawHeaders } = message
  const fields: Field[] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    fields.push([(rawHeaders[i] as string).toLowerCase(), rawHeaders[i + 1] as string])
  return fields
}

export class StrictRequest implements EngineRequest {
  /** A body without Content-Length comes. */
  readonly isChunked: boolean
  readonly #method: string
  readonly #target: OriginTarget
  readonly #fields: readonly Field[]

  /**
   * `fields` are those of `message`. A client of HTTP/1.0 may leave Host out (RFC 9112 section 3.2): the
   * address that it has called stands in.
   */
  constructor(message: IncomingMessage, fields: Field[], target: OriginTarget) {
    this.#method = message.method ?? ''
    this.#target = target
    this.isChunked = fields.some(([name]) => name === 'transfer-encoding')
    const seen = fields.filter(([name]) => name !== 'transfer-encoding')
    this.#fields = target.authority === null ? seen : withHost(seen, target.authority)
    if (message.httpVersion === '1.0' && this.getHeader('host') === '')
      this.#fields = [...this.#fields, ['host', localHost(message)]]
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

/** The target's own authority counts, whatever Host says (RFC 9112 section 3.2.2); a bad Host stays bad. */
function withHost(fields: readonly Field[], authority: string): Field[] {
  return fields.map(([name, value]) =>
    name === 'host' && value !== '' ? [name, authority] : [name, value],
  )
}

function localHost({ socket }: IncomingMessage): string {
  const { localAddress = '127.0.0.1', localPort } = socket
  const address = localAddress.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  return `${address.includes(':') ? `[${address}]` : address}:${localPort}`
}
