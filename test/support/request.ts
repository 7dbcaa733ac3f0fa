/** A request without a socket, for tests of what lies below `server/`. */
import { Services } from '../../src/core/services.ts'
import { Request, type RequestParts } from '../../src/http/request.ts'

export interface RequestOptions extends Partial<RequestParts> {
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as the body. */
  readonly content?: string | Uint8Array
}

/** `requestOf('GET', '/a?b=1')`; header names in lower case. */
export function requestOf(method: string, target: string, options: RequestOptions = {}): Request {
  const [path = '/', search = ''] = target.split('?')
  const { headers = {}, content, ...parts } = options
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return new Request({
    method,
    path,
    search,
    fields: { get: (name) => headers[name], entries: () => Object.entries(headers) },
    body:
      bytes === undefined
        ? null
        : { read: () => Promise.resolve(bytes), stream: () => once(bytes) },
    services: new Services(),
    remoteAddress: () => '127.0.0.1',
    secure: false,
    trace: null,
    ...parts,
  })
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes
}
