/**
 * Finds what a command works on. Gets the command line's wishes; leaves a `SiteConfig`: of a
 * configuration file, or of a bare folder. Called by every command.
 */
import { accessSync, constants, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createError, isCodedError } from '../core/errors.ts'
import { parseConfig, type SiteConfig } from '../was/config.ts'
import { readPort } from '../was/port.ts'
import { loadEnvFile } from './env-file.ts'
import type { LogLevel } from './log.ts'
import { loadSiteModule } from './site-module.ts'
import { cacheDir, findConfig, showPath } from './site-place.ts'
import { withoutLoadNumbers } from './site-url.ts'

/** What the command line says over the configuration. */
export interface SiteFlags {
  /** Configuration file; default: the first of `CONFIG_NAMES` in the current folder. */
  readonly config?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  /** Processes that serve; only where somebody serves. */
  readonly workers?: number | 'auto' | undefined
  /** File that tells the pid of a server; only where somebody serves, or looks for who does. */
  readonly pidFile?: string | undefined
  /** As whom workers run; only where root serves. */
  readonly user?: string | undefined
  readonly logFile?: string | undefined
  readonly logLevel?: LogLevel | undefined
  readonly verbose?: boolean | undefined
}

/** What it says of a folder that is served without one. */
export interface FolderFlags extends SiteFlags {
  readonly spa?: boolean | string | undefined
  readonly listing?: boolean | undefined
  readonly cleanUrls?: boolean | undefined
}

/** Reads the configuration file anew. Rejects with a coded error of what is wrong with it. */
export async function loadSite(flags: SiteFlags): Promise<SiteConfig> {
  const file = findConfig(flags.config)
  loadEnvFile(dirname(file))
  const config = exportedConfig(file, await importConfig(file))
  return withFlags(parseConfig(config, { file, env: environment(flags) }), flags)
}

/** The same for commands that serve the site. Rejects with UWAS_ERR_COMMANDS_EMPTY besides. */
export async function loadServedSite(flags: SiteFlags): Promise<SiteConfig> {
  const config = await loadSite(flags)
  checkServes(config)
  return config
}

/** Throws UWAS_ERR_COMMANDS_EMPTY for a site that could answer nothing but 404. */
export function checkServes({ urls, static: folders, file, root }: SiteConfig): void {
  if (urls !== null || folders.length > 0) return
  throw createError('UWAS_ERR_COMMANDS_EMPTY', { file: showPath(file ?? root) })
}

/**
 * A folder served as it is: its files at `/`, no database, no code. What uwas keeps of it lies in the
 * user's cache folder, never in the folder itself. Throws UWAS_ERR_COMMANDS_FOLDER.
 */
export function folderSite(dir: string, flags: FolderFlags): SiteConfig {
  const root = resolve(dir)
  checkFolder(dir, root)
  const env = { PORT: environment(flags)['PORT'] }
  if (readPort(env.PORT) === null) {
    throw createError('UWAS_ERR_COMMANDS_FOLDER', {
      dir: JSON.stringify(dir),
      problem: `the environment's PORT is "${env.PORT}"; it has to be a number from 0 to 65535`,
    })
  }
  const { spa, listing, cleanUrls } = flags
  // By the path that was given: a link to the present release keeps its state from release to release.
  const raw = {
    static: [{ dir: root, spa, listing, cleanUrls }],
    stateDir: cacheDir(root),
    database: false,
  }
  return withFlags(
    { ...parseConfig(raw, { file: join(root, 'uwas serve'), env }), file: null },
    flags,
  )
}

async function importConfig(file: string): Promise<Record<string, unknown>> {
  try {
    return await loadSiteModule(file)
  } catch (error) {
    if (isCodedError(error)) throw error
    throw createError(
      'UWAS_ERR_COMMANDS_CONFIG_LOAD',
      { file: showPath(file), problem: describe(error) },
      error,
    )
  }
}

function exportedConfig(file: string, exports: Record<string, unknown>): unknown {
  const config = exports['config'] ?? exports['default']
  if (config !== undefined) return config
  throw createError('UWAS_ERR_COMMANDS_CONFIG_EXPORT', { file: showPath(file) })
}

/** The error's words, and the first line of the site's own code that its stack names. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const words = withoutLoadNumbers(error.message)
  if (error instanceof SyntaxError) return words
  const frame = /(file:\/\/[^\s()]+?)\?uwas-load=\d+:(\d+):(\d+)/.exec(error.stack ?? '')
  const place =
    frame === null ? '' : `\n  at ${fileURLToPath(`${frame[1]}`)}:${frame[2]}:${frame[3]}`
  return `${error.name}: ${words}${place}`
}

/** What --port wins over is not even looked at. */
function environment({ port }: SiteFlags): NodeJS.ProcessEnv {
  return port === undefined ? process.env : { ...process.env, PORT: undefined }
}

function withFlags(config: SiteConfig, { host, port, workers }: SiteFlags): SiteConfig {
  return Object.freeze({
    ...config,
    host: host ?? config.host,
    port: port ?? config.port,
    listen: host === undefined && port === undefined ? config.listen : null,
    workers: { ...config.workers, count: workers ?? config.workers.count },
  })
}

function checkFolder(dir: string, root: string): void {
  const refuse = (problem: string, cause?: unknown) =>
    createError('UWAS_ERR_COMMANDS_FOLDER', { dir: JSON.stringify(dir), problem }, cause)
  const found = statSync(root, { throwIfNoEntry: false })
  if (found === undefined) throw refuse('there is no such folder')
  if (!found.isDirectory()) throw refuse('it is a file; name the folder that holds it')
  try {
    accessSync(root, constants.R_OK | constants.X_OK)
  } catch (error) {
    throw refuse(`this user may not read it; allow it with "chmod u+rx ${dir}"`, error)
  }
}
