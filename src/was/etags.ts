/**
 * Tags of what views answer, where the site wants them: a client that has a page already gets 304 in place of its
 * bytes. The view has run all the same; `condition` and `cached` are for views that cost. Called by `finish.ts`.
 *
 * Off by default: a page of 1.2 KiB costs 2.9 µs more of its 23 to 36, of which SHA-256 is 1.1, the conditions are 0.6, the
 * copy of the reply is 0.2 and a head of its own, in place of the kept one, 0.9. So with a hash for nothing it is 3 % at least.
 */
import { hash } from 'node:crypto'
import type { Coding } from '../http/accept-encoding.ts'
import { evaluatePreconditions } from '../http/conditional.ts'
import { weakEtag } from '../http/etag.ts'
import { HttpError } from '../http/http-error.ts'
import { Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import type { ErrorPages } from './error-pages.ts'
import { ownCopy } from './own-reply.ts'

/** Shorter bodies cost less than their tags would save. Of a text its UTF-16 units are counted. */
const MIN_LENGTH = 1024
/** 132 bits. */
const TAG_LENGTH = 22

/** `coding` is the one that the reply will be sent in; null where every client gets it as it is. */
export type Tag = (req: Request, reply: Reply, coding: Coding | 'identity' | null) => Reply

/**
 * A reply stays as it is when its method is not GET or HEAD or its status not 200, when its body is short or made
 * while it is sent, when it has a validator already, sets a cookie, may not be stored, or has a nonce in it.
 *
 * Tags are weak (RFC 9110 section 8.8.1): the same text may leave in other bytes. So If-Match never names one, and
 * is 412 (section 13.1.1); that page is `errorPages`'s.
 */
export function createTag(errorPages: ErrorPages): Tag {
  return (req, reply, coding) => {
    const { body } = reply
    const isRead = req.method === 'GET' || req.method === 'HEAD'
    if (!isRead || reply.status !== 200 || body === null) return reply
    if (typeof body !== 'string' && !(body instanceof Uint8Array)) return reply
    if (body.length < MIN_LENGTH || req.hasRead('nonce') || !mayTag(reply)) return reply
    const opaque = hash('sha256', body, 'base64url').slice(0, TAG_LENGTH)
    const isEncoded = coding !== null && coding !== 'identity'
    const etag = weakEtag(isEncoded ? `${opaque}-${coding}` : opaque)
    const verdict = evaluatePreconditions(
      {
        ifMatch: req.header('if-match') ?? '',
        ifUnmodifiedSince: '',
        ifNoneMatch: req.header('if-none-match') ?? '',
        ifModifiedSince: '',
      },
      { etag, lastModifiedMs: Number.NaN },
      true,
    )
    if (verdict === 'failed') return errorPages(req, new HttpError(412))
    return verdict === 'notModified' ? unchanged(reply, etag, coding) : withTag(reply, etag)
  }
}

function mayTag({ headers }: Reply): boolean {
  if (headers === null) return true
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    if (lower === 'etag' || lower === 'last-modified' || lower === 'set-cookie') return false
    if (lower === 'cache-control' && /\bno-store\b/i.test(value)) return false
  }
  return true
}

function withTag(reply: Reply, etag: string): Reply {
  return ownCopy(reply).append('ETag', etag)
}

/** With all that the 200 would tell caches (section 15.4.5), and nothing of its content. */
function unchanged(made: Reply, etag: string, coding: Coding | 'identity' | null): Reply {
  const reply = new Reply(304, null, null)
  reply.headers = (made.headers ?? []).filter(([name]) => !isOfContent(name.toLowerCase()))
  // Vary names the negotiation, while no content is encoded.
  reply.compress = coding !== null
  reply.coding = coding === null ? null : 'identity'
  return reply.append('ETag', etag)
}

function isOfContent(name: string): boolean {
  return name === 'accept-ranges' || (name.startsWith('content-') && name !== 'content-location')
}
