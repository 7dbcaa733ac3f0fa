import t from 'tap'
import { folder, put, run } from '../support/binary.ts'
import { authorityOf } from '../support/certificates.ts'
import { testDatabaseUrl } from '../support/postgres.ts'

const SITE = {
  'uwas.config.ts': `import { defineConfig } from 'uwas'
import { urls } from './urls.ts'
export const config = defineConfig({
  urls, templates: 'templates', migrations: 'migrations', static: [{ dir: 'public', prefix: '/public' }],
})`,
  'urls.ts': `import { include, path, pg, statement, text, urlconf } from 'uwas'
export const allNotes = statement('notes.all', {
  sql: 'select id, body from notes', params: {}, row: { id: pg.int, body: pg.text },
})
const notes = urlconf(
  path('/', async (req) => text(String((await allNotes.all(req, {})).length)), { name: 'notes' }),
  path('/<int:id>', () => text('one'), { name: 'note', methods: ['GET', 'DELETE'] }),
)
export const urls = urlconf(include('/notes', notes))`,
  'templates/page.mustache': '<p>{{word}}</p>',
  'public/a.txt': 'a',
  'migrations/0001_notes.sql': 'create table notes (id integer primary key, body text not null);',
  'migrations/0001_notes.down.sql': 'drop table notes;',
}

t.test('check proves a site, and migrate brings its database there', async (t) => {
  const cwd = folder(t, SITE)
  const env = { DATABASE_URL: await testDatabaseUrl() }
  const before = await run(['check'], { cwd, env })
  t.equal(before.code, 0, before.stderr)
  t.match(
    before.stderr,
    'migration 0001_notes is pending; "uwas migrate" or the next start applies it',
  )
  t.match(before.stderr, / is fine: 2 routes, 1 template, 1 file, 1 migration, 1 statement\n$/)

  t.match((await run(['migrate', '--status'], { cwd, env })).stdout, /^0001_notes +pending$/m)
  const applied = await run(['migrate'], { cwd, env })
  t.equal(applied.code, 0)
  t.match(applied.stderr, '1 migration applied')
  t.match((await run(['migrate'], { cwd, env })).stderr, 'nothing to apply')
  t.match((await run(['migrate', '--status'], { cwd, env })).stdout, /^0001_notes +applied +20/m)

  const after = await run(['check'], { cwd, env })
  t.equal(after.code, 0, after.stderr)
  t.match(
    after.stderr,
    'uwas.config.ts is fine: 2 routes, 1 template, 1 file, 1 migration, 1 statement',
  )
  t.match((await run(['migrate', '--revert'], { cwd, env })).stderr, '1 migration reverted')
  t.match((await run(['migrate', '--status'], { cwd, env })).stdout, /^0001_notes +pending$/m)
})

t.test('check tells everything that is wrong, each with its place, exit code 1', async (t) => {
  const cwd = folder(t, {
    ...SITE,
    'urls.ts': `import { path, pg, statement, text, urlconf } from 'uwas'
export const wrong = statement('notes.wrong', { sql: 'select nothing from notes', params: {}, row: { id: pg.int } })
export const other = statement('notes.other', { sql: 'select body from notes', params: {}, row: { body: pg.int } })
const view = () => text('')
export const urls = urlconf(
  path('/same', view, { name: 'a' }),
  path('/same', view, { name: 'b' }),
  path('/other', view, { name: 'a' }),
)`,
    'templates/page.mustache': '<p>\n{{> nowhere}}</p>',
  })
  const env = { DATABASE_URL: await testDatabaseUrl() }
  await run(['migrate'], { cwd, env })
  put(cwd, 'uwas.config.ts', SITE['uwas.config.ts'].replace("dir: 'public'", "dir: 'gone'"))
  const { code, stderr } = await run(['check'], { cwd, env })
  t.equal(code, 1)
  t.match(stderr, /urls\.ts:7.*urls\.ts:6.* \[UWAS_ERR_ROUTE_DUPLICATE\]/)
  t.match(stderr, /urls\.ts:6.*urls\.ts:8.* \[UWAS_ERR_ROUTE_NAME_DUPLICATE\]/)
  t.match(stderr, /page\.mustache:2.* \[UWAS_ERR_TEMPLATE_UNKNOWN_PARTIAL\]/)
  t.match(stderr, /gone.* \[UWAS_ERR_FILES_FOLDER\]/)
  t.match(stderr, /notes\.wrong.*"nothing".* \[UWAS_ERR_MODEL_PREPARE\]/s)
  t.match(stderr, /notes\.other.*body.* \[UWAS_ERR_MODEL_COLUMNS\]/)
  t.match(stderr, /uwas\.config\.ts: 6 problems\n$/)
})

t.test('check tells mistakes in what all replies have in common, each of them', async (t) => {
  const cwd = folder(t, {
    'public/a.txt': 'a',
    'uwas.config.ts': `export const config = {
      static: 'public',
      redirects: [{ from: '/a', to: '/b', status: 301 }, { from: '/b', to: '/a', status: 301 }],
      securityHeaders: { permissionsPolicy: { 'a b': [] } },
      errorPages: [{ status: 404, file: 'none.html' }],
      privateFiles: 'none',
    }`,
  })
  const { code, stderr } = await run(['check'], { cwd })
  t.equal(code, 1)
  t.match(stderr, 'redirects: these go round in a circle: /a → /b → /a → /b')
  t.match(stderr, '[UWAS_ERR_WAS_RULE_LOOP]')
  t.match(stderr, 'securityHeaders: permissionsPolicy: "a b" is no name')
  t.match(stderr, /errorPages: \S+none\.html cannot be read: ENOENT/)
  t.match(stderr, /privateFiles is "\S+none", which is no folder \[UWAS_ERR_FILES_ROOT\]/)
  t.match(stderr, /4 problems\n$/)
})

t.test('check opens certificates, and tells when they end', async (t) => {
  const authority = authorityOf(t)
  const good = authority.issue('good', ['x.test'])
  const soon = authority.issue('soon', ['y.test'], { from: -80, to: 5, chain: [] })
  const late = authority.issue('late', ['z.test'], { from: -20, to: -10 })
  const checked = async (...all: { certFile: string; keyFile: string }[]) => {
    const certificates = all.map(({ certFile, keyFile }) => ({ certFile, keyFile }))
    const files = {
      'public/a.txt': 'a',
      'uwas.config.ts': `export const config = { static: 'public', tls: ${JSON.stringify({ certificates })} }`,
    }
    return await run(['check'], { cwd: folder(t, files) })
  }
  const fine = await checked(good, soon)
  t.equal(fine.code, 0, fine.stderr)
  t.match(fine.stderr, /the certificate \S+good\.pem ends in \d+ days \(2/)
  t.match(fine.stderr, /warning: renew the certificate \S+soon\.pem ends in [45] days/)
  t.match(fine.stderr, /warning: \S+soon\.pem: its chain ends at CN=soon/)
  t.match(fine.stderr, / is fine: .*2 certificates/)
  const swapped = await checked({ ...good, keyFile: soon.keyFile })
  t.equal(swapped.code, 1)
  t.match(swapped.stderr, /error: tls: \S+: the key in \S+soon\.key is not that of CN=good/)
  const expired = await checked(late)
  t.equal(expired.code, 1)
  t.match(expired.stderr, /error: tls: \S+late\.pem: it has expired: .*UWAS_ERR_SERVER_CERTIFICATE/)
})

t.test('check tells a log that cannot be written, and a status that others may read', async (t) => {
  const config = (rest: string) =>
    `import { defineConfig } from 'uwas'\nexport const config = defineConfig({ static: 'public', ${rest} })`
  const checked = async (rest: string) => {
    const site = { 'uwas.config.ts': config(rest), 'public/a.txt': 'a' }
    return run(['check'], { cwd: folder(t, site) })
  }
  const nowhere = await checked("accessLog: 'nowhere/access.log'")
  t.equal(nowhere.code, 1)
  t.match(
    nowhere.stderr,
    /accessLog\.file is nowhere\/access\.log, which cannot be written: ENOENT: no such file/,
  )
  const open = await checked("status: { listen: '0.0.0.0:9180' }, accessLog: 'stdout'")
  t.equal(open.code, 0, open.stderr)
  t.match(
    open.stderr,
    'status.listen is 0.0.0.0, which others may reach, without a token: give it status.token, or listen on 127.0.0.1',
  )
  const token = "token: 'abcdefghijklmnop'"
  for (const rest of [`listen: '[::]:9180', ${token}`, '', "listen: '[::1]:9180'"]) {
    const fine = await checked(`status: { ${rest} }, accessLog: 'access.log'`)
    t.equal(fine.code, 0, fine.stderr)
    t.notMatch(fine.stderr, 'others may reach')
  }
})

t.test('check tells a limit that nothing could pass', async (t) => {
  const checked = (rest: string) =>
    run(['check'], {
      cwd: folder(t, {
        'uwas.config.ts': `import { defineConfig } from 'uwas'\nexport const config = defineConfig({ static: 'public', limits: { shed: { maxPoolWaitMs: 5000 } }, ${rest} })`,
        'public/a.txt': 'a',
      }),
    })
  const alone = await checked('')
  t.equal(alone.code, 0, alone.stderr)
  t.match(
    alone.stderr,
    'warning: limits.shed.maxPoolWaitMs is 5000, and the site has no database to wait for',
  )
  const url = JSON.stringify(await testDatabaseUrl())
  t.match(
    (await checked(`database: ${url}`)).stderr,
    'warning: limits.shed.maxPoolWaitMs is 5000, and nobody waits longer for a connection than database.acquireTimeoutMs: 5000; make it less',
  )
  t.notMatch((await checked(`database: { url: ${url}, acquireTimeoutMs: 6000 }`)).stderr, 'warning')
})

t.test('a statement of a site without a database is a problem', async (t) => {
  const cwd = folder(t, {
    ...SITE,
    'uwas.config.ts': "import { urls } from './urls.ts'\nexport const config = { urls }",
  })
  const { code, stderr } = await run(['check'], { cwd })
  t.equal(code, 1)
  t.match(stderr, 'statement notes.all: the site has no database; set the key "database"')
})

t.test('a site that could answer nothing is a problem, for check and for serve', async (t) => {
  const cwd = folder(t, { 'uwas.config.ts': 'export default {}' })
  const message =
    /uwas\.config\.ts sets neither "urls" nor "static", .*urlconf.* \[UWAS_ERR_COMMANDS_EMPTY\]/
  const checked = await run(['check'], { cwd })
  t.equal(checked.code, 1)
  t.match(checked.stderr, message)
  t.match(checked.stderr, /uwas\.config\.ts: 1 problem\n$/)
  for (const command of ['serve', 'dev']) {
    const { code, stderr } = await run([command], { cwd })
    t.equal(code, 2)
    t.match(stderr, message)
  }
})

t.test('a database URL that cannot be read is told without its password', async (t) => {
  const cwd = folder(t, {
    ...SITE,
    'uwas.config.ts': `export const config = { static: 'public', database: 'postgres://u:s3@[bad/x' }`,
  })
  for (const command of ['check', 'serve']) {
    const { stderr } = await run([command], { cwd })
    t.match(stderr, /error: the database URL must name one host and.* \[UWAS_ERR_MODEL_URL\]/)
    t.notMatch(stderr, /s3|DATABASE_URL/)
  }
})

t.test('a database that does not answer is told', async (t) => {
  const cwd = folder(t, SITE)
  const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' }
  const { code, stderr } = await run(['check'], { cwd, env })
  t.equal(code, 1)
  t.match(stderr, /\[UWAS_ERR_MODEL_UNAVAILABLE\]/)
})

t.test('migrate of a site without migrations says what is missing', async (t) => {
  const cwd = folder(t, { 'uwas.config.ts': 'export const config = {}' })
  const { code, stderr } = await run(['migrate'], { cwd })
  t.equal(code, 2)
  t.match(stderr, 'uwas.config.ts names no database, so there is nothing to migrate')
  t.match(stderr, 'UWAS_ERR_COMMANDS_NOTHING_TO_MIGRATE')
})

t.test('routes lists the URL conf in the order in which it matches', async (t) => {
  const cwd = folder(t, SITE)
  const { code, stdout } = await run(['routes'], { cwd })
  t.equal(code, 0)
  t.match(
    stdout.split('\n').map((line) => line.split(/ {2,}/)),
    [
      ['METHODS', 'PATTERN', 'NAME', 'PLACE'],
      ['GET HEAD', '/public/…', '(files)', /public$/],
      ['GET HEAD', '/notes/', 'notes', 'urls.ts:6'],
      ['GET HEAD DELETE', '/notes/<int:id>', 'note', 'urls.ts:7'],
      [''],
    ],
  )
})

t.test('check says so where nothing looks at connections first', async (t) => {
  const cwd = folder(t, {
    'public/a.txt': 'a',
    'uwas.config.ts': "export const config = { static: 'public' }",
  })
  const without = await run(['check'], { cwd, env: { UWAS_NATIVE: 'off' } })
  t.equal(without.code, 0, without.stderr)
  t.match(
    without.stderr,
    'connections take the native lane unseen, only its fences stand before views (CONFORMANCE.md, "later"): UWAS_NATIVE=off',
  )
})

t.test('check says where HTML goes in as it is, and what a value may not choose', async (t) => {
  const cwd = folder(t, {
    'uwas.config.ts': `import { path, render, safeHtml, urlconf } from 'uwas'
const own = safeHtml('<b>')
const view = (req) => render(req, 'page', { part: 'note', body: '', own })
export const config = { urls: urlconf(path('/', view)), templates: 'templates' }`,
    'templates/page.mustache': '<p>{{>*part}}</p>\n<p>{{{body}}}{{own}}</p>',
    'templates/note.mustache': '<b>a note</b>',
    'templates/open.mustache': '<a title="',
    'templates/mail.txt.mustache': 'Hello',
  })
  const { code, stderr } = await run(['check'], { cwd })
  t.equal(code, 0, stderr)
  const choice =
    /page\.mustache:1:4: \{\{>\*part\}\} cannot choose mail\.txt, which is plain text, .*; open, which ends in the attribute title: let it end in text/
  t.match(stderr, choice)
  t.notMatch(stderr, /cannot choose.* note,/)
  t.match(stderr, /not escaped, as it says: \S*page\.mustache:2:4: \{\{\{body\}\}\}/)
  t.match(stderr, /not escaped, as it says: \S*uwas\.config\.ts:2: safeHtml\(\)/)
})

t.test(
  'a table that is not there is one problem, not one for each of its statements',
  async (t) => {
    const cwd = folder(t, {
      'uwas.config.ts': `import { column, path, pg, statement, table, text, urlconf } from 'uwas'
export const posts = table('posts', { id: column(pg.int, { generated: true }), title: pg.text })
export const other = statement('other', { row: { x: pg.int }, sql: 'select x from nowhere' })
export const config = { urls: urlconf(path('/', () => text(''))) }`,
    })
    const { code, stderr } = await run(['check'], {
      cwd,
      env: { DATABASE_URL: await testDatabaseUrl() },
    })
    t.equal(code, 1)
    t.match(stderr, /error: table posts is not in the database; draft the change with/)
    t.match(
      stderr,
      /error: statement "other" cannot be prepared: relation "nowhere" does not exist/,
    )
    t.match(stderr, /: 2 problems\n$/)
  },
)
