/**
 * `uwas build`: writes what is otherwise made at start, the compiled templates, beside the configuration.
 * Gets the flags; leaves `build/templates.mjs`. Called by `cli.ts`.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { createError } from '../core/errors.ts'
import { buildFolder } from '../template/templates.ts'
import { builtTemplates } from '../was/config.ts'
import { PARTIALS } from '../was/forms/partials.ts'
import { templateUrls } from '../was/template-urls.ts'
import { count } from './count.ts'
import { createCommandLog } from './log.ts'
import { loadSite, type SiteFlags } from './site.ts'
import { showPath } from './site-place.ts'

export async function buildCommand(flags: SiteFlags): Promise<number> {
  const config = await loadSite(flags)
  if (config.templates === null) {
    const file = showPath(config.file ?? config.root)
    throw createError('UWAS_ERR_COMMANDS_NOTHING_TO_BUILD', { file })
  }
  const built = buildFolder(config.templates, templateUrls(config.urls), PARTIALS)
  const file = builtTemplates(config)
  mkdirSync(dirname(file), { recursive: true })
  // In one step: a server that starts meanwhile reads the old file or the new one.
  writeFileSync(`${file}.new`, built.code)
  renameSync(`${file}.new`, file)
  createCommandLog().info(`${showPath(file)}: ${count(built.count, 'template')}`)
  return 0
}
