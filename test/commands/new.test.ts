import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { folder, install, put, run, serve } from '../support/binary.ts'
import { testDatabaseUrl } from '../support/postgres.ts'
import { ROOT } from '../support/sources.ts'

t.test('a new site runs, is proved by check, and passes its own tests', async (t) => {
  const cwd = folder(t, {})
  const made = await run(['new', 'My Notes!'], { cwd })
  t.equal(made.code, 0, made.stderr)
  t.match(made.stderr, /My Notes!: \d+ files\. Go on with: cd 'My Notes!' && uwas dev\n$/)
  const site = join(cwd, 'My Notes!')
  t.equal(JSON.parse(readFileSync(join(site, 'package.json'), 'utf8')).name, 'my-notes')
  const env = { DATABASE_URL: await testDatabaseUrl() }

  const server = await serve(t, ['serve', '--port', '0', '--host', '127.0.0.1'], { cwd: site, env })
  const url = `http://127.0.0.1:${server.port}`
  const page = await (await fetch(url)).text()
  t.match(page, /<h1>Notes<\/h1>[\s\S]*None yet/)
  const [, css = ''] = /<link rel="stylesheet" href="([^"]+)">/.exec(page) ?? []
  t.match(css, /^\/static\/site\.[0-9a-f]{8}\.css$/)
  t.equal((await fetch(url + css)).status, 200)
  const body = new URLSearchParams({ body: 'feed the <cat>' })
  const added = await (await fetch(url, { method: 'POST', body })).text()
  t.match(added, '<li>feed the &lt;cat&gt; ')
  t.match(await (await fetch(`${url}/nothing`)).text(), /<title>404 Not Found<\/title>/)

  const checked = await run(['check'], { cwd: site, env })
  t.equal(checked.code, 0, checked.stderr)
  t.match(
    checked.stderr,
    /^uwas: uwas\.config\.ts is fine: 2 routes, 3 templates, 1 file, 1 migration, 3 statements\n$/,
  )
  install(site)
  const compiled = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc')], {
    cwd: site,
    encoding: 'utf8',
  })
  t.equal(compiled.status, 0, compiled.stdout)
  const { NODE_OPTIONS, ...inherited } = process.env
  const args = ['--import', 'tsx', '--test', 'test/notes.test.ts']
  const tested = spawnSync(process.execPath, args, {
    cwd: site,
    encoding: 'utf8',
    env: { ...inherited, ...env },
  })
  t.equal(tested.status, 0, tested.stdout + tested.stderr)
  // Node 20 begins the line with a #, later ones with a sign of their own.
  t.match(tested.stdout, /^\S+ pass 2$/m)
})

t.test('a new repository is a place for a site, a folder with files is not', async (t) => {
  const cwd = folder(t, { '.git/HEAD': 'ref: refs/heads/main\n' })
  const made = await run(['new', '.'], { cwd })
  t.equal(made.code, 0, made.stderr)
  t.match(made.stderr, /Go on with: uwas dev\n$/)
  put(cwd, 'urls.ts', '// mine\n')
  const again = await run(['new', '.'], { cwd })
  t.equal(again.code, 2)
  t.match(
    again.stderr,
    /cannot start a site in "\.": it is not empty \(\S+ is there\); name a new folder \[UWAS_ERR_COMMANDS_NEW\]/,
  )
  t.equal(readFileSync(join(cwd, 'urls.ts'), 'utf8'), '// mine\n')
  for (const name of readdirSync(cwd)) rmSync(join(cwd, name), { recursive: true })
  put(cwd, 'file', '')
  const onFile = await run(['new', 'file'], { cwd })
  t.equal(onFile.code, 2)
  t.match(onFile.stderr, /cannot start a site in "file": EEXIST: .* \[UWAS_ERR_COMMANDS_NEW\]/)
})
