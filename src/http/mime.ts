/**
 * The Content-Type of a file by the ending of its name. Called once per file, when the catalogue is
 * made; the registry behind it is the package `mime-types`.
 */
import mimeTypes from 'mime-types'

/** Ending without its dot → whole Content-Type value; goes before the registry. */
export type MimeOverrides = Readonly<Record<string, string>>

/** What says nothing and is never executed (RFC 9110 section 8.3). */
export const UNKNOWN_TYPE = 'application/octet-stream'

/** XML names its own encoding, and a charset parameter would overrule it (RFC 7303 section 3.1). */
const XML = /^[^;]+[/+]xml$/
const TEXT = /^(?:text\/[^;]+|application\/(?:javascript|json|[^;]+\+json))$/

/**
 * Content-Type for `name` (a file name or path). Text, scripts and JSON get `charset=utf-8`; a name
 * without an ending, or with an unknown one, is `application/octet-stream`. Case does not matter.
 */
export function contentTypeOf(name: string, overrides: MimeOverrides = {}): string {
  const ending = endingOf(name)
  if (ending === '') return UNKNOWN_TYPE
  if (Object.hasOwn(overrides, ending)) return overrides[ending] as string
  const type = Object.hasOwn(mimeTypes.types, ending) ? mimeTypes.types[ending] : undefined
  if (type === undefined) return UNKNOWN_TYPE
  return TEXT.test(type) && !XML.test(type) ? `${type}; charset=utf-8` : type
}

/** The media type of an ending (`html`) without parameters; a text that is no ending stays as it is. */
export function mediaTypeOf(ending: string): string {
  const lower = ending.toLowerCase()
  return Object.hasOwn(mimeTypes.types, lower) ? (mimeTypes.types[lower] as string) : lower
}

/** What stands after the last dot, in lower case; a leading dot begins a name, not an ending. */
function endingOf(name: string): string {
  const base = name.slice(name.lastIndexOf('/') + 1)
  const dot = base.lastIndexOf('.')
  return dot > 0 ? base.slice(dot + 1).toLowerCase() : ''
}
