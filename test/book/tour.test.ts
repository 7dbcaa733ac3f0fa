import { spawnSync } from 'node:child_process'
import t from 'tap'
import { folder, install, put, type RunningBinary, run, serve } from '../support/binary.ts'
import { testDatabaseUrl } from '../support/postgres.ts'
import { readText } from '../support/sources.ts'

/** The tour's files in the order in which the README shows them: each block's is the one named before it. */
function tourFiles(): [path: string, text: string][] {
  const [, tour = ''] = readText('README.md').split('\n## A tour in five minutes\n')
  const [text = ''] = tour.split('\n## ')
  const blocks = [...text.matchAll(/```\w+\n([\s\S]*?)```/g)]
  return blocks.map((block) => {
    const names = [...text.slice(0, block.index).matchAll(/`([\w/.]+\.(?:ts|mustache|sql))`/g)]
    return [names.at(-1)?.[1] ?? '', block[1] ?? '']
  })
}

const urlOf = ({ port }: RunningBinary) => `http://127.0.0.1:${port}`

t.test('the tour of the README works, step by step', async (t) => {
  const files = tourFiles()
  t.strictSame(
    files.map(([path]) => path),
    [
      'uwas.config.ts',
      'urls.ts',
      'views.ts',
      'templates/list.mustache',
      'migrations/0001_notes.sql',
      'models.ts',
      'views.ts',
      'urls.ts',
      'templates/list.mustache',
      'uwas.config.ts',
    ],
  )
  const cwd = folder(t, { 'public/site.css': 'body {}' })
  const bare = await serve(t, ['serve', 'public', '--port', '0'], { cwd })
  t.match((await fetch(`${urlOf(bare)}/site.css`)).headers.get('etag'), /^"/)

  for (const [path, text] of files.slice(0, 4)) put(cwd, path, text)
  const dev = await serve(t, ['dev', '--port', '0'], { cwd })
  t.match(await (await fetch(urlOf(dev))).text(), '<li>water the plants</li>')
  t.equal((await fetch(`${urlOf(dev)}/static/site.css`)).status, 200)
  dev.child.kill('SIGTERM')
  await dev.finished

  for (const [path, text] of files.slice(4)) put(cwd, path, text)
  const first = await serve(t, ['serve', '--port', '0'], { cwd })
  t.match(await (await fetch(urlOf(first))).text(), /<li>water the plants .*action="\/1\/remove"/)
  const body = new URLSearchParams({ body: 'feed <the> cat' })
  const added = await fetch(urlOf(first), { method: 'POST', body, redirect: 'manual' })
  t.equal(added.status, 303)
  t.equal(added.headers.get('location'), '/')
  first.child.kill('SIGKILL')
  await first.finished

  const second = await serve(t, ['serve', '--port', '0'], { cwd })
  t.match(await (await fetch(urlOf(second))).text(), 'feed &lt;the&gt; cat', 'nothing was lost')
  const remove = () => fetch(`${urlOf(second)}/1/remove`, { method: 'POST', redirect: 'manual' })
  t.equal((await remove()).status, 303)
  t.equal((await remove()).status, 404)
  t.notMatch(await (await fetch(urlOf(second))).text(), 'plants')

  const check = await run(['check'], { cwd })
  t.match(check.stderr, '2 routes, 1 template, 1 file, 1 migration, 3 statements')
  t.equal(check.code, 0)
  second.child.kill('SIGTERM')
  t.match(await second.finished, { code: 0 })
})

t.test('the test of a site that the README shows passes for the site of its tour', async (t) => {
  const [, section = ''] = readText('README.md').split('\n## Tests of a site\n')
  const [, path = ''] = /^\s*`([\w/.]+\.test\.ts)`/.exec(section) ?? []
  const [, text = ''] = /```ts\n([\s\S]*?)```/.exec(section) ?? []
  const cwd = folder(t, { ...Object.fromEntries(tourFiles()), 'public/site.css': 'body {}' })
  put(cwd, path, text)
  put(cwd, 'package.json', '{ "type": "module" }')
  install(cwd)
  const { NODE_OPTIONS, ...inherited } = process.env
  const tested = spawnSync(process.execPath, ['--import', 'tsx', '--test', path], {
    cwd,
    encoding: 'utf8',
    env: { ...inherited, DATABASE_URL: await testDatabaseUrl() },
  })
  t.equal(tested.status, 0, tested.stdout + tested.stderr)
  t.match(tested.stdout, /^. pass 1$/m)
})
