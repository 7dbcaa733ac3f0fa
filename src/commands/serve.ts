/**
 * `uwas serve`: serves a site, or the files of a folder, until a signal ends it. Gets the command
 * line's flags, leaves the exit code. Called by `cli.ts`.
 */
import { createApp, openBackends } from '../app.ts'
import { createError } from '../core/errors.ts'
import { securityHeaders } from '../http/security-headers.ts'
import { listen } from '../server/server.ts'
import type { SiteConfig } from '../was/config.ts'
import { count } from './count.ts'
import { exitOnSignals, untilEnd } from './lifecycle.ts'
import { createCommandLog } from './log.ts'
import { type FolderFlags, folderSite, loadServedSite, type SiteFlags, showPath } from './site.ts'

export async function serveCommand(dir: string | undefined, flags: FolderFlags): Promise<number> {
  const log = createCommandLog()
  const config =
    dir === undefined
      ? await loadServedSite(onlySite(flags))
      : folderSite(dir, onlyFolder(flags, dir))
  setHeaderLimit(config)
  exitOnSignals()
  const backends = await openBackends(config, log)
  try {
    const app = await createApp(config, backends, { log })
    const server = await listen(app, {
      host: config.host ?? undefined,
      port: config.port,
      headers: securityHeaders(config.securityHeaders),
    })
    const { files, routes, templates } = app.counts
    const parts = [count(files, 'file')]
    if (config.file !== null) parts.push(count(routes, 'route'), count(templates, 'template'))
    log.info(
      `serving ${showPath(config.root)} (${parts.join(', ')}) on ${serverUrl(config.host, server.port)}`,
    )
    return await untilEnd(async (graceMs) => {
      await server.close({ graceMs })
      await backends.close()
    }, log)
  } catch (error) {
    await backends.close()
    throw error
  }
}

/** The engine reads its limit from the environment, once, when it is loaded: before the first `listen`. */
export function setHeaderLimit(config: SiteConfig): void {
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(config.limits.maxHeaderBytes)
}

/** Addresses that a browser on this machine reaches as localhost. */
const LOCAL: ReadonlySet<string> = new Set(['0.0.0.0', '::', '127.0.0.1', '::1'])

/** The address to open in a browser on this machine. */
export function serverUrl(host: string | null, port: number): string {
  if (host === null || LOCAL.has(host)) return `http://localhost:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Without a folder these flags would change nothing. */
function onlySite(flags: FolderFlags): SiteFlags {
  const { spa, listing, cleanUrls } = flags
  if (spa === undefined && listing === undefined && cleanUrls === undefined) return flags
  throw createError('UWAS_ERR_COMMANDS_FOLDER_FLAGS', {})
}

function onlyFolder(flags: FolderFlags, dir: string): FolderFlags {
  if (flags.config === undefined) return flags
  throw createError('UWAS_ERR_COMMANDS_FOLDER', {
    dir: JSON.stringify(dir),
    problem: 'with --config the files come from the configuration; give one of the two',
  })
}
