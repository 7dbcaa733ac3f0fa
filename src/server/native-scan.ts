/**
 * One pass over a request's fields on the native lane, which gathers what the server itself decides by.
 * The engine's look-ups by name cannot tell an empty field from an absent one and see only the first of
 * several; for a small request one pass is cheaper than six look-ups, too.
 */
import type { FileFields } from '../files/answer.ts'
import type { EngineRequest } from './engine-types.ts'

/** Used again for every request: read it before the next `read`. Absent fields are empty strings. */
export class FieldScan implements FileFields {
  /** Present, whatever its value. */
  hasTransferEncoding = false
  /** How often the field is there. */
  contentLengths = 0
  contentLength = ''
  /** Present, whatever its value. */
  hasAuthorization = false
  /** How often the field is there. */
  hosts = 0
  host = ''
  connection = ''
  ifMatch = ''
  ifNoneMatch = ''
  ifModifiedSince = ''
  ifUnmodifiedSince = ''
  ifRange = ''
  range = ''
  acceptEncoding = ''
  origin = ''
  /** For logs. */
  referer = ''
  userAgent = ''
  readonly #visit = (name: string, value: string) => this.#take(name, value)

  read(req: Pick<EngineRequest, 'forEach'>): void {
    this.hasTransferEncoding = false
    this.contentLengths = 0
    this.contentLength = ''
    this.hasAuthorization = false
    this.hosts = 0
    this.host = ''
    this.connection = ''
    this.ifMatch = ''
    this.ifNoneMatch = ''
    this.ifModifiedSince = ''
    this.ifUnmodifiedSince = ''
    this.ifRange = ''
    this.range = ''
    this.acceptEncoding = ''
    this.origin = ''
    this.referer = ''
    this.userAgent = ''
    req.forEach(this.#visit)
  }

  /** Lengths first: most fields of a browser are none of these. */
  #take(name: string, value: string): void {
    switch (name.length) {
      case 4:
        if (name === 'host') {
          this.hosts++
          this.host = value
        }
        return
      case 5:
        if (name === 'range') this.range = join(this.range, value)
        return
      case 6:
        if (name === 'origin') this.origin = join(this.origin, value)
        return
      case 7:
        if (name === 'referer') this.referer = value
        return
      case 8:
        if (name === 'if-match') this.ifMatch = join(this.ifMatch, value)
        else if (name === 'if-range') this.ifRange = join(this.ifRange, value)
        return
      case 10:
        if (name === 'connection') this.connection = join(this.connection, value)
        else if (name === 'user-agent') this.userAgent = value
        return
      case 13:
        if (name === 'if-none-match') this.ifNoneMatch = join(this.ifNoneMatch, value)
        else if (name === 'authorization') this.hasAuthorization = true
        return
      case 14:
        if (name === 'content-length') {
          this.contentLengths++
          this.contentLength = value
        }
        return
      case 15:
        if (name === 'accept-encoding') this.acceptEncoding = join(this.acceptEncoding, value)
        return
      case 17:
        if (name === 'if-modified-since') this.ifModifiedSince = join(this.ifModifiedSince, value)
        else if (name === 'transfer-encoding') this.hasTransferEncoding = true
        return
      case 19:
        if (name === 'if-unmodified-since')
          this.ifUnmodifiedSince = join(this.ifUnmodifiedSince, value)
        return
      default:
        return
    }
  }
}

/** Several fields of one name are one list (RFC 9110 section 5.3). */
function join(before: string, value: string): string {
  return before === '' ? value : `${before}, ${value}`
}

/** Bytes of the request's body by its own word; NaN when only its end will tell. */
export function bodyLength({ contentLength }: FieldScan, { isChunked }: EngineRequest): number {
  return contentLength === '' && isChunked === true ? Number.NaN : Number(contentLength)
}
