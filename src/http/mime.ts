/**
 * The Content-Type of a file by the ending of its name. Called once per file, when the catalogue is
 * made; the registry behind it is the package `mime-types`.
 */
import mimeTypes from 'mime-types'

/** Ending without its dot, in lower case → Content-Type; goes before the registry. */
export type MimeOverrides = Readonly<Record<string, string>>

/** What says nothing and is never executed (RFC 9110 section 8.3). */
export const UNKNOWN_TYPE = 'application/octet-stream'

/** XML names its own encoding, and a charset parameter would overrule it (RFC 7303 section 3.1). */
const XML = /^[^;]+[/+]xml$/i
const TEXT = /^(?:text\/[^;]+|application\/(?:javascript|json|[^;]+\+json))$/i

/**
 * Content-Type for `name` (a file name or path). Text, scripts and JSON get `charset=utf-8` where nothing else is said; a
 * name without an ending, or with an unknown one, is `application/octet-stream`. Case does not matter.
 */
export function contentTypeOf(name: string, overrides: MimeOverrides = {}): string {
  const ending = endingOf(name)
  if (ending === '') return UNKNOWN_TYPE
  if (Object.hasOwn(overrides, ending)) return withCharset(overrides[ending] as string)
  const type = Object.hasOwn(mimeTypes.types, ending) ? mimeTypes.types[ending] : undefined
  return type === undefined ? UNKNOWN_TYPE : withCharset(type)
}

/** The media type of an ending (`html`) without parameters; a text that is no ending stays as it is. */
export function mediaTypeOf(ending: string): string {
  const lower = ending.toLowerCase()
  return Object.hasOwn(mimeTypes.types, lower) ? (mimeTypes.types[lower] as string) : lower
}

function withCharset(type: string): string {
  return TEXT.test(type) && !XML.test(type) ? `${type}; charset=utf-8` : type
}

/** What stands after the last dot, in lower case; a leading dot begins a name, not an ending. */
function endingOf(name: string): string {
  const base = name.slice(name.lastIndexOf('/') + 1)
  const dot = base.lastIndexOf('.')
  return dot > 0 ? base.slice(dot + 1).toLowerCase() : ''
}
