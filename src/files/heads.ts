/**
 * Makes the heads of static replies, once per file where they are the same for all: status line and
 * fields as the bytes that go to the socket. Every field is checked here, so that the hot path has
 * nothing left to check.
 */
import { randomUUID } from 'node:crypto'
import type { Coding } from '../http/accept-encoding.ts'
import { checkHeader, type HeaderList } from '../http/headers.ts'
import { type ByteRange, contentRange, unsatisfiedRange } from '../http/range.ts'
import { statusLine } from '../http/status.ts'
import type { Content } from './content.ts'
import type { OpenFile, Prepared, Segment } from './entry.ts'

/** Kept by caches, used only after asking: a new version of a file is seen at once, a 304 costs little. */
export const DEFAULT_CACHE_CONTROL = 'no-cache'

export interface HeadFields {
  readonly type: string
  /** Empty for the file as it is. */
  readonly coding: Coding | ''
  readonly etag: string
  /** Empty where it is not known. */
  readonly lastModified: string
  /** Whole Cache-Control value. */
  readonly cacheControl: string
  /** Whether Accept-Encoding chooses between this representation and others. */
  readonly varies: boolean
  /** Other members of Vary. Default none. */
  readonly varyField?: string
  /** Further fields, which take the place of base ones of their name. Default none. */
  readonly more?: HeaderList
}

/** Further fields that a 304 has as well. */
const OF_NOT_MODIFIED = new Set(['age', 'cache-status', 'content-location', 'expires'])

/** Where the bytes of a representation are: one of the two is null. */
export interface Bytes {
  readonly content: Content | null
  readonly open: OpenFile | null
  readonly length: number
}

export interface Heads {
  ok(fields: HeadFields, bytes: Bytes): Prepared
  /** What RFC 9110 section 15.4.5 wants repeated; nothing about the content that is not sent. */
  notModified(fields: HeadFields): Prepared
  /**
   * 206 with one range, or several as multipart/byteranges. `isContinued`: the client has a part already
   * (If-Range), so what it knows is left out (RFC 9110 section 15.3.7).
   */
  partial(
    fields: HeadFields,
    bytes: Bytes,
    ranges: readonly ByteRange[],
    isContinued: boolean,
  ): Prepared
  /** 416 for a content of `length` bytes. */
  unsatisfiable(fields: HeadFields, length: number): Prepared
  /** 412: the client meant another version. */
  failed(fields: HeadFields): Prepared
  /** 406: the client takes none of the codings that are there. */
  notAcceptable(fields: HeadFields): Prepared
  /** 308 to `location`, which has to be a path of this site, encoded. */
  redirect(location: string): Prepared
}

/** `baseHeaders` stand at the end of every head. Throws UWAS_ERR_HTTP_HEADER_NAME, _VALUE. */
export function createHeads(baseHeaders: Readonly<HeaderList>): Heads {
  for (const [name, value] of baseHeaders) checkHeader(name, value)
  const head = (status: number, own: HeaderList, more: HeaderList = []) =>
    encodeHead(
      status,
      [...own, ...more],
      more.length === 0 ? baseHeaders : without(baseHeaders, more),
    )
  const problem = (status: number, own: HeaderList): Prepared => {
    const text = Buffer.from(`${statusLine(status)}\n`)
    const fields: HeaderList = [['Content-Type', 'text/plain; charset=utf-8'], ...own]
    return prepare(status, head(status, fields), text.byteLength, { segments: [literal(text)] })
  }
  return {
    ok: (fields, bytes) =>
      prepare(200, head(200, wholeFields(fields), fields.more), bytes.length, {
        content: bytes.content,
        open: bytes.open,
      }),
    notModified(fields) {
      const more = fields.more?.filter(([name]) => OF_NOT_MODIFIED.has(name.toLowerCase()))
      return prepare(304, head(304, validators(fields), more), 0, {})
    },
    partial(fields, bytes, ranges, isContinued) {
      const { framing, segments } = frame(fields.type, bytes.length, ranges)
      const rest = wholeFields(fields).filter(
        ([name]) => name !== 'Content-Type' && !(isContinued && name === 'Last-Modified'),
      )
      return prepare(206, head(206, [...framing, ...rest], fields.more), lengthOf(segments), {
        content: bytes.content,
        open: bytes.open,
        segments,
      })
    },
    unsatisfiable: (fields, length) =>
      problem(416, [['Content-Range', unsatisfiedRange(length)], ...vary(fields)]),
    failed: (fields) => problem(412, vary(fields)),
    notAcceptable: (fields) => problem(406, vary(fields)),
    redirect: (location) => {
      const fields: HeaderList = [
        ['Location', location],
        ['Cache-Control', DEFAULT_CACHE_CONTROL],
      ]
      return prepare(308, head(308, fields), 0, {})
    },
  }
}

function wholeFields(fields: HeadFields): HeaderList {
  const list: HeaderList = [['Content-Type', fields.type]]
  if (fields.coding !== '') list.push(['Content-Encoding', fields.coding])
  list.push(...validators(fields), ['Accept-Ranges', 'bytes'])
  return list
}

function validators(fields: HeadFields): HeaderList {
  const { etag, lastModified, cacheControl } = fields
  const list: HeaderList = [['ETag', etag]]
  if (lastModified !== '') list.push(['Last-Modified', lastModified])
  list.push(['Cache-Control', cacheControl], ...vary(fields))
  return list
}

function vary({ varies, varyField = '' }: HeadFields): HeaderList {
  if (varyField === '') return varies ? [['Vary', 'Accept-Encoding']] : []
  return [['Vary', varies ? `${varyField}, Accept-Encoding` : varyField]]
}

function without(base: Readonly<HeaderList>, own: Readonly<HeaderList>): HeaderList {
  const named = new Set(own.map(([name]) => name.toLowerCase()))
  return base.filter(([name]) => !named.has(name.toLowerCase()))
}

/** One range says where it belongs in the head; each of several says so in front of itself. */
function frame(
  type: string,
  length: number,
  ranges: readonly ByteRange[],
): { framing: HeaderList; segments: Segment[] } {
  const [first] = ranges
  if (ranges.length === 1 && first !== undefined) {
    return {
      framing: [
        ['Content-Type', type],
        ['Content-Range', contentRange(first, length)],
      ],
      segments: [{ bytes: null, ...first }],
    }
  }
  // Random, so that no file can hold it on purpose, and none will by accident.
  const boundary = randomUUID()
  const segments: Segment[] = []
  let lead = ''
  for (const range of ranges) {
    const fields = `Content-Type: ${type}\r\nContent-Range: ${contentRange(range, length)}`
    segments.push(literal(Buffer.from(`${lead}--${boundary}\r\n${fields}\r\n\r\n`, 'latin1')))
    segments.push({ bytes: null, ...range })
    lead = '\r\n'
  }
  segments.push(literal(Buffer.from(`\r\n--${boundary}--\r\n`)))
  return {
    framing: [['Content-Type', `multipart/byteranges; boundary=${boundary}`]],
    segments,
  }
}

function literal(bytes: Uint8Array): Segment {
  return { bytes, start: 0, end: bytes.byteLength }
}

function lengthOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { start, end }) => sum + end - start, 0)
}

function prepare(
  status: number,
  head: ArrayBuffer,
  length: number,
  parts: Partial<Pick<Prepared, 'content' | 'open' | 'segments'>>,
): Prepared {
  const { content = null, open = null, segments = null } = parts
  return { status, head, content, open, segments, length }
}

function encodeHead(status: number, own: HeaderList, base: Readonly<HeaderList>): ArrayBuffer {
  let text = statusLine(status)
  for (const [name, value] of own) {
    checkHeader(name, value)
    text += `\r\n${name}: ${value}`
  }
  for (const [name, value] of base) text += `\r\n${name}: ${value}`
  // Field values are Latin-1 by grammar. The slow allocation gives each head a buffer of its own.
  const bytes = Buffer.allocUnsafeSlow(text.length)
  bytes.write(text, 'latin1')
  return bytes.buffer
}
