/**
 * What a lookup in the catalogue gives: one file, or the redirect of a folder to its slash, with all
 * that can be known before a request comes. `answer` chooses one of its replies.
 */
import type { Coding } from '../http/accept-encoding.ts'
import type { Content } from './content.ts'
import type { Bytes, HeadFields, Heads } from './heads.ts'
import type { FileReader } from './windows.ts'

/** What every path of the catalogue answers to; 405 sends it as Allow (RFC 9110 section 15.5.6). */
export const FILE_METHODS = 'GET, HEAD'

/**
 * Opens a file above the ceiling for one reply. Throws UWAS_ERR_FILES_CHANGED or UWAS_ERR_FILES_GONE before
 * anything is sent. See `FileReader` for what reading may reject with.
 */
export type OpenFile = () => FileReader

/** Bytes that are there already, or, where `bytes` is null, the representation from `start` to before `end`. */
export interface Segment {
  readonly bytes: Uint8Array | null
  readonly start: number
  readonly end: number
}

/** A whole reply but for Date and Content-Length. The server writes it as it stands. */
export interface Prepared {
  readonly status: number
  /**
   * Status line without its version, then the fields, separated by CRLF and without one at the end: the
   * argument of one `writeStatus`. Shared by all requests: never to be written to.
   */
  readonly head: ArrayBuffer
  /** Bytes of the representation; null when there is none, or when it comes from `open`. */
  readonly content: Content | null
  readonly open: OpenFile | null
  /** What to send of it, in this order; null: all of it. */
  readonly segments: readonly Segment[] | null
  /** Bytes of content that a GET sends; what HEAD gives as Content-Length. 0 for 304. */
  readonly length: number
}

/** A file in one content coding. */
export interface Representation {
  /** Empty for the file as it is. */
  readonly coding: Coding | ''
  /** Whole entity tag: weak (`W/"…"`) for streamed files that were just written to; empty for redirects. */
  readonly etag: string
  /** 200 for a file, 308 without a query for a redirect. */
  readonly ok: Prepared
  /** 304; for redirects the same as `ok`. */
  readonly notModified: Prepared
  /** What the heads of its replies are made of. */
  readonly fields: HeadFields
}

/** The bytes of a file in a content coding, before anybody asked for it. */
export interface Encoded extends Bytes {
  readonly coding: Coding
  readonly etag: string
}

/** Makes the encoded representations of files. */
export interface VariantMaker {
  /** Makes them when there is nothing else to do, if the site is small enough. */
  offer(entry: FileEntry): void
  /** Makes them now: a client asks for them. Sets `entry.maker` to null, and `entry.made` in a while. */
  want(entry: FileEntry): void
}

/**
 * One shape for files and redirects, so that the hot path stays monomorphic. What is not read-only is
 * changed by `refreshVariants` and by the maker, each time in one step.
 */
export interface FileEntry extends Representation {
  ok: Prepared
  notModified: Prepared
  fields: HeadFields
  /** True for `/dir` of a folder with an index: `ok` sends the client to `location`. */
  readonly redirect: boolean
  /** Encoded path with its slash at the end, `/dir/`; empty when `redirect` is false. */
  readonly location: string
  /** `lastModifiedMs` as an HTTP-date; empty where there is none. */
  readonly lastModified: string
  /** Whole seconds, in milliseconds since 1970, never in the future; NaN for redirects, and where a folder tells no times. */
  readonly lastModifiedMs: number
  /** Pattern of the route whose view has made it; empty for files. */
  readonly route: string
  /** For files above the ceiling, null for all others. */
  readonly open: OpenFile | null
  readonly heads: Heads
  /** Whether Accept-Encoding has a say: every reply names it in Vary. */
  isNegotiated: boolean
  /** Encoded representations to choose from, the smallest first. */
  variants: readonly Representation[]
  /** What lies next to the file, and what the maker has made: a sibling goes before. */
  siblings: readonly Encoded[]
  made: readonly Encoded[]
  /** Whom to tell that a client would take a coding; null when nothing more can be made. */
  maker: VariantMaker | null
}
