/**
 * Chooses the reply of a static file: 200, 206, 304, 406, 412 or 416. Gets an entry and a request's
 * fields, from either lane; what it returns is written as it stands.
 */
import { acceptedCodings, type Coding } from '../http/accept-encoding.ts'
import { evaluatePreconditions, isSamePart, type Preconditions } from '../http/conditional.ts'
import { parseRange } from '../http/range.ts'
import type { FileEntry, Prepared, Representation } from './entry.ts'

/** The fields that decide; several of one name joined by `, `, absent ones empty. */
export interface FileFields extends Preconditions {
  readonly range: string
  readonly ifRange: string
  readonly acceptEncoding: string
}

/**
 * The reply to a GET (`isGet`) or HEAD. Allocates nothing for unconditional requests, and for a client
 * that repeats the tag it was sent. Only GET has ranges: HEAD tells what a GET without Range would send
 * (RFC 9110 section 14.2). A request that takes no coding at all, `identity` included, gets 406 where
 * codings are chosen from; elsewhere Accept-Encoding has no say (RFC 9110 section 12.1).
 */
export function answer(entry: FileEntry, isGet: boolean, fields: FileFields): Prepared {
  if (entry.redirect) return entry.ok
  const chosen = entry.isNegotiated && fields.acceptEncoding !== '' ? select(entry, fields) : entry
  if (chosen === null) return entry.heads.notAcceptable(entry.fields)
  const { ifMatch, ifUnmodifiedSince, ifNoneMatch, ifModifiedSince } = fields
  if (ifMatch === '' && ifUnmodifiedSince === '') {
    if (ifNoneMatch === '') {
      if (ifModifiedSince === '') {
        return isGet && fields.range !== '' ? answerRange(entry, chosen, fields) : chosen.ok
      }
      if (ifModifiedSince === entry.lastModified) return chosen.notModified
    } else if (ifNoneMatch === chosen.etag) {
      return chosen.notModified
    }
  }
  return answerConditional(entry, chosen, isGet, fields)
}

/**
 * The representation that the client likes best, the smallest of equals; null when it takes none, not even
 * the file as it is.
 */
function select(entry: FileEntry, fields: FileFields): Representation | null {
  const accepted = acceptedCodings(fields.acceptEncoding)
  if (entry.maker !== null && accepted.br + accepted.gzip + accepted.zstd > 0) {
    entry.maker.want(entry)
  }
  let best: Representation = entry
  let weight = accepted.identity
  for (const variant of entry.variants) {
    const own = accepted[variant.coding as Coding]
    if (own > weight || (own === weight && own > 0 && best === entry)) {
      best = variant
      weight = own
    }
  }
  return weight === 0 ? null : best
}

function answerConditional(
  entry: FileEntry,
  chosen: Representation,
  isGet: boolean,
  fields: FileFields,
): Prepared {
  const current = { etag: chosen.etag, lastModifiedMs: entry.lastModifiedMs }
  switch (evaluatePreconditions(fields, current, true)) {
    case 'failed':
      return entry.heads.failed(chosen.fields)
    case 'notModified':
      return chosen.notModified
    case 'proceed':
      return isGet && fields.range !== '' ? answerRange(entry, chosen, fields) : chosen.ok
  }
}

/** What a GET with Range gets whose preconditions all hold. */
function answerRange(entry: FileEntry, chosen: Representation, fields: FileFields): Prepared {
  const { ok } = chosen
  const { range, ifRange } = fields
  const lastModifiedMs = hasStrongDate(entry) ? entry.lastModifiedMs : Number.NaN
  const current = { etag: chosen.etag, lastModifiedMs }
  if (ifRange !== '' && !isSamePart(ifRange, current, Date.now())) return ok
  const ranges = parseRange(range, ok.length)
  if (ranges === null) return ok
  if (ranges.length === 0) return entry.heads.unsatisfiable(chosen.fields, ok.length)
  // Nobody says whether Content-Encoding would be meant for the parts or for the multipart.
  if (ranges.length > 1 && chosen.coding !== '') return ok
  const partial = entry.heads.partial(chosen.fields, ok, ranges, ifRange !== '')
  return ranges.length > 1 && partial.length >= ok.length ? ok : partial
}

/**
 * Whether its date names one sequence of bytes, as a part needs (RFC 9110 section 8.8.1): all codings of a file
 * have one date, and may be made after a client was sent another; the date of a page is its view's.
 */
function hasStrongDate(entry: FileEntry): boolean {
  return !entry.isNegotiated && entry.route === ''
}
