/**
 * The listing of a folder as a page or as JSON. Gets what lies in it, gives a reply; called by the
 * fallback for mounts that want listings.
 */
import { createHash } from 'node:crypto'
import { negotiateType } from '../http/negotiate.ts'
import { html, json, type Reply } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import { encodePath } from '../http/target.ts'
import { escapeHtml } from '../template/escape.ts'

export interface ListedItem {
  /** Without a slash. */
  readonly name: string
  readonly isFolder: boolean
  /** In bytes; 0 for folders. */
  readonly size: number
  /** Milliseconds since 1970; NaN for folders. */
  readonly lastModifiedMs: number
}

/** More names help nobody, and a folder may hold a million. */
const MAX_ITEMS = 10_000
const STYLE =
  ':root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}' +
  'h1{font-size:1.25rem;overflow-wrap:anywhere}table{border-collapse:collapse;width:100%}' +
  'th,td{text-align:left;padding:.3rem .5rem;border-bottom:1px solid #8884}' +
  'td:first-child{overflow-wrap:anywhere}td:nth-child(2),th:nth-child(2){text-align:right;white-space:nowrap}' +
  'td:nth-child(3),th:nth-child(3){white-space:nowrap}a{text-decoration:none}a:hover{text-decoration:underline}'
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
/** Made for the first listing: a language's rules take 15 ms to read, and most servers list nothing. */
let order: Intl.Collator | undefined

/**
 * The listing of the folder at the decoded path `path`, which ends with a slash, in the form that Accept
 * asks for: a page, or a JSON list of `{ name, type: 'file' | 'folder', url, size, mtime }`, folders first.
 * `isTop`: nothing to list above it.
 */
export function listFolder(
  req: Request,
  path: string,
  items: readonly ListedItem[],
  isTop: boolean,
): Reply {
  order ??= new Intl.Collator('en', { numeric: true })
  const { compare } = order
  const sorted = items.toSorted(
    (one, other) =>
      Number(other.isFolder) - Number(one.isFolder) ||
      compare(one.name, other.name) ||
      (one.name < other.name ? -1 : 1),
  )
  const shown = sorted.slice(0, MAX_ITEMS)
  const type = negotiateType(req.header('accept'), ['text/html', 'application/json'])
  const reply =
    type === 'application/json'
      ? json(shown.map(toJson))
      : html(pageOf(path, shown, items.length - shown.length, isTop)).header(
          'Content-Security-Policy',
          POLICY,
        )
  return reply.header('Vary', 'Accept').header('Cache-Control', 'no-cache')
}

function toJson(item: ListedItem) {
  const { name, isFolder, size, lastModifiedMs } = item
  const url = urlOf(item)
  if (isFolder) return { name, type: 'folder', url }
  return { name, type: 'file', url, size, mtime: new Date(lastModifiedMs).toISOString() }
}

function pageOf(
  path: string,
  items: readonly ListedItem[],
  hidden: number,
  isTop: boolean,
): string {
  const title = escapeHtml(path)
  const up = isTop ? '' : '<tr><td><a href="../">../</a><td><td>\n'
  const more = hidden === 0 ? '' : `<p>… and ${hidden} more.</p>\n`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${STYLE}</style>
<h1>${title}</h1>
<table>
<thead><tr><th>Name<th>Size<th>Changed
<tbody>
${up}${items.map(rowOf).join('')}</table>
${more}`
}

function rowOf(item: ListedItem): string {
  const { name, isFolder, size, lastModifiedMs } = item
  const link = `<a href="${escapeHtml(urlOf(item))}">${escapeHtml(name)}${isFolder ? '/' : ''}</a>`
  if (isFolder) return `<tr><td>${link}<td><td>\n`
  const time = new Date(lastModifiedMs).toISOString()
  const shown = time.slice(0, 16).replace('T', ' ')
  return `<tr><td>${link}<td>${sizeOf(size)}<td><time datetime="${time}">${shown}</time>\n`
}

/** Relative, with `./` in front: a name with a colon would be read as a scheme (RFC 3986 section 4.2). */
function urlOf({ name, isFolder }: ListedItem): string {
  return `./${encodePath(name)}${isFolder ? '/' : ''}`
}

function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length)
  return `${(bytes / 1024 ** power).toFixed(1)} ${units[power - 1]}`
}
