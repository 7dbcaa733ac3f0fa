/**
 * Compresses what views answer: a request and its reply come in, a reply in the coding that the client
 * likes best leaves. Called by `finish.ts` for every dynamic reply; static files have their variants.
 */
import type { Log } from '../core/log.ts'
import { type Accepted, acceptedCodings, type Coding } from '../http/accept-encoding.ts'
import { isCompressible } from '../http/compressible.ts'
import type { HeaderList } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import { isBodiless } from '../http/status.ts'
import { CODINGS, compressAsync, compressNow } from './codings.ts'
import { CompressedStream } from './compressed-stream.ts'
import type { CompressionConfig } from './compression.ts'

/** Up to here the event loop compresses by itself (some tenths of a millisecond); above, other threads. */
const MAX_BYTES_ON_LOOP = 16 * 1024
/** Content types of a site are few; what a view makes up is judged anew each time. */
const MAX_KEPT_TYPES = 256

const NO_TRANSFORM = /(?:^|[,\s])no-transform(?:$|[,\s;])/i

export interface Compress {
  (req: Request, reply: Reply): Reply | Promise<Reply>
  /** The coding that a reply is tried in; `identity` where another client gets another one; null: it stays as it is. */
  codingOf(req: Request, reply: Reply): Coding | 'identity' | null
}

/**
 * A reply stays as it is when it is short, bodiless, partial, of a type that would not shrink, encoded
 * already, marked `no-transform` (RFC 9111 section 5.2.2.6) or has `compress: false`. A client that
 * refuses every coding and no coding at all (`identity;q=0`) gets none, rather than a 406. A 304 varies as the 200
 * does that it stands for (RFC 9110 section 15.4.5), which nobody has made: by its word, `compress: false`, it does not.
 */
export function createCompress(options: CompressionConfig, log: Log): Compress {
  const { minBytes } = options
  const isWorth = typeJudge(new Set(options.types.map((type) => type.toLowerCase())))
  function codingOf(req: Request, reply: Reply): Coding | 'identity' | null {
    const { body, type } = reply
    if (body === null || type === null || !reply.compress || isBodiless(reply.status)) return null
    if (isShort(reply, minBytes) || !isWorth(type) || !mayEncode(reply)) return null
    return chooseCoding(acceptedCodings(req.header('accept-encoding') ?? '')) ?? 'identity'
  }
  function compress(req: Request, reply: Reply): Reply | Promise<Reply> {
    const coding = codingOf(req, reply)
    const { body } = reply
    if (coding === null || body === null) {
      return reply.status === 304 && reply.compress ? asIdentity(reply) : reply
    }
    if (coding === 'identity') return asIdentity(reply)
    if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
      return encoded(reply, new CompressedStream(body, coding), coding)
    }
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    const size = bytes.byteLength
    if (size <= MAX_BYTES_ON_LOOP) return smaller(reply, compressNow(bytes, coding), size, coding)
    return compressAsync(bytes, coding).then(
      (shrunk) => smaller(reply, shrunk, size, coding),
      (error) => {
        log.error(`${req.method} ${req.path} (${req.id}) could not be compressed`, error)
        return asIdentity(reply)
      },
    )
  }
  return Object.assign(compress, { codingOf })
}

/** The best of what the client takes; in a tie, ours; null where it would rather have none. */
export function chooseCoding(accepted: Accepted): Coding | null {
  let best: Coding | null = null
  for (const coding of CODINGS) {
    if (accepted[coding] > (best === null ? 0 : accepted[best])) best = coding
  }
  return best === null || accepted[best] < accepted.identity ? null : best
}

/** Without counting the bytes of a text where its length says enough: UTF-8 has one to three for each. */
function isShort({ body, length }: Reply, minBytes: number): boolean {
  if (typeof body === 'string') {
    if (body.length >= minBytes) return false
    return body.length * 3 < minBytes || Buffer.byteLength(body) < minBytes
  }
  if (body instanceof Uint8Array) return body.byteLength < minBytes
  return length !== null && length < minBytes
}

function typeJudge(more: ReadonlySet<string>): (type: string) => boolean {
  const kept = new Map<string, boolean>()
  return (type) => {
    let isWorth = kept.get(type)
    if (isWorth === undefined) {
      const [essence = ''] = type.toLowerCase().split(';')
      isWorth = isCompressible(type) || more.has(essence.trim())
      if (kept.size < MAX_KEPT_TYPES) kept.set(type, isWorth)
    }
    return isWorth
  }
}

/** Never twice, never a part of something (its offsets count encoded bytes), never against its word. */
function mayEncode({ status, headers }: Reply): boolean {
  if (status === 206) return false
  for (const [name, value] of headers ?? []) {
    const lower = name.toLowerCase()
    if (lower === 'content-encoding' || lower === 'content-range') return false
    if (lower === 'cache-control' && NO_TRANSFORM.test(value)) return false
  }
  return true
}

function asIdentity(reply: Reply): Reply {
  reply.coding = 'identity'
  return reply
}

function smaller(reply: Reply, shrunk: Uint8Array, size: number, coding: Coding): Reply {
  return shrunk.byteLength < size ? encoded(reply, shrunk, coding) : asIdentity(reply)
}

function encoded(reply: Reply, body: Exclude<Reply['body'], null>, coding: Coding): Reply {
  const copy = new Reply(reply.status, reply.type, body)
  copy.headers = reply.headers === null ? null : weakened(reply.headers)
  copy.coding = coding
  return copy
}

/** Other bytes than those that a strong tag promised (RFC 9110 section 8.8.3.3); ranges of them are none. */
function weakened(headers: HeaderList): HeaderList {
  return headers
    .filter(([name]) => name.toLowerCase() !== 'accept-ranges')
    .map(([name, value]) =>
      name.toLowerCase() === 'etag' && !value.startsWith('W/')
        ? [name, `W/${value}`]
        : [name, value],
    )
}
