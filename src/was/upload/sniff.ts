/** What a file's first bytes say it is (WHATWG MIME Sniffing, section 6): for the kinds that forms are sent. */

/** Signatures by offset; `null` bytes are any. Latin-1. */
const SIGNATURES: readonly (readonly [type: string, at: number, bytes: string])[] = [
  ['image/png', 0, '\x89PNG\r\n\x1a\n'],
  ['image/jpeg', 0, '\xff\xd8\xff'],
  ['image/gif', 0, 'GIF87a'],
  ['image/gif', 0, 'GIF89a'],
  ['image/webp', 8, 'WEBPVP'],
  ['image/avif', 4, 'ftypavif'],
  ['image/bmp', 0, 'BM'],
  ['application/pdf', 0, '%PDF-'],
  ['application/zip', 0, 'PK\x03\x04'],
  ['application/gzip', 0, '\x1f\x8b\x08'],
  ['audio/mpeg', 0, 'ID3'],
  ['audio/wave', 8, 'WAVE'],
  ['application/ogg', 0, 'OggS\0'],
  ['video/mp4', 4, 'ftyp'],
  ['video/webm', 0, '\x1aE\xdf\xa3'],
]

/** Bytes that are enough to tell. */
export const SNIFFED_BYTES = 16

/** The media type, or null for what is none of these: text has no signature. */
export function sniffType(start: Uint8Array): string | null {
  const text = Buffer.from(start.subarray(0, SNIFFED_BYTES)).toString('latin1')
  return SIGNATURES.find(([, at, bytes]) => text.startsWith(bytes, at))?.[0] ?? null
}

/** All types that `sniffType` tells. */
export const UPLOAD_TYPES: readonly string[] = SIGNATURES.map(([type]) => type)
