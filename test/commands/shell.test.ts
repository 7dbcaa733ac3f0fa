import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { runLines } from '../../src/commands/shell/run.ts'
import { type Finished, folder, put, run } from '../support/binary.ts'
import { testDatabaseUrl } from '../support/postgres.ts'

const SITE = {
  'uwas.config.ts': `import { defineConfig } from 'uwas'
import { urls } from './urls.ts'
export const config = defineConfig({ urls, templates: 'templates', migrations: 'migrations', static: 'public' })`,
  'urls.ts': `import { path, pg, statement, table, text, urlconf } from 'uwas'
export const allNotes = statement('all notes', { row: { id: pg.int, body: pg.text }, sql: 'select id, body from notes' })
export const notes = table('notes', { id: pg.int, body: pg.text })
export const urls = urlconf(path('/notes/<int:id>', () => text(''), { name: 'note' }))`,
  'templates/note.mustache':
    '<p>{{body}} <a href="{{#url}}note id{{/url}}">{{#static}}a.css{{/static}}</a></p>',
  'public/a.css': 'a {}',
  'migrations/0001_notes.sql':
    "create table notes (id integer primary key, body text not null); insert into notes values (1, 'water');",
}

t.test('code has the site at hand, and the value of an expression is printed', async (t) => {
  const cwd = folder(t, SITE)
  const env = { DATABASE_URL: await testDatabaseUrl() }
  await run(['migrate'], { cwd, env })
  const shell = (code: string): Promise<Finished> => run(['shell', '--code', code], { cwd, env })
  const cases: [code: string, stdout: string | RegExp][] = [
    ['statements["all notes"].all(db)', "[ { id: 1, body: 'water' } ]\n"],
    ['await tables.notes.get(db, { id: 1 })', "{ id: 1, body: 'water' }\n"],
    ["url('note', { id: 7 })", '/notes/7\n'],
    [
      "render('note', { id: 7, body: '<b>' })",
      /^<p>&lt;b&gt; <a href="\/notes\/7">\/a\.[0-9a-f]{8}\.css<\/a><\/p>\n$/,
    ],
    ['config.migrations', join(cwd, 'migrations\n')],
    ['const n = await sql`select 1 as one`; console.log(n[0].one)', '1\n'],
    [
      `const kept = [await sql\`insert into notes values (\${2}, \${"it's"})\`]
       kept.push(await sql\`select id, body, null as none, true as yes, 9007199254740993 as big, 1.5::real as part, '{"a":1}'::jsonb as j from notes where id = \${2}\`)
       await sql\`begin\`
       await sql\`delete from notes\`
       await sql\`rollback\`
       kept.push(await atomic(db, async (tx) => (await statements['all notes'].all(tx)).length))
       console.log(kept)`,
      /^\[\n {2}1,\n {2}\[\n {4}\{\n {6}id: 2,\n {6}body: "it's",\n {6}none: null,\n {6}yes: true,\n {6}big: 9007199254740993n,\n {6}part: 1\.5,\n {6}j: \[Object\]\n {4}\}\n {2}\],\n {2}2\n\]\n$/,
    ],
  ]
  for (const [code, expected] of cases) {
    const { code: exit, stdout, stderr } = await shell(code)
    t.equal(exit, 0, stderr)
    if (typeof expected === 'string') t.equal(stdout, expected, code)
    else t.match(stdout, expected, code)
  }
})

t.test('what the code throws is told, exit code 1; a mistake in the site is 2', async (t) => {
  const cwd = folder(t, SITE)
  const env = { DATABASE_URL: await testDatabaseUrl() }
  const cases: [code: string, message: RegExp][] = [
    ['throw new RangeError("on purpose")', /the code failed\nRangeError: on purpose/],
    ['1 +', /the code failed\nSyntaxError: Unexpected token/],
    ['sql`select * from notes`', /relation "notes" does not exist/],
  ]
  for (const [code, message] of cases) {
    const failed = await run(['shell', '--code', code], { cwd, env })
    t.equal(failed.code, 1, code)
    t.match(failed.stderr, message)
    t.equal(failed.stdout, '')
  }
  put(cwd, 'uwas.config.ts', 'export const config = { prot: 1 }')
  t.equal((await run(['shell', '--code', '1'], { cwd, env })).code, 2)
})

t.test(
  'standard input is a script; a site without something says which key it lacks',
  async (t) => {
    const cwd = folder(t, {
      'uwas.config.ts': "export const config = { static: 'public' }",
      'public/a.css': '',
      'script.js': `for (const use of [() => sql\`select 1\`, () => render('a', {}), () => url('a')]) {
      try { use() } catch ({ code, message }) { console.log(code, message) }
    }`,
    })
    const stdin = openSync(join(cwd, 'script.js'), 'r')
    const { code, stdout, stderr } = await run(['shell'], { cwd, stdin })
    closeSync(stdin)
    t.equal(code, 0, stderr)
    const lines = ['database', 'templates', 'urls'].map(
      (key) =>
        `UWAS_ERR_COMMANDS_SHELL the site has none of this: set the key "${key}" of its configuration\n`,
    )
    t.equal(stdout, lines.join(''))
  },
)

t.test('lines are run one by one, with await, and remembered', async (t) => {
  const dir = t.testdir({})
  const history = join(dir, 'state/shell-history')
  const input = new PassThrough()
  const output = new PassThrough()
  const printed = text(output)
  const left = runLines({ add: async (a: number, b: number) => a + b }, history, {
    input,
    output,
    terminal: true,
  })
  input.write('const sum = await add(2, 3)\n')
  input.write('["sum is", sum].join(" ")\n')
  input.write('nothing.there\n')
  input.write('.exit\n')
  await left
  output.end()
  const all = await printed
  t.match(all, "'sum is 5'")
  t.match(all, 'ReferenceError: nothing is not defined')
  t.match(readFileSync(history, 'utf8'), 'const sum = await add(2, 3)')
})
