import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { folder, put, run, serve } from '../support/binary.ts'

const SITE = {
  'uwas.config.ts': `import { path, render, urlconf } from 'uwas'
const view = (req) => render(req, 'page', { title: 'A & B', rows: [1, 2], tags: (text) => req.query.has('tags') ? text : '(plain)', get bad() { if (req.query.has('bad')) throw new Error('on purpose'); return '' } })
export const config = { urls: urlconf(path('/', view)), templates: 'templates', database: false }`,
  'templates/page.mustache':
    '{{<layout}}{{$body}}<p title="{{title}}">{{#rows}}{{.}}{{/rows}}</p>{{#tags}}{{title}}{{/tags}}\n{{bad}}{{/body}}{{/layout}}',
  'templates/layout.mustache': '<main>{{$body}}{{/body}}</main>',
}
const NO_CODE = { NODE_OPTIONS: '--disallow-code-generation-from-strings' }

t.test('what build writes serves pages where code may not be made from strings', async (t) => {
  const cwd = folder(t, SITE)
  const unbuilt = await run(['serve', '--port', '0'], { cwd, env: NO_CODE })
  t.equal(unbuilt.code, 2)
  t.match(unbuilt.stderr, /and there is none: run "uwas build" \[UWAS_ERR_TEMPLATE_NOT_BUILT\]/)

  const built = await run(['build'], { cwd })
  t.equal(built.code, 0, built.stderr)
  t.match(built.stderr, 'build/templates.mjs: 2 templates')
  const text = readFileSync(join(cwd, 'build/templates.mjs'), 'utf8')
  t.match(text, /^\/\/ Made by "uwas build" of the site's templates: do not edit/)

  const { port, child, finished } = await serve(t, ['serve', '--port', '0'], { cwd, env: NO_CODE })
  const page = await fetch(`http://127.0.0.1:${port}/`)
  t.equal(await page.text(), '<main><p title="A &amp; B">12</p>(plain)\n</main>')
  const failed = await fetch(`http://127.0.0.1:${port}/?bad`)
  t.equal(failed.status, 500)
  t.equal((await fetch(`http://127.0.0.1:${port}/?tags`)).status, 500)
  child.kill('SIGTERM')
  const { stderr } = await finished
  t.match(stderr, /templates\/page\.mustache:2:1: .*on purpose/, 'the tag of an error is told')
  t.match(
    stderr,
    /page\.mustache:1:\d+: the lambda returned a text with tags, which this process may not compile \(--disallow-code-generation-from-strings\): return text without tags/,
    'UWAS_ERR_TEMPLATE_LAMBDA',
  )

  put(cwd, 'templates/layout.mustache', '<div>{{$body}}{{/body}}</div>')
  const stale = await run(['serve', '--port', '0'], { cwd, env: NO_CODE })
  t.equal(stale.code, 2)
  t.match(stale.stderr, 'it is not of the templates as they are now: run "uwas build"')
  const compiled = await serve(t, ['serve', '--port', '0'], { cwd })
  const fresh = await fetch(`http://127.0.0.1:${compiled.port}/`)
  t.match(await fresh.text(), /^<div>/, 'elsewhere a stale build is passed over')
})

t.test('build tells mistakes of templates and writes nothing', async (t) => {
  const cwd = folder(t, { ...SITE, 'templates/page.mustache': '<script>{{x}}</script>' })
  const { code, stderr } = await run(['build'], { cwd })
  t.equal(code, 2)
  t.match(stderr, /page\.mustache:1:9: \{\{x\}\} stands in <script>/)
  t.notOk(existsSync(join(cwd, 'build')))
  const none = folder(t, { 'uwas.config.ts': 'export const config = { static: "." }' })
  const nothing = await run(['build'], { cwd: none })
  t.equal(nothing.code, 2)
  t.match(nothing.stderr, 'names no templates, so there is nothing to build')
  t.match(nothing.stderr, '[UWAS_ERR_COMMANDS_NOTHING_TO_BUILD]')
})

t.test('a build that is broken says so', async (t) => {
  const cwd = folder(t, { ...SITE, 'build/templates.mjs': 'export const hash = (' })
  const { code, stderr } = await run(['serve', '--port', '0'], { cwd })
  t.equal(code, 2)
  t.match(stderr, /templates\.mjs cannot be used: .*; run "uwas build" again/)
  t.match(stderr, '[UWAS_ERR_TEMPLATE_BUILT]')
})
