/**
 * Static pages in development. The native lane answers files by itself, so that no middleware sees
 * them; here HTML files are taken from it and made replies, which then get the script that follows.
 * Called by `commands/dev.ts`.
 */
import type { FileEntry } from '../../files/entry.ts'
import { html } from '../../http/reply.ts'
import { encodePath } from '../../http/target.ts'
import type { Middleware } from '../../http/view.ts'
import type { Application } from '../../server/application.ts'

type Files = Application['files']

/** The same files without their pages. */
export function withoutPages(files: Files): Files {
  return {
    lookup(path) {
      const entry = files.lookup(path)
      return entry === undefined || isPage(entry) ? undefined : entry
    },
    redirect: files.redirect.bind(files),
  }
}

/** Answers GET and HEAD of the pages of `files`, as they are at that moment. */
export function servePages(files: Files): Middleware {
  return async (req, next) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') return next()
    const entry = files.lookup(encodePath(req.path))
    const content = entry?.ok.content ?? null
    if (entry === undefined || content === null || !isPage(entry)) return next()
    return content
      .load()
      .then((bytes) =>
        html(Buffer.from(bytes).toString('utf8'), { headers: { 'Cache-Control': 'no-store' } }),
      )
  }
}

function isPage({ redirect, ok }: FileEntry): boolean {
  if (redirect || ok.content === null) return false
  return /\r\nContent-Type: text\/html\b/i.test(Buffer.from(ok.head).toString('latin1'))
}
