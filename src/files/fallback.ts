/**
 * What a mount answers where neither a file nor a route does: the listing of a folder, or the shell of a
 * single-page application. Called by the dispatcher before it says 404.
 */
import { extname } from 'node:path/posix'
import { HttpError } from '../http/http-error.ts'
import { negotiateType } from '../http/negotiate.ts'
import { empty, type Reply, redirect } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import { encodePath } from '../http/target.ts'
import { answer } from './answer.ts'
import { FILE_METHODS, type FileEntry } from './entry.ts'
import { type ListedItem, listFolder } from './listing.ts'
import { type Mount, mountOf } from './mounts.ts'
import { shellPath } from './names.ts'
import type { PathMap } from './path-map.ts'
import { fileReply, requestFields } from './send-file.ts'

/** What stands before other paths, decoded, than the one that was asked for. */
export interface OtherPaths {
  /** Runs around the answer with the file of such a path. */
  before(req: Request, path: string, next: () => Reply): Reply | Promise<Reply>
  /** Whether that would answer the one who asks, as far as is known. */
  isOpen(req: Request, path: string): boolean
}

export interface FallbackParts {
  readonly map: PathMap
  /** The entry of a mount's shell, which browsers must ask for anew each time. */
  readonly shellOf: (mount: Mount) => FileEntry | undefined
  readonly others: OtherPaths
}

const ALLOWED = `${FILE_METHODS}, OPTIONS`

/**
 * Endings of what pages load and programs read: scripts, styles, data, images, fonts, media, archives. Short on purpose:
 * nearly every ending has a media type, and people have names like `jane.me` and `example.com`.
 */
const ASSETS: ReadonlySet<string> = new Set(
  [
    'js mjs cjs css map wasm json jsonl ndjson yaml yml webmanifest xml atom rss txt csv tsv pdf epub',
    'zip gz br zst tgz tar bz2 xz 7z rar deb rpm exe msi dmg apk iso bin php',
    'png apng jpg jpeg gif webp avif heic heif jxl svg ico bmp tif tiff',
    'woff woff2 ttf otf eot',
    'mp4 m4v webm ogv mov mp3 m4a aac ogg oga opus wav flac vtt m3u8 mpd ts m4s',
  ].flatMap((line) => line.split(' ')),
)

/** The reply, or undefined: nothing here either. Throws, or rejects with, 405 for a method that neither answers. */
export function fallBack(
  req: Request,
  { map, shellOf, others }: FallbackParts,
): Reply | Promise<Reply> | undefined {
  const path = encodePath(req.path)
  const mount = mountOf(path, map.mounts)
  if (mount === undefined) return undefined
  if (mount.listing) {
    const listing = listed(req, { map, others }, mount, path)
    if (listing !== undefined) return listing
  }
  const shellsPath = shellPath(mount)
  if (shellsPath === null || !wantsPage(req, mount)) return undefined
  const shell = shellOf(mount)
  return shell && others.before(req, shellsPath, () => otherMethod(req) ?? shellReply(req, shell))
}

/** What a method gets that reads nothing, where GET would be answered; undefined for GET and HEAD. */
function otherMethod({ method }: Request): Reply | undefined {
  if (method === 'GET' || method === 'HEAD') return undefined
  if (method === 'OPTIONS') return empty({ headers: { Allow: ALLOWED } })
  throw new HttpError(405, undefined, { headers: [['Allow', ALLOWED]] })
}

function shellReply(req: Request, shell: FileEntry): Reply {
  const reply = fileReply(answer(shell, req.method === 'GET', requestFields(req)))
  const vary = reply.headers?.find(([name]) => name === 'Vary')?.[1]
  return reply.header('Vary', vary === undefined ? 'Accept' : `Accept, ${vary}`)
}

function listed(
  req: Request,
  { map, others }: Pick<FallbackParts, 'map' | 'others'>,
  mount: Mount,
  path: string,
): Reply | undefined {
  const relative = decodeURIComponent(path.slice(mount.base.length + 1))
  const isFolder = path.endsWith('/')
  const folder = isFolder || relative === '' ? relative : `${relative}/`
  const names = map.names(mount, folder)
  if (names === undefined) return undefined
  const other = otherMethod(req)
  if (other !== undefined) return other
  if (!isFolder) return redirect(`${path}/${searchOf(req)}`, { status: 308 })
  const isOpen = (name: string) => others.isOpen(req, `${mount.base}/${folder}${name}`)
  const items = itemsOf(map, mount, folder, [...names].filter(isOpen))
  return listFolder(req, req.path, items, folder === '')
}

function itemsOf(
  map: PathMap,
  mount: Mount,
  folder: string,
  names: readonly string[],
): ListedItem[] {
  const files = map.files(mount)
  return names.map((name) => {
    const source = files.get(folder + name)
    return source === undefined
      ? { name: name.slice(0, -1), isFolder: true, size: 0, lastModifiedMs: Number.NaN }
      : { name, isFolder: false, size: source.size, lastModifiedMs: source.lastModifiedMs }
  })
}

/** A missing script must be 404 and not a page; so must be what asks for data, or for a hidden file. */
function wantsPage(req: Request, { types }: Mount): boolean {
  const ending = extname(req.path).slice(1).toLowerCase()
  const own = Object.hasOwn(types, ending) ? types[ending] : undefined
  const isAsset = ASSETS.has(ending) || own?.startsWith('text/html') === false
  const isHidden = req.path.includes('/.')
  return !isAsset && !isHidden && negotiateType(req.header('accept'), ['text/html']) !== undefined
}

function searchOf(req: Request): string {
  return req.search === '' ? '' : `?${req.search}`
}
