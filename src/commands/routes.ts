/** `uwas routes`: prints the URL conf as a table or as JSON. Gets the flags, leaves the exit code. */
import { compileUrls } from '../route/compile.ts'
import { listRoutes } from '../route/list.ts'
import { urlconf } from '../route/urlconf.ts'
import { csrfRuleOf } from '../was/csrf/guard.ts'
import { printJson } from './json.ts'
import { loadSite, type SiteFlags } from './site.ts'
import { showPath } from './site-place.ts'
import { formatTable } from './table.ts'

export interface RoutesFlags extends SiteFlags {
  readonly json: boolean
}

export async function routesCommand(flags: RoutesFlags): Promise<number> {
  const { urls, static: folders, csrf } = await loadSite(flags)
  const compiled = compileUrls(urls ?? urlconf())
  const rules = compiled.routes.map((route) => csrfRuleOf(route, csrf))
  const routes = listRoutes(compiled).map((row, i) => ({ ...row, csrf: rules[i] ?? 'none' }))
  const hasCsrf = csrf !== null
  const files = folders.map(({ dir, prefix }) => ({ prefix, dir: showPath(dir) }))
  if (flags.json) {
    printJson({ files, routes })
    return 0
  }
  const told = (rule: string): string[] => (hasCsrf ? [rule === 'none' ? '' : rule] : [])
  const rows = [
    ...files.map(({ dir, prefix }) => [
      'GET HEAD',
      `${prefix.replace(/\/$/, '')}/…`,
      '(files)',
      ...told('none'),
      dir,
    ]),
    ...routes.map(({ methods, pattern, name, csrf: rule, place }) => [
      methods.join(' '),
      pattern,
      name,
      ...told(rule),
      place,
    ]),
  ]
  const columns = ['METHODS', 'PATTERN', 'NAME', ...(hasCsrf ? ['CSRF'] : []), 'PLACE']
  process.stdout.write(`${formatTable(columns, rows)}\n`)
  return 0
}
