/** `uwas routes`: prints the URL conf as a table or as JSON. Gets the flags, leaves the exit code. */
import { compileUrls } from '../route/compile.ts'
import { listRoutes } from '../route/list.ts'
import { urlconf } from '../route/urlconf.ts'
import { printJson } from './json.ts'
import { loadSite, type SiteFlags, showPath } from './site.ts'
import { formatTable } from './table.ts'

export interface RoutesFlags extends SiteFlags {
  readonly json: boolean
}

export async function routesCommand(flags: RoutesFlags): Promise<number> {
  const { urls, static: folders } = await loadSite(flags)
  const routes = listRoutes(compileUrls(urls ?? urlconf()))
  const files = folders.map(({ dir, prefix }) => ({ prefix, dir: showPath(dir) }))
  if (flags.json) {
    printJson({ files, routes })
    return 0
  }
  const rows = [
    ...files.map(({ dir, prefix }) => [
      'GET HEAD',
      `${prefix.replace(/\/$/, '')}/…`,
      '(files)',
      dir,
    ]),
    ...routes.map(({ methods, pattern, name, place }) => [methods.join(' '), pattern, name, place]),
  ]
  process.stdout.write(`${formatTable(['METHODS', 'PATTERN', 'NAME', 'PLACE'], rows)}\n`)
  return 0
}
