/** Makes the entry of one file from what is known of it. Called by the loader and for fingerprinted URLs. */
import { isCompressible } from '../http/compressible.ts'
import { formatHttpDate } from '../http/date.ts'
import type { Content } from './content.ts'
import type { FileEntry, OpenFile, VariantMaker } from './entry.ts'
import type { HeadFields, Heads } from './heads.ts'

/** Smaller files fit in one packet anyway. */
const MIN_COMPRESSED_BYTES = 256

export interface EntryParts {
  /** Whole Content-Type value. */
  readonly type: string
  readonly etag: string
  /** Whole seconds, in milliseconds since 1970; NaN where it is not known. */
  readonly lastModifiedMs: number
  readonly cacheControl: string
  readonly size: number
  /** Null for a file above the ceiling, which has `open` instead. */
  readonly content: Content | null
  readonly open: OpenFile | null
  /** Who makes encoded representations of it, if anybody does. */
  readonly maker?: VariantMaker | null
  /** False: it is sent as it is, whatever its type. Default true. */
  readonly mayEncode?: boolean
  readonly varyField?: string
  readonly more?: HeadFields['more']
  /** Of a page: the pattern of its route. */
  readonly route?: string
}

export function makeEntry(heads: Heads, parts: EntryParts): FileEntry {
  const { type, etag, lastModifiedMs, cacheControl, size, content, open } = parts
  const lastModified = Number.isNaN(lastModifiedMs) ? '' : formatHttpDate(lastModifiedMs)
  const isNegotiated = parts.mayEncode !== false && isCompressible(type)
  const mayShrink = isNegotiated && content !== null && size >= MIN_COMPRESSED_BYTES
  const fields: HeadFields = {
    type,
    coding: '',
    etag,
    lastModified,
    cacheControl,
    varies: isNegotiated,
    ...(parts.varyField !== undefined && { varyField: parts.varyField }),
    ...(parts.more !== undefined && { more: parts.more }),
  }
  return {
    coding: '',
    etag,
    ok: heads.ok(fields, { content, open, length: size }),
    notModified: heads.notModified(fields),
    fields,
    redirect: false,
    location: '',
    lastModified,
    lastModifiedMs,
    route: parts.route ?? '',
    open,
    heads,
    isNegotiated,
    variants: NONE,
    siblings: NONE,
    made: NONE,
    maker: mayShrink ? (parts.maker ?? null) : null,
  }
}

/** Sends the client to `location`, an encoded path of this site. */
export function makeRedirect(heads: Heads, location: string): FileEntry {
  const ok = heads.redirect(location)
  return {
    coding: '',
    etag: '',
    ok,
    notModified: ok,
    fields: NO_FIELDS,
    redirect: true,
    location,
    lastModified: '',
    lastModifiedMs: Number.NaN,
    route: '',
    open: null,
    heads,
    isNegotiated: false,
    variants: NONE,
    siblings: NONE,
    made: NONE,
    maker: null,
  }
}

const NONE: readonly never[] = []

const NO_FIELDS: HeadFields = {
  type: '',
  coding: '',
  etag: '',
  lastModified: '',
  cacheControl: '',
  varies: false,
}
