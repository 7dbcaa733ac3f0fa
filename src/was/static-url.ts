/**
 * URLs of static files for pages: fingerprinted, so that browsers keep them for good. `staticUrl` is for
 * views, the section `{{#static}}css/app.css{{/static}}` for templates; `app.ts` wires both.
 */
import { createError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { ServiceKey } from '../core/services.ts'
import type { Request } from '../http/request.ts'
import { encodePath } from '../http/target.ts'
import { escapeHtml } from '../template/escape.ts'

export interface StaticUrls {
  /** The URL of a file by its path, as `staticUrl`. */
  of(path: string): string
}

export interface StaticUrlsOptions {
  /** URL prefixes of the static folders, in their order. */
  readonly prefixes: readonly string[]
  /** The URL of the file that a path means; undefined when there is none. */
  readonly find: (path: string) => string | undefined
  readonly log: Log
}

export const STATIC_URLS: ServiceKey<StaticUrls> = {
  name: 'static files',
  hint: 'set `static` in uwas.config.ts to their folder',
}

/** Warnings about missing files, each once; more of them are one mistake in a loop. */
const MAX_WARNED = 100

export function createStaticUrls({ prefixes, find, log }: StaticUrlsOptions): StaticUrls {
  const warned = new Set<string>()
  return {
    of(path) {
      const url = find(path)
      if (url !== undefined) return url
      if (!warned.has(path) && warned.size < MAX_WARNED) {
        warned.add(path)
        log.warn(`a page names the static file ${JSON.stringify(path)}, which does not exist`)
      }
      const prefix = path.startsWith('/') ? '' : (prefixes[0] ?? '/').replace(/\/?$/, '/')
      return encodePath(prefix + path)
    },
  }
}

/**
 * The URL of a static file for a page: `css/app.css`, looked for in all static folders in their order, or
 * `/static/css/app.css`, a path of the site. It holds a fingerprint of the content, and what answers there
 * never changes. What stands behind `?` or `#` is kept. A file that does not exist gets its plain path, and
 * the log a warning.
 */
export function staticUrl(req: Request, path: string): string {
  return req.services.get(STATIC_URLS).of(path)
}

/** What every template finds behind its data. */
export const HELPER_NAMES: readonly string[] = ['static']

/** `{{#static}}css/app.css{{/static}}` for templates, escaped for HTML. */
export function staticHelpers(urls: StaticUrls): { static: (text: string) => string } {
  return {
    static(text) {
      if (text.includes('{{')) {
        throw createError('UWAS_ERR_WAS_STATIC_TAGS', { text: JSON.stringify(text) })
      }
      return escapeHtml(urls.of(text.trim()))
    },
  }
}
