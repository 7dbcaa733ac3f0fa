/**
 * What `uwas serve` serves: the site of a configuration, or a folder. Gets the command line, leaves a configuration.
 * Called where it is served: in this process, or in a worker.
 */
import { createError } from '../core/errors.ts'
import type { SiteConfig } from '../was/config.ts'
import { type FolderFlags, folderSite, loadServedSite, type SiteFlags } from './site.ts'

export async function servedSite(dir: string | undefined, flags: FolderFlags): Promise<SiteConfig> {
  return dir === undefined
    ? await loadServedSite(onlySite(flags))
    : folderSite(dir, onlyFolder(flags, dir))
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
