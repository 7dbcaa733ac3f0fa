/**
 * A folder as entries in memory, for the rivals that serve from memory (Node and Bun run it): path,
 * bytes, type, fields of the answer, and the `.gz` sibling's bytes.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'

/** @returns {Map<string, {body: Buffer, fields: [string, string][], etag: string, gzip?: Buffer}>} by URL path */
export function readFolder(dir, fields) {
  const entries = new Map()
  const names = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath ?? one.path, one.name))
  const all = new Set(names)
  for (const file of names) {
    const body = readFileSync(file)
    const { mtime } = statSync(file)
    const etag = `"${mtime.getTime().toString(16)}-${body.length.toString(16)}"`
    entries.set(`/${relative(dir, file)}`, {
      body,
      etag,
      fields: [
        ...fields,
        ['ETag', etag],
        ['Last-Modified', mtime.toUTCString()],
        ['Accept-Ranges', 'bytes'],
      ],
      ...(all.has(`${file}.gz`) && { gzip: readFileSync(`${file}.gz`) }),
    })
  }
  return entries
}
