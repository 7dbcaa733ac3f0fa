/**
 * Checks and resolves the mounts of a site: which folder answers below which URL prefix, and how.
 * Called once, when the catalogue is made.
 */
import { resolve } from 'node:path'
import { createError } from '../core/errors.ts'
import { checkHeader } from '../http/headers.ts'
import type { MimeOverrides } from '../http/mime.ts'
import { encodePath, parseTarget } from '../http/target.ts'
import { compileGlob, type PathTest } from './glob.ts'
import { DEFAULT_CACHE_CONTROL } from './heads.ts'

export interface MountOptions {
  /** Folder with the files; relative to the working directory. */
  readonly dir: string
  /** Decoded URL path below which they answer: `/`, `/static` (the same as `/static/`). */
  readonly prefix: string
  /** Names of the file that answers for its folder, the first that is there. Default `index.html`. */
  readonly index?: readonly string[] | undefined
  /** `/a` answers with `a.html`, and `/a.html` redirects there. Default false. */
  readonly cleanUrls?: boolean | undefined
  /** The file, relative to `dir`, that answers a browser where nothing else does. Default null: none. */
  readonly spa?: string | null | undefined
  /** Lists folders that have no index. Default false. */
  readonly listing?: boolean | undefined
  /** Whether files have Last-Modified, and conditions by date. Default true. */
  readonly lastModified?: boolean | undefined
  /** The first rule whose pattern (see `compileGlob`) fits a file says its Cache-Control. Default `no-cache`. */
  readonly cacheControl?: readonly CacheRule[] | undefined
  /** Ending without dot, lower case → Content-Type. */
  readonly types?: MimeOverrides | undefined
}

export interface CacheRule {
  readonly match: string
  /** Whole value of the field. */
  readonly cacheControl: string
}

export interface Mount {
  /** Absolute path; may be or go through a link. */
  readonly dir: string
  /** As the site wrote it, for messages. */
  readonly prefix: string
  /** Encoded canonical prefix without a slash at its end: empty for `/`. */
  readonly base: string
  readonly index: readonly string[]
  readonly cleanUrls: boolean
  readonly spa: string | null
  readonly listing: boolean
  readonly types: MimeOverrides
  readonly lastModified: boolean
  /** Cache-Control of a file, by its path relative to `dir`. */
  readonly cacheControlOf: (relative: string) => string
}

/** Throws UWAS_ERR_FILES_PREFIX, and UWAS_ERR_HTTP_HEADER_VALUE for what cannot be sent. */
export function resolveMounts(options: readonly MountOptions[]): Mount[] {
  const mounts = options.map(resolveMount)
  for (const mount of mounts) {
    const other = mounts.find((each) => each !== mount && each.base === mount.base)
    if (other !== undefined) {
      refuse(
        mount.prefix,
        `both ${mount.dir} and ${other.dir} are mounted there; choose one prefix each`,
      )
    }
  }
  return mounts
}

/** The longest prefix wins: true when no other mount has a claim on `path`, a path below `mount`. */
export function isOwner(mount: Mount, path: string, mounts: readonly Mount[]): boolean {
  return !mounts.some(
    ({ base }) => base.length > mount.base.length && (path === base || path.startsWith(`${base}/`)),
  )
}

/** The mount that has a say about an encoded canonical path. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  return mounts.find(
    (mount) =>
      (path === mount.base || path.startsWith(`${mount.base}/`)) && isOwner(mount, path, mounts),
  )
}

/** Names that start with a dot are nobody's business, but for `/.well-known/` (RFC 8615). */
export function isHidden(mount: Mount, relative: string): boolean {
  const name = relative.slice(relative.lastIndexOf('/') + 1)
  return name.startsWith('.') && !(mount.base === '' && relative === '.well-known')
}

function resolveMount(options: MountOptions): Mount {
  const { types = {} } = options
  for (const type of Object.values(types)) checkHeader('Content-Type', type)
  return {
    dir: resolve(options.dir),
    prefix: options.prefix,
    base: basePath(options.prefix),
    index: options.index ?? ['index.html'],
    cleanUrls: options.cleanUrls ?? false,
    spa: options.spa ?? null,
    listing: options.listing ?? false,
    types,
    lastModified: options.lastModified ?? true,
    cacheControlOf: compileRules(options.cacheControl ?? []),
  }
}

function compileRules(rules: readonly CacheRule[]): Mount['cacheControlOf'] {
  const compiled = rules.map(({ match, cacheControl }): [PathTest, string] => {
    checkHeader('Cache-Control', cacheControl)
    return [compileGlob(match), cacheControl]
  })
  return (relative) => compiled.find(([test]) => test(relative))?.[1] ?? DEFAULT_CACHE_CONTROL
}

function basePath(prefix: string): string {
  if (!prefix.startsWith('/')) refuse(prefix, `a prefix starts with "/": say "/${prefix}"`)
  if (prefix === '/') return ''
  const trimmed = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
  const target = parseTarget(encodePath(trimmed))
  if (typeof target === 'number' || trimmed.endsWith('/')) {
    refuse(prefix, 'no request can have such a path; leave out empty, "." and ".." parts and "\\"')
  }
  return target.canonical
}

function refuse(prefix: string, problem: string): never {
  throw createError('UWAS_ERR_FILES_PREFIX', { prefix: JSON.stringify(prefix), problem })
}
