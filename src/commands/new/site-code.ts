/** The TypeScript of a new site, by path. Read by `../new.ts`. */

export const SITE_CODE: Readonly<Record<string, string>> = {
  'uwas.config.ts': `import { defineConfig } from 'uwas'
import { urls } from './urls.ts'

export const config = defineConfig({
  urls,
  static: [{ dir: 'static', prefix: '/static' }],
  templates: 'templates',
  migrations: 'migrations',
})
`,
  'urls.ts': `import { path, urlconf } from 'uwas'
import { add, list, remove } from './views/notes.ts'

export const urls = urlconf(
  path('/', { get: list, post: add }, { name: 'notes' }),
  path('/<int:id>/remove', remove, { name: 'remove', methods: ['POST'] }),
)

export const url = urls.reverse
`,
  'views/notes.ts': `import { notFound, type Reply, type Request, redirect, render } from 'uwas'
import { addNote, allNotes, removeNote } from '../models/notes.ts'
import { url } from '../urls.ts'

export async function list(req: Request): Promise<Reply> {
  return render(req, 'notes', { notes: await allNotes.all(req) })
}

export async function add(req: Request): Promise<Reply> {
  const body = (await req.form()).get('body')?.trim() ?? ''
  if (body !== '') await addNote.run(req, { body })
  return redirect(url('notes'))
}

export async function remove(req: Request<{ id: number }>): Promise<Reply> {
  if ((await removeNote.run(req, req.params)) === 0) throw notFound()
  return redirect(url('notes'))
}
`,
  'models/notes.ts': `import { pg, statement } from 'uwas'

export const allNotes = statement('all notes', {
  row: { id: pg.int, body: pg.text },
  sql: 'select id, body from notes order by id desc',
})

export const addNote = statement('add note', {
  params: { body: pg.text },
  sql: 'insert into notes (body) values ($1)',
})

export const removeNote = statement('remove note', {
  params: { id: pg.int },
  sql: 'delete from notes where id = $1',
})
`,
  'test/notes.test.ts': `import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { createTestClient } from 'uwas'
import { config } from '../uwas.config.ts'

let client: Awaited<ReturnType<typeof createTestClient>>

before(async () => {
  const root = join(import.meta.dirname, '..')
  client = await createTestClient(config, { root, ownDatabase: true })
})
beforeEach(() => client.begin())
afterEach(() => client.rollback())
after(() => client.close())

test('a note that is added stands in the list, until it is removed', async () => {
  const list = await client.post('/', { form: { body: 'feed the <cat>' }, follow: true })
  assert.match(list.text, /feed the &lt;cat&gt;/)
  assert.deepEqual(list.queries, ['all notes'])
  const [, id] = /action="\\/(\\d+)\\/remove"/.exec(list.text) ?? []
  const removed = await client.post(\`/\${id}/remove\`, { follow: true })
  assert.ok(!removed.text.includes(\`/\${id}/remove\`))
})

test('what is not there is 404', async () => {
  assert.equal((await client.get('/nothing')).status, 404)
  assert.equal((await client.post('/1000000/remove')).status, 404)
})
`,
}
