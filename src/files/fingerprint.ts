/** The form of fingerprinted URLs: `/css/app.3f2a91c0.css` for a version of `/css/app.css`. */

/** Hexadecimal digits of a content's hash that stand in a URL: enough to tell versions of one file apart. */
const DIGITS = 8
const BEFORE_ENDING = /^(.*[^/])\.([0-9a-f]{8})(\.[^./]*)$/s
const AT_END = /^(.*\/[^./]+)\.([0-9a-f]{8})$/s

export interface Fingerprinted {
  /** The path without the fingerprint. */
  readonly path: string
  readonly fingerprint: string
}

export function fingerprintOf(hash: string): string {
  return hash.slice(0, DIGITS)
}

/** Puts the fingerprint of `hash` into the name at the end of an encoded path. */
export function addFingerprint(path: string, hash: string): string {
  const dot = path.lastIndexOf('.')
  const at = dot > path.lastIndexOf('/') + 1 ? dot : path.length
  return `${path.slice(0, at)}.${fingerprintOf(hash)}${path.slice(at)}`
}

/** What `addFingerprint` made a path of; null when it has not. */
export function splitFingerprint(path: string): Fingerprinted | null {
  const [, before, fingerprint, ending = ''] =
    BEFORE_ENDING.exec(path) ?? AT_END.exec(path) ?? ([] as undefined[])
  if (before === undefined || fingerprint === undefined) return null
  return { path: before + ending, fingerprint }
}
