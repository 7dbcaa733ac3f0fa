/**
 * By which paths the content of a path can be had: a file answers at its own, at its folder's as an index, without
 * `.html` as a clean URL, with a fingerprint, and packed beside itself. For rules about paths, which hold for all of them.
 */
import { splitFingerprint } from './fingerprint.ts'
import type { Mount } from './mounts.ts'
import { SIBLING_ENDING } from './siblings.ts'

/** All decoded paths of what may answer at a decoded path, that one first. Whether there is such a file is not asked. */
export type NamesOf = (path: string) => readonly string[]

type Place = Pick<Mount, 'index' | 'cleanUrls'> & { readonly base: string }

const HTML = '.html'

export function createNames(mounts: readonly Mount[]): NamesOf {
  const places = mounts
    .map(({ base, index, cleanUrls }) => ({ base: decodeURIComponent(base), index, cleanUrls }))
    .sort((a, b) => b.base.length - a.base.length)
  return (path) => {
    const place = places.find(({ base }) => path === base || path.startsWith(`${base}/`))
    if (place === undefined) return [path]
    const names = new Set([path])
    // A set that grows while it is gone through: a packed file may have a fingerprint, too.
    for (const name of names) for (const plain of plainOf(name)) names.add(plain)
    for (const name of [...names]) {
      for (const file of filesAt(place, name)) {
        names.add(file)
        for (const other of pathsOf(place, file)) names.add(other)
      }
    }
    return [...names]
  }
}

/** The decoded path of the page that a mount answers with where nothing else does; null: it has none. */
export function shellPath({ base, spa }: Mount): string | null {
  return spa === null ? null : `${decodeURIComponent(base)}/${spa}`
}

/** The file without its fingerprint, and the one that a packed file is of. */
function plainOf(name: string): string[] {
  const plain = splitFingerprint(name)?.path
  const whole = name.replace(SIBLING_ENDING, '')
  return [...(plain === undefined ? [] : [plain]), ...(whole === name ? [] : [whole])]
}

/** The files that may answer at a path. */
function filesAt({ index, cleanUrls }: Place, name: string): string[] {
  if (name.endsWith('/')) return index.map((one) => name + one)
  return cleanUrls ? [name, name + HTML] : [name]
}

/** The paths at which a file may answer, besides its own. */
function pathsOf({ index, cleanUrls }: Place, file: string): string[] {
  const slash = file.lastIndexOf('/') + 1
  if (index.includes(file.slice(slash))) return [file.slice(0, slash)]
  return cleanUrls && file.endsWith(HTML) ? [file.slice(0, -HTML.length)] : []
}
