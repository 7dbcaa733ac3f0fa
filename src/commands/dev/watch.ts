/**
 * Watches a site's folders. Gets the configuration; leaves calls of `onChange` with the kinds of what
 * changed, a burst of changes at once. Called by `commands/dev.ts`.
 */
import { extname, join, relative, sep } from 'node:path'
import { watch } from 'chokidar'
import type { Log } from '../../core/log.ts'
import type { SiteConfig } from '../../was/config.ts'
import { ENV_FILE } from '../env-file.ts'

/** `code` includes the configuration and migrations: whatever makes the site be built anew. */
export type ChangeKind = 'code' | 'templates' | 'styles' | 'files'

export interface Watcher {
  /** Watches the folders of templates and migrations of `next` from now on; the rest stays. */
  follow(next: SiteConfig): void
  close(): Promise<void>
}

/** Editors and compilers write several files, or one in several steps. */
const BURST_MS = 25

const CODE = new Set(['.ts', '.mts', '.js', '.mjs', '.json', '.sql'])

export interface WatchOptions {
  readonly log: Log
  onChange(kinds: ReadonlySet<ChangeKind>): void
}

/** Resolves when everything is watched; what this user may not read is not. */
export async function watchSite(
  first: SiteConfig,
  { log, onChange }: WatchOptions,
): Promise<Watcher> {
  let config = first
  let kinds = new Set<ChangeKind>()
  let timer: NodeJS.Timeout | undefined
  const watcher = watch([config.root, ...foldersOf(config)], {
    ignoreInitial: true,
    ignorePermissionErrors: true,
    ignored: (path) => isIgnored(path, config),
  })
  watcher.on('all', (_event, path) => {
    const kind = kindOf(path, config)
    if (kind === undefined) return
    kinds.add(kind)
    clearTimeout(timer)
    timer = setTimeout(() => {
      const burst = kinds
      kinds = new Set()
      onChange(burst)
    }, BURST_MS)
  })
  watcher.on('error', warnOnce(log))
  await new Promise<void>((resolve) => watcher.once('ready', resolve))
  return {
    follow({ templates, migrations }) {
      config = { ...config, templates, migrations }
      watcher.add(foldersOf(config))
    },
    async close() {
      clearTimeout(timer)
      await watcher.close()
    },
  }
}

function foldersOf({ static: folders, templates, migrations }: SiteConfig): string[] {
  const others = [templates, migrations].filter((folder) => folder !== null)
  return [...folders.map(({ dir }) => dir), ...others]
}

/** One file that cannot be watched is often followed by many. */
function warnOnce(log: Log): (error: unknown) => void {
  let isTold = false
  return (error) => {
    if (!isTold) log.warn(`some changes will not be noticed: ${problemOf(error)}`)
    isTold = true
  }
}

function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What a change of `path` touches; undefined for a file that the site does not use. */
function kindOf(path: string, config: SiteConfig): ChangeKind | undefined {
  if (config.templates !== null && isBelow(path, config.templates)) {
    return path.endsWith('.mustache') || extname(path) === '' ? 'templates' : undefined
  }
  if (config.static.some(({ dir }) => isBelow(path, dir))) {
    return extname(path) === '.css' ? 'styles' : 'files'
  }
  return CODE.has(extname(path)) || isEnvFile(path, config) ? 'code' : undefined
}

function isIgnored(path: string, config: SiteConfig): boolean {
  if (isBelow(path, config.stateDir)) return true
  if (isEnvFile(path, config)) return false
  const inside = relative(config.root, path).split(sep)
  if (inside[0] === '..') return /[/\\]node_modules([/\\]|$)/.test(path)
  return inside.some((part) => part === 'node_modules' || (part.startsWith('.') && part !== '.'))
}

function isEnvFile(path: string, { root }: SiteConfig): boolean {
  return path === join(root, ENV_FILE)
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder + sep)
}
