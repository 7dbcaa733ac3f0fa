/** The one site of the corpus, and what a planted mistake is made of. */

/** A file whole, null for none, or what to put in the place of a text that it holds. */
export type Patch = Readonly<Record<string, string | null | readonly [from: string, to: string]>>

export interface Mistake {
  readonly name: string
  /** Path → change to `SITE`. */
  readonly patch: Patch
  /** What the output must hold, each of them: the words and the place. */
  readonly found: readonly (string | RegExp)[]
  /** SQL on a database of its own, after the migrations of `SITE`. */
  readonly sql?: string
  /** With the templates: the compiler reads the site's modules, which takes most of the time. */
  readonly templates?: true
  /** Why `uwas check` does not find it. It must stay so, or leave this list. */
  readonly unknown?: string
}

export const SITE: Readonly<Record<string, string>> = {
  'uwas.config.ts': `import { defineConfig } from 'uwas'
import { urls } from './urls.ts'
const more = {}
export const config = defineConfig({
  urls,
  static: [{ dir: 'public', prefix: '/public' }],
  migrations: 'migrations',
  ...more,
})
`,
  'urls.ts': `import { include, path, urlconf } from 'uwas'
import { list, one } from './views.ts'
const notes = urlconf(
  path('/', list, { name: 'notes' }),
  path('/<int:id>', one, { name: 'note' }),
)
export const urls = urlconf(include('/notes', notes))
`,
  'views.ts': `import { type Request, text } from 'uwas'
import { allNotes, oneNote } from './models.ts'
export const list = async (req: Request) => text(String((await allNotes.all(req, {})).length))
export const one = async (req: Request<{ id: number }>) =>
  text((await oneNote.one(req, { id: req.params.id })).body)
`,
  'models.ts': `import { column, pg, statement, table } from 'uwas'
export const notes = table('notes', { id: column(pg.int), body: pg.text })
export const allNotes = statement('notes.all', {
  sql: 'select id, body from notes', params: {}, row: { id: pg.int, body: pg.text },
})
export const oneNote = statement('notes.one', {
  sql: 'select body from notes where id = $1', params: { id: pg.int }, row: { body: pg.text },
})
`,
  'migrations/0001_notes.sql': 'create table notes (id integer primary key, body text not null);',
  'migrations/0001_notes.down.sql': 'drop table notes;',
  'migrations/0002_index.sql': 'create index notes_body on notes (body);',
  'migrations/0002_index.down.sql': 'drop index notes_body;',
  'templates/list.mustache': `<h1>{{title}}</h1>
{{#notes}}<p>{{body}}</p>{{/notes}}
<link rel="stylesheet" href="{{#static}}/public/app.css{{/static}}">
`,
  'public/app.css': 'p { margin: 0 }',
}

/** The same with templates, which its views render. */
export const TEMPLATES: Patch = {
  'uwas.config.ts': ['const more = {}', "const more = { templates: 'templates' }"],
  'views.ts': `import { render, type Request } from 'uwas'
import { allNotes } from './models.ts'
export const list = async (req: Request) =>
  render(req, 'list', { title: 'Notes', notes: await allNotes.all(req, {}) })
export const one = (req: Request<{ id: number }>) =>
  render(req as Request, 'list', { title: 'Note', notes: [{ body: '' }] })
`,
}

/** The configuration with these keys besides. */
export const config = (keys: string): Patch => ({
  'uwas.config.ts': ['const more = {}', `const more = { ${keys} }`],
})

/** The URL conf with these lines in the place of the included one. */
export const routes = (lines: string): Patch => ({
  'urls.ts': ["include('/notes', notes)", lines],
})

/** One statement more, at the end of models.ts. */
export const declared = (options: string): Patch => ({
  'models.ts': [
    'export const oneNote',
    `export const planted = statement('planted', { ${options} })\nexport const oneNote`,
  ],
})
