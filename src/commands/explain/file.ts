/**
 * What `uwas explain` says of static files. Gets an entry of the catalogue and the request, leaves the
 * verdict with the very head that the server would send.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { answer } from '../../files/answer.ts'
import type { Catalogue } from '../../files/catalogue.ts'
import type { FileEntry, Prepared } from '../../files/entry.ts'
import { splitFingerprint } from '../../files/fingerprint.ts'
import { type Mount, mountOf } from '../../files/mounts.ts'
import { refusalOf, requestFields } from '../../files/send-file.ts'
import { type HeaderList, withVary } from '../../http/headers.ts'
import type { Request } from '../../http/request.ts'
import { withFields } from '../../server/extra-head.ts'
import type { SiteRules } from '../../was/site-rules.ts'
import { showPath } from '../site-place.ts'
import type { FileFacts, Verdict } from './explanation.ts'
import { ERROR_FIELDS } from './urls.ts'

/** `canonical` is where `entry` was found; the request's path is decoded. */
export function explainFile(
  files: Catalogue,
  rules: SiteRules | null,
  req: Request,
  canonical: string,
  entry: FileEntry,
): Verdict {
  // What an earlier server has made is known at once; else it is made for whoever takes it.
  entry.maker?.want(entry)
  const mount = mountOf(canonical, files.mounts)
  const isGet = req.method === 'GET'
  const own =
    entry.redirect && req.search !== ''
      ? files.redirect(entry, req.search)
      : answer(entry, isGet, requestFields(req))
  const fields = rules?.fields(req.path, req.header('origin')) ?? null
  const prepared = fields === null ? own : withFields(own, fields)
  const facts = factsOf(entry, mount, canonical)
  return {
    by: 'file',
    status: prepared.status,
    summary: entry.redirect
      ? `the redirect to its one path, ${entry.location}`
      : `the file ${facts.path}`,
    file: facts,
    headers: prepared.status < 400 ? headOf(prepared) : headOfError(prepared),
  }
}

function factsOf(entry: FileEntry, mount: Mount | undefined, canonical: string): FileFacts {
  const { fields, ok, variants } = entry
  return {
    prefix: mount?.prefix ?? '',
    dir: mount === undefined ? '' : showPath(mount.dir),
    path: entry.redirect ? entry.location : showPath(fileAt(mount, canonical)),
    bytes: ok.length,
    type: fields.type,
    etag: fields.etag,
    lastModified: fields.lastModified,
    cacheControl: fields.cacheControl,
    from: entry.open === null ? 'memory' : 'disk',
    variants: variants.map(({ coding, etag, ok: { length } }) => ({
      coding,
      bytes: length,
      etag,
    })),
  }
}

/** The file on the disk that answers at a path, found as the catalogue finds it. */
function fileAt(mount: Mount | undefined, canonical: string): string {
  if (mount === undefined) return canonical
  const plain = splitFingerprint(canonical)?.path ?? canonical
  for (const path of new Set([canonical, plain])) {
    const relative = decodeURIComponent(path.slice(mount.base.length + 1))
    const candidates = [relative, ...mount.index.map((index) => join(relative, index))]
    if (mount.cleanUrls) candidates.push(`${relative}.html`)
    const found = candidates.find((one) => isFile(join(mount.dir, one)))
    if (found !== undefined) return join(mount.dir, found)
  }
  return join(mount.dir, decodeURIComponent(plain.slice(mount.base.length + 1)))
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

/** Of the page in its place, whose length depends on the site. */
function headOfError(prepared: Prepared): HeaderList {
  let list: HeaderList = [...ERROR_FIELDS]
  for (const [name, value] of refusalOf(prepared).headers) {
    if (name === 'Vary') list = withVary(list, value)
    else list.push([name, value])
  }
  return list
}

function headOf({ head, length, status }: Prepared): [string, string][] {
  const [, ...lines] = Buffer.from(head).toString('latin1').split('\r\n')
  const list = lines.map((line): [string, string] => {
    const at = line.indexOf(': ')
    return [line.slice(0, at), line.slice(at + 2)]
  })
  return status === 304 ? list : [...list, ['Content-Length', String(length)]]
}
