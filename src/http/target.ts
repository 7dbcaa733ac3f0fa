/**
 * The path of a request target in its one canonical form, so that the URL conf, the files and every
 * rule about paths see the same thing. Percent-encoding is decoded exactly once.
 */

export interface Target {
  /** Decoded path: what the URL conf matches. Starts with `/`. */
  readonly path: string
  /** The same path as a well-behaved client writes it: what the file catalogue is keyed by. */
  readonly canonical: string
}

/**
 * `400` for what is no path at all (bad percent-encoding, bytes that are not UTF-8, control
 * characters, a bare `#`); `404` for what only an attacker or a broken client asks for: empty and
 * dot segments, `\`, an encoded `/`.
 */
export type TargetRefusal = 400 | 404

/** Plain ASCII without anything to decode or to refuse; dot and empty segments are looked for apart. */
const PLAIN = /^\/[A-Za-z0-9\-_~!$&'()*+,;=:@/.]*$/
/** They say nothing (RFC 3986 section 6.2.2.3), and apt sends them for all of a repository named as `deb URL ./`. */
const EMPTY_STEP = /\/\.(?=\/)/g
const SUSPICIOUS_SEGMENT = /\/(?:\/|\.\.?(?:\/|$))/
/**
 * A fragment is never sent, and the query is not part of a path: somebody would read them otherwise.
 * U+FFFD stands for bytes that are not UTF-8; encoded, it is a character like any other.
 */
const DELIMITER = /[?#\ufffd]/
const CONTROL = /\p{Cc}/u

/** Reads the path part of an origin-form target (RFC 9112 section 3.2.1), without its query. */
export function parseTarget(rawPath: string): Target | TargetRefusal {
  if (PLAIN.test(rawPath)) {
    return SUSPICIOUS_SEGMENT.test(rawPath) ? 404 : { path: rawPath, canonical: rawPath }
  }
  if (!rawPath.startsWith('/') || DELIMITER.test(rawPath)) return 400
  let path: string
  try {
    path = decodeURIComponent(rawPath)
  } catch {
    return 400
  }
  if (CONTROL.test(path)) return 400
  if (/%2f/i.test(rawPath) || path.includes('\\') || SUSPICIOUS_SEGMENT.test(path)) return 404
  return { path, canonical: encodePath(path) }
}

/** The same of a request, in which `/./` is as good as `/`. Not in what a site declares, where it would be a mistake. */
export function parseRequestTarget(rawPath: string): Target | TargetRefusal {
  return parseTarget(rawPath.includes('/./') ? rawPath.replace(EMPTY_STEP, '') : rawPath)
}

/** Percent-encodes a decoded path: everything outside `pchar` and `/` (RFC 3986 section 3.3). */
export function encodePath(path: string): string {
  return encodeURIComponent(path).replace(/%(?:2F|24|26|2B|2C|3B|3D|3A|40)/g, decodeURIComponent)
}
