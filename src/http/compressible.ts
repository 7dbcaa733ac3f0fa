/**
 * Which media types are worth compressing. Asked once per static file, when its entry is made, and for
 * dynamic replies by their Content-Type.
 */

/** Text and markup, formats built on them, and the binary formats that are not compressed themselves. */
const COMPRESSIBLE =
  /^(?:text\/|application\/(?:javascript|ecmascript|json|xml|wasm|rtf|sql|graphql|manifest|x-ndjson|x-sh|x-tar|x-httpd-php|postscript|vnd\.ms-fontobject|x-font-ttf|[^;/]+\+(?:json|xml|text))(?:$|[ ;])|font\/(?:ttf|otf|collection)(?:$|[ ;])|image\/(?:bmp|x-icon|vnd\.microsoft\.icon|svg\+xml|x-ms-bmp)(?:$|[ ;])|model\/gltf|[^;/]+\/[^;/]+\+(?:json|xml)(?:$|[ ;]))/i

/** For a Content-Type with or without parameters; an event stream is text too. */
export function isCompressible(type: string): boolean {
  return COMPRESSIBLE.test(type)
}
