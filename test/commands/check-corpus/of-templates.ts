/** Mistakes in templates, and between them, their views and the site's files. */
import type { Mistake } from './site.ts'

const LIST = 'templates/list.mustache'

const tag = (name: string, text: string, ...found: RegExp[]): Mistake => ({
  name,
  patch: { [LIST]: `<h1>{{title}}</h1>\n${text}\n` },
  found,
  templates: true,
})

/** The first view as this expression, with what it imports. */
const view = (name: string, names: string, code: string, ...found: RegExp[]): Mistake => ({
  name,
  patch: {
    'views.ts': `import { ${names}, type Request, text } from 'uwas'
import { notes } from './models.ts'
export const list = ${code}
export const one = (_: Request<{ id: number }>) => text(notes.name)
`,
  },
  found,
  templates: true,
})

export const OF_TEMPLATES: readonly Mistake[] = [
  tag('a section that is not closed', '{{#notes}}', /list\.mustache:2:1.*UNCLOSED_SECTION/),
  tag('a tag that does not end', '<p>{{title</p>', /list\.mustache:2:4.*UNCLOSED_TAG/),
  tag('a tag that closes nothing', '{{/notes}}', /list\.mustache:2:1.*UNEXPECTED_CLOSE/),
  tag(
    'a tag that closes another',
    '{{#notes}}{{/note}}',
    /list\.mustache:2:11: .*\{\{\/note\}\} stands where/,
  ),
  tag('an unknown partial', '{{> parts/hed}}', /list\.mustache:2:1.*UNKNOWN_PARTIAL/),
  tag('an unknown parent', '{{<layout}}{{/layout}}', /list\.mustache:2:1.*UNKNOWN_PARTIAL/),
  tag('a tag in a script', '<script>let x = {{title}}</script>', /list\.mustache:2:17.*CONTEXT/),
  tag('a tag in an event attribute', '<p onclick="{{title}}">', /list\.mustache:2:13.*CONTEXT/),
  tag(
    'a tag as an attribute without quotes',
    '<p class={{title}}>',
    /list\.mustache:2:10.*CONTEXT/,
  ),
  tag('a tag in a style', '<style>p { {{title}} }</style>', /list\.mustache:2:12.*CONTEXT/),
  tag(
    'a tag that the view does not pass',
    '{{titel}}',
    /list\.mustache:2:1: "titel".*views\.ts:\d.*"title"/,
  ),
  tag(
    'a tag that the row does not have',
    '{{#notes}}{{text}}{{/notes}}',
    /list\.mustache:2:11: "text"/,
  ),
  tag(
    'a link to no route',
    '<a href="{{#url}}nots{{/url}}">',
    /list\.mustache:2:10.*"nots".*TEMPLATE_URL/,
  ),
  tag(
    'a link without its parameter',
    '<a href="{{#url}}note{{/url}}">',
    /list\.mustache:2:10.*"note".*id/,
  ),
  tag(
    'a link with a parameter too many',
    '<a href="{{#url}}notes id=title{{/url}}">',
    /list\.mustache:2:10.*"notes".*id/,
  ),
  tag(
    'a static file that is not there',
    '<link href="{{#static}}/public/ap.css{{/static}}">',
    /list\.mustache:2:13: there is no static file "\/public\/ap\.css" \[UWAS_ERR_COMMANDS_STATIC\]/,
  ),
  tag(
    'a tag in the name of a static file',
    '<link href="{{#static}}{{title}}.css{{/static}}">',
    /list\.mustache:2:13: a tag stands inside of the section "static", .* \[UWAS_ERR_COMMANDS_STATIC\]/,
  ),
  view(
    'render() of a template that is not there',
    'render',
    "(req: Request) => render(req, 'lst', {})",
    /views\.ts:3.*"lst".*"list"/,
  ),
  view(
    'listView() of a template that is not there',
    'listView',
    "listView({ table: notes, template: 'lst' })",
    /views\.ts:3.*"lst".*"list"/,
  ),
  view(
    'detailView() of a template that is not there',
    'detailView',
    "detailView({ table: notes, template: 'lst' }) as never",
    /views\.ts:3.*"lst".*"list"/,
  ),
  view(
    'formView() of a template that is not there',
    'form, formView',
    "formView({ form: form(notes, { only: ['body'] }), template: 'lst', save: (): string => '/' })",
    /views\.ts:3.*"lst".*"list"/,
  ),
  {
    ...view(
      'listView() without what the template wants',
      'listView',
      "listView({ table: notes, template: 'list' })",
      /list\.mustache:1:5: "title".*views\.ts:3/,
    ),
    unknown:
      'what generic views give comes from tables and forms; development says so at the first request',
  },
  view(
    'staticUrl() of a file that is not there',
    'staticUrl',
    "(req: Request) => text(staticUrl(req, '/public/ap.css'))",
    /views\.ts:3: there is no static file "\/public\/ap\.css" \[UWAS_ERR_COMMANDS_STATIC\]/,
  ),
]
