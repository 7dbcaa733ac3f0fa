/** Mistakes in modules, URL conf, and the links in code and templates. */
import { type Mistake, routes } from './site.ts'

export const OF_CODE: readonly Mistake[] = [
  {
    name: 'a syntax error',
    patch: { 'views.ts': ['text(String(', 'text(String(('] },
    found: [/views\.ts:\d+.*UWAS_ERR_COMMANDS_CONFIG_LOAD/s],
  },
  {
    name: 'a module that is not there',
    patch: { 'urls.ts': ["'./views.ts'", "'./view.ts'"] },
    found: [/view\.ts.*urls\.ts/s],
  },
  {
    name: 'a view that its module does not export',
    patch: { 'urls.ts': ['{ list, one }', '{ lists as list, one }'] },
    found: [/views\.ts.*lists|lists.*views\.ts/],
  },
  {
    name: 'no configuration exported',
    patch: { 'uwas.config.ts': ['export const config', 'const config'] },
    found: [/UWAS_ERR_COMMANDS_CONFIG_EXPORT/],
  },
  {
    name: 'a view that is none',
    patch: routes("path('/x', 'list' as never)"),
    found: [/"\/x" \(.*urls\.ts:7\).*UWAS_ERR_ROUTE_VIEW/],
  },
  {
    name: 'two routes of one pattern',
    patch: routes("path('/x', list), path('/x', list)"),
    found: [/GET.*"\/x" \(.*urls\.ts:7\).*UWAS_ERR_ROUTE_DUPLICATE/],
  },
  {
    name: 'two routes of one name',
    patch: routes("path('/x', list, { name: 'a' }), path('/y', list, { name: 'a' })"),
    found: [/named "a".*urls\.ts:7.*UWAS_ERR_ROUTE_NAME_DUPLICATE/],
  },
  {
    name: 'a route in the shadow of an earlier one',
    patch: routes("path('/<x>', list), path('/about', list)"),
    found: [/"\/about" \(.*urls\.ts:7\).*never answers.*UWAS_ERR_ROUTE_SHADOWED/],
  },
  {
    name: 'an unknown converter',
    patch: routes("path('/<integer:id>' as '/', list)"),
    found: [/urls\.ts:7.*integer.*UWAS_ERR_ROUTE_CONVERTER_UNKNOWN/],
  },
  {
    name: 'a parameter that does not end',
    patch: routes("path('/<int:id' as '/', list)"),
    found: [/urls\.ts:7.*UWAS_ERR_ROUTE_PATTERN/],
  },
  {
    name: 'a pattern without its slash',
    patch: routes("path('x', list)"),
    found: [/urls\.ts:7.*UWAS_ERR_ROUTE_PATTERN/],
  },
  {
    name: 'one parameter twice',
    patch: routes("path('/<int:id>/<int:id>' as '/', list)"),
    found: [/"id".*UWAS_ERR_ROUTE_PARAMETER_DUPLICATE/],
  },
  {
    name: 'an included URL conf that is not there',
    patch: routes("include('/notes', undefined as never)"),
    found: [/include.*urlconf|urls\.ts:7/],
  },
  {
    name: 'an unknown option of a route',
    patch: routes("path('/x', list, { nam: 'x' } as never)"),
    found: [/nam.*"name"/],
  },
  {
    name: 'a cached route that keeps its pages for no time',
    patch: routes("path('/x', list, { cached: { seconds: -1 } })"),
    found: [/cached.*seconds/],
  },
  {
    name: 'a reversed name that no route has',
    patch: {
      'views.ts': [
        'export const list',
        "import { urls } from './urls.ts'\nexport const link = (): string => urls.reverse('nots' as 'notes')\nexport const list",
      ],
    },
    found: [/views\.ts.*"nots"/],
    unknown:
      'the types of reverse() refuse it in the editor and in tsc; check does not repeat what they say',
  },
  {
    name: 'a cached route that reads the session',
    patch: {
      'views.ts': [
        'export const list = async (req: Request) =>',
        'export const list = async (req: Request) => req.cookie("session") !== undefined ? text("yours") :',
      ],
      'urls.ts': ["list, { name: 'notes' }", "list, { name: 'notes', cached: { seconds: 5 } }"],
    },
    found: [/"\/notes\/".*cached.*cookie/],
    unknown:
      'what a view reads is seen when it runs: such a page is not kept, and the log says why',
  },
]
