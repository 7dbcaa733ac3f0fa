/**
 * What was probably meant by a path that nothing answers. Gets the site's routes and files, leaves hints
 * for `uwas explain`, the likeliest first.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { nearest } from '../../core/nearest.ts'
import type { Catalogue } from '../../files/catalogue.ts'
import { type Mount, mountOf } from '../../files/mounts.ts'
import type { Request } from '../../http/request.ts'
import { encodePath } from '../../http/target.ts'
import type { CompiledUrls } from '../../route/compile.ts'
import type { Method } from '../../route/entry.ts'
import type { Route } from '../../route/flatten.ts'
import { type HostPattern, labelsOf, matchHost, normalizeHost } from '../../route/host-pattern.ts'
import { formatPlace } from '../../route/place.ts'
import { matchSegment } from '../../route/segment.ts'
import { showPath } from '../site-place.ts'

/** More would hide the one that helps. */
const MAX_HINTS = 5

export function explainMissing(
  urls: CompiledUrls,
  files: Catalogue,
  { method, path, client }: Request,
): string[] {
  const hints = [
    ...otherSlash(urls, method, path, client.host),
    ...otherHosts(urls, method, path, client.host),
    ...urls.routes.flatMap((route) => nearMiss(route, path)),
    ...explainNoFile(files, path),
  ]
  return hints.slice(0, MAX_HINTS)
}

function otherSlash(urls: CompiledUrls, method: string, path: string, host: string): string[] {
  const other = urls.match('GET', path, host)?.redirect
  return other === undefined ? [] : [`GET and HEAD are redirected to ${other}; ${method} is not`]
}

/** Routes of this path at a host that is not this one. */
function otherHosts(urls: CompiledUrls, method: string, path: string, host: string): string[] {
  if (!urls.hasHosts) return []
  const parts = path.slice(1).split('/')
  return urls.routes
    .filter((route) => route.host !== undefined && !answersAt(route.host, host))
    .filter((route) => route.views[method as Method] !== undefined && fitsPath(route, parts))
    .map(({ pattern, place }) => `route ${pattern} (${formatPlace(place)}) is not at host ${host}`)
}

function answersAt(pattern: HostPattern, host: string): boolean {
  const labels = labelsOf(normalizeHost(host))
  try {
    return matchHost(pattern, labels) !== undefined
  } catch {
    return false
  }
}

function fitsPath({ segments }: Route, parts: readonly string[]): boolean {
  const isRest = segments.at(-1)?.kind === 'rest'
  if (isRest ? parts.length < segments.length : parts.length !== segments.length) return false
  return segments.every((segment, i) => {
    const part = parts[i] as string
    if (segment.kind === 'literal') return segment.text === part
    return segment.kind === 'rest' || fits(segment, part)
  })
}

/** A hint where all segments fit but one. */
function nearMiss(route: Route, path: string): string[] {
  const parts = path.slice(1).split('/')
  const { segments, pattern } = route
  const isRest = segments.at(-1)?.kind === 'rest'
  if (isRest ? parts.length < segments.length : parts.length !== segments.length) return []
  const misses: string[] = []
  const meant = [...parts]
  for (const [i, segment] of segments.entries()) {
    const part = parts[i] as string
    if (segment.kind === 'literal') {
      if (segment.text === part) continue
      if (nearest(part, [segment.text]) === undefined) return []
      meant[i] = segment.text
      misses.push(`did you mean ${encodePath(`/${meant.join('/')}`)}?`)
    } else if (segment.kind === 'dynamic' && !fits(segment, part)) {
      const wanted = segment.parameters.map(({ type, name }) => `<${type}:${name}>`).join(', ')
      misses.push(`${JSON.stringify(part)} does not fit ${wanted}`)
    }
  }
  const [miss] = misses
  if (misses.length !== 1 || miss === undefined) return []
  return [`route ${pattern} (${formatPlace(route.place)}): ${miss}`]
}

/** A converter that throws is a mistake of its own, and no hint. */
function fits(segment: Parameters<typeof matchSegment>[0], part: string): boolean {
  try {
    return part !== '' && matchSegment(segment, part, [])
  } catch {
    return false
  }
}

function explainNoFile(files: Catalogue, path: string): string[] {
  const encoded = encodePath(path)
  const mount = mountOf(encoded, files.mounts)
  if (mount === undefined) return []
  const near = nearest(encoded, files.paths())
  if (near !== undefined) return [`file: did you mean ${near}?`]
  const relative = path.slice(decodeURIComponent(mount.base).length + 1)
  const onDisk = join(mount.dir, relative)
  const found = statSync(onDisk, { throwIfNoEntry: false })
  if (found === undefined) return []
  return [`${showPath(onDisk)} is there, but ${whyNot(mount, relative, found.isDirectory())}`]
}

function whyNot(mount: Mount, relative: string, isFolder: boolean): string {
  if (relative.split('/').some((part) => part.startsWith('.'))) {
    return 'names that start with a dot are not served'
  }
  if (isFolder) {
    return `it is a folder without ${mount.index.join(' or ')}; "listing: true" in "static" would list it`
  }
  return 'it is not served: it cannot be read, or is reached by a link out of the folder'
}
