import t, { type Test } from 'tap'
import { compile } from '../../src/template/compile.ts'
import { createTemplates } from '../../src/template/templates.ts'

function site(t: Test, files: Record<string, string>) {
  const named = Object.entries(files).map(([name, text]) => [`${name}.mustache`, text])
  return createTemplates({ dir: t.testdir(Object.fromEntries(named)) })
}

const LAYOUT = '<title>{{$title}}x{{/title}}</title>{{#x}}{{$content}}{{/content}}{{/x}}'

t.test('a block that its parent has no place for is an error at start', async (t) => {
  t.throws(
    () => site(t, { layout: LAYOUT, page: '{{<layout}}\n{{$contnet}}<p>{{/contnet}}{{/layout}}' }),
    {
      code: 'UWAS_ERR_TEMPLATE_UNKNOWN_BLOCK',
      message:
        /page\.mustache:2:1: the parent "layout" has no block "contnet", so that this would show nowhere; did you mean "content"\?/,
    },
  )
  t.throws(() => site(t, { layout: LAYOUT, page: '{{<layout}}{{$main}}x{{/main}}{{/layout}}' }), {
    message: /has no block "main", .*; known are: content, title/,
  })
  t.throws(
    () =>
      site(t, {
        layout: LAYOUT,
        // What a parent tag replaces is no place of its own.
        middle: '{{<layout}}{{$title}}m{{/title}}{{/layout}}',
        page: '{{#x}}{{<middle}}{{$aside}}a{{/aside}}{{/middle}}{{/x}}',
      }),
    { code: 'UWAS_ERR_TEMPLATE_UNKNOWN_BLOCK', message: /"middle" has no block "aside"/ },
  )
})

t.test('blocks of the parents and partials of a parent are its own', async (t) => {
  const templates = site(t, {
    layout: `${LAYOUT}{{>foot}}`,
    foot: '<footer>{{$foot}}{{/foot}}</footer>',
    middle: '{{<layout}}{{$content}}<main>{{$main}}{{/main}}</main>{{/content}}{{/layout}}',
    page: '{{<middle}}{{$main}}M{{/main}}{{$title}}T{{/title}}{{$foot}}F{{/foot}}{{/middle}}',
    circle: '{{$a}}{{/a}}{{#more}}{{>circle}}{{/more}}',
    round: '{{<circle}}{{$a}}A{{/a}}{{/circle}}',
  })
  t.equal(templates.render('page', { x: true }), '<title>T</title><main>M</main><footer>F</footer>')
  t.equal(templates.render('round', { more: { more: false } }), 'AA')
})

t.test('where a value names a template, any block may have its place', async (t) => {
  const templates = site(t, {
    one: '{{$a}}1{{/a}}',
    chosen: '{{<*which}}{{$a}}A{{/a}}{{$b}}B{{/b}}{{/*which}}',
    open: '{{>*which}}',
    page: '{{<open}}{{$a}}A{{/a}}{{/open}}',
  })
  t.equal(templates.render('chosen', { which: 'one' }), 'A')
  t.equal(templates.render('page', { which: 'one' }), 'A')
})

t.test('compile takes any block, as the specification says', async (t) => {
  const partials = { layout: '[{{$a}}{{/a}}]' }
  t.equal(compile('{{<layout}}{{$b}}B{{/b}}{{/layout}}', { partials })({}), '[]')
})
