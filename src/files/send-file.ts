/**
 * `file()`: a view decides who gets a file, the static engine sends it. A request and a path below a
 * private folder come in; a reply with conditions, ranges and codings decided leaves, for the server.
 */
import { closeSync, statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { createError, isCodedError } from '../core/errors.ts'
import type { ServiceKey } from '../core/services.ts'
import { acceptedCodings, type Coding } from '../http/accept-encoding.ts'
import { contentDisposition } from '../http/content-disposition.ts'
import { codedEtag } from '../http/etag.ts'
import { HttpError, notFound } from '../http/http-error.ts'
import { contentTypeOf } from '../http/mime.ts'
import { Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import type { Native } from '../native/skin.ts'
import { answer, type FileFields } from './answer.ts'
import type { Encoded, FileEntry, OpenFile, Prepared } from './entry.ts'
import { createHeads } from './heads.ts'
import { type FileIdentity, identityOfFd } from './identity.ts'
import { openFile } from './large-file.ts'
import { makeEntry } from './make-entry.ts'
import { refreshVariants } from './variants.ts'
import { versionTag } from './version-tag.ts'

/** Where `file()` finds what it sends. */
export interface PrivateFiles {
  readonly native: Native
  /** The site's `privateFiles`, absolute; null without one. */
  readonly root: string | null
}

export const PRIVATE_FILES: ServiceKey<PrivateFiles> = {
  name: 'private files',
  hint: 'serve it with uwas, which provides them',
}

/** Throws UWAS_ERR_FILES_ROOT when `root` is given and no folder. */
export function createPrivateFiles(native: Native, root: string | null): PrivateFiles {
  if (root !== null && statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw createError('UWAS_ERR_FILES_ROOT', {
      problem: `privateFiles is ${JSON.stringify(root)}, which is no folder`,
    })
  }
  return { native, root }
}

/** How `file()` names, types and finds what it sends. */
export interface FileOptions {
  /** Folder that the path starts from, absolute. Default: the site's `privateFiles`. */
  readonly root?: string
  /** Save it rather than show it: under this name, or with `true` under the file's own. */
  readonly download?: string | true
  /** Content-Type. Default: by the ending of the path. */
  readonly type?: string
}

/** Kept by the client's own cache alone, and asked for again each time. */
const CACHE_CONTROL = 'private, no-cache'
const HEADS = createHeads([])
const SIBLINGS: readonly (readonly [Coding, string])[] = [
  ['br', '.br'],
  ['zstd', '.zst'],
  ['gzip', '.gz'],
]

/** A reply that the server writes as it writes static files: in parts, at the pace of its client. */
export class FileReply extends Reply {
  /** Status and body; its head is not used, the reply's own fields are. */
  readonly prepared: Prepared

  constructor(prepared: Prepared) {
    const { status, length } = prepared
    const fields = fieldsOf(prepared)
    const type = fields.find(([name]) => name === 'Content-Type')?.[1] ?? null
    super(status, type, null, length)
    this.prepared = prepared
    this.compress = false
    for (const [name, value] of fields) if (name !== 'Content-Type') this.append(name, value)
  }
}

/** For the server to write. Throws what `refusalOf` makes of a 406, 412 or 416. */
export function fileReply(prepared: Prepared): FileReply {
  if (prepared.status >= 400) throw refusalOf(prepared)
  return new FileReply(prepared)
}

/** A 406, 412 or 416 as an error, for the site's pages to be made of, with its fields but for those of a content. */
export function refusalOf(prepared: Prepared): HttpError {
  const headers = fieldsOf(prepared).filter(([name]) => name !== 'Content-Type')
  return new HttpError(prepared.status, undefined, { headers })
}

/**
 * Sends the file at `path`, relative to the folder, to the client of `req`: 200, 206 or 304,
 * with Content-Disposition where `download` says so (RFC 6266); compressed files next to it (`.br`,
 * `.zst`, `.gz`) go to who takes them. The path may come from the client: nothing outside of the folder is reached,
 * names that start with a dot do not exist. Throws an HttpError: 404 for what is no file, 412, 416 or 406 by the
 * conditions, ranges and codings of the request; UWAS_ERR_FILES_ROOT without a folder. The fields of the reply may be changed afterwards (`Cache-Control: private, no-cache`).
 */
export function file(req: Request, path: string, options: FileOptions = {}): FileReply {
  const { native, root } = folderOf(req, options)
  const relative = path.replace(/^\/+/, '')
  const identity = isVisible(relative) ? look(native, root, relative) : null
  if (identity === null) throw notFound()
  const entry = makeEntry(HEADS, {
    type: options.type ?? contentTypeOf(relative),
    etag: versionTag(identity),
    lastModifiedMs: lastModifiedOf(identity),
    cacheControl: CACHE_CONTROL,
    size: identity.size,
    content: null,
    open: opening(native, root, relative, identity),
  })
  const isGet = req.method === 'GET'
  const isRead = isGet || req.method === 'HEAD'
  const fields = isRead ? requestFields(req) : NO_FIELDS
  if (fields.acceptEncoding !== '') addSiblings(entry, native, root, relative, identity, fields)
  const reply = fileReply(answer(entry, isGet, fields))
  if (options.download === undefined || reply.status >= 300) return reply
  const name = options.download === true ? relative : options.download
  reply.append('Content-Disposition', contentDisposition('attachment', name))
  return reply
}

function folderOf(req: Request, options: FileOptions): { native: Native; root: string } {
  const { native, root } = req.services.get(PRIVATE_FILES)
  const folder = options.root ?? root
  if (folder === null) {
    throw createError('UWAS_ERR_FILES_ROOT', {
      problem: 'the site has no folder of private files; set `privateFiles`, or give a root',
    })
  }
  if (isAbsolute(folder)) return { native, root: folder }
  throw createError('UWAS_ERR_FILES_ROOT', {
    problem: `its root ${JSON.stringify(folder)} is not absolute, so it would depend on where the server was started`,
  })
}

function isVisible(relative: string): boolean {
  return relative !== '' && !relative.split('/').some((part) => part === '' || part.startsWith('.'))
}

/** Null for what is no regular file below the folder, or may not be read. */
function look(native: Native, root: string, relative: string): FileIdentity | null {
  let fd: number
  try {
    fd = native.openBeneath(root, relative)
  } catch (error) {
    if (isCodedError(error) && ABSENT.has(error.code)) return null
    throw error
  }
  try {
    return identityOfFd(fd)
  } finally {
    closeSync(fd)
  }
}

/** What a client learns no more of than that there is nothing. */
const ABSENT: ReadonlySet<string> = new Set([
  'UWAS_ERR_NATIVE_NOT_FOUND',
  'UWAS_ERR_NATIVE_NOT_REGULAR',
  'UWAS_ERR_NATIVE_OUTSIDE',
  'UWAS_ERR_NATIVE_DENIED',
  'UWAS_ERR_NATIVE_LINK_LOOP',
  'UWAS_ERR_NATIVE_PATH',
])

/** Opened when the body is sent, and not before: a reply that is never sent holds nothing. */
function opening(native: Native, root: string, relative: string, identity: FileIdentity): OpenFile {
  return () => openFile({ native, root, relative, identity, onStale: () => {} })
}

function lastModifiedOf(identity: FileIdentity): number {
  return Math.floor(Math.min(identity.mtimeMs, Date.now()) / 1000) * 1000
}

/** Only codings that the client takes are looked for; one that is older than its file is another version. */
function addSiblings(
  entry: FileEntry,
  native: Native,
  root: string,
  relative: string,
  identity: FileIdentity,
  { acceptEncoding }: FileFields,
): void {
  if (!entry.isNegotiated) return
  const accepted = acceptedCodings(acceptEncoding)
  const siblings: Encoded[] = []
  for (const [coding, ending] of SIBLINGS) {
    if (accepted[coding] === 0) continue
    const name = relative + ending
    const found = look(native, root, name)
    if (found === null || found.size === 0) continue
    if (lastModifiedOf(found) < lastModifiedOf(identity)) continue
    const open = opening(native, root, name, found)
    const etag = codedEtag(versionTag(found), coding)
    siblings.push({ coding, etag, content: null, open, length: found.size })
  }
  if (siblings.length === 0) return
  entry.siblings = siblings
  refreshVariants(entry)
}

const NO_FIELDS: FileFields = {
  ifMatch: '',
  ifNoneMatch: '',
  ifModifiedSince: '',
  ifUnmodifiedSince: '',
  ifRange: '',
  range: '',
  acceptEncoding: '',
}

/** The fields of a request that decide how a file is answered. */
export function requestFields(req: Request): FileFields {
  const of = (name: string): string => req.header(name) ?? ''
  return {
    ifMatch: of('if-match'),
    ifNoneMatch: of('if-none-match'),
    ifModifiedSince: of('if-modified-since'),
    ifUnmodifiedSince: of('if-unmodified-since'),
    ifRange: of('if-range'),
    range: of('range'),
    acceptEncoding: of('accept-encoding'),
  }
}

/** The fields of a prepared head: whoever made it has checked them. */
function fieldsOf({ head }: Prepared): [name: string, value: string][] {
  const [, ...lines] = Buffer.from(head).toString('latin1').split('\r\n')
  return lines.map((line) => {
    const colon = line.indexOf(': ')
    return [line.slice(0, colon), line.slice(colon + 2)]
  })
}
