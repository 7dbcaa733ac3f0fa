/** `uwas routes`: prints the URL conf as a table. Gets the flags, leaves the exit code. */
import { compileUrls } from '../route/compile.ts'
import { listRoutes } from '../route/list.ts'
import { urlconf } from '../route/urlconf.ts'
import { loadSite, type SiteFlags } from './site.ts'
import { formatTable } from './table.ts'

export async function routesCommand(flags: SiteFlags): Promise<number> {
  const { urls, static: folders } = await loadSite(flags)
  const routes = listRoutes(compileUrls(urls ?? urlconf())).map(
    ({ methods, pattern, name, place }) => [methods.join(' '), pattern, name, place],
  )
  const files = folders.map(({ dir, prefix }) => [
    'GET HEAD',
    `${prefix.replace(/\/$/, '')}/…`,
    '(files)',
    dir,
  ])
  const rows = [...files, ...routes]
  process.stdout.write(`${formatTable(['METHODS', 'PATTERN', 'NAME', 'PLACE'], rows)}\n`)
  return 0
}
