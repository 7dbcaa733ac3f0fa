/** Templates that are put into each other: what stands in one is read as it was when its place was checked. */
import t, { type Test } from 'tap'
import { buildFolder, createTemplates } from '../../src/template/templates.ts'
import { folder } from '../support/binary.ts'

function folderOf(t: Test, files: Record<string, string>): string {
  const named = Object.entries(files).map(([name, text]) => [`${name}.mustache`, text])
  return folder(t, Object.fromEntries(named))
}

function templates(t: Test, files: Record<string, string>) {
  return createTemplates({ dir: folderOf(t, files) })
}

function refused(t: Test, files: Record<string, string>, message: RegExp): void {
  const error = { code: 'UWAS_ERR_TEMPLATE_CONTEXT', message }
  t.throws(() => templates(t, files), error, JSON.stringify(files))
}

t.test('a dynamic name chooses no template that leaves a tag open', async (t) => {
  const site = templates(t, {
    page: '<p>{{>*part}}{{x}}</p>',
    open: '<a title="',
    svg: '<svg>',
    whole: '<b>{{x}}</b>',
    closed: '{{>open}}">',
  })
  t.equal(site.render('page', { part: 'whole', x: '<' }), '<p><b>&lt;</b>&lt;</p>')
  t.equal(site.render('page', { part: 'closed', x: 1 }), '<p><a title="">1</p>')
  const chosen = (one: typeof site, part: string, problem: string) =>
    t.throws(() => one.render('page', { part, x: ' onclick=f()' }), {
      code: 'UWAS_ERR_TEMPLATE_CHOSEN',
      message: new RegExp(
        `/page\\.mustache:1:\\d+: a value names the template "${part}" here, which ${problem}`,
      ),
    })
  chosen(site, 'open', 'ends in the attribute title: let it end in text, or name it itself')
  chosen(site, 'svg', 'ends in text of an <svg> or <math>')
  const layouts = templates(t, {
    page: '{{<*part}}{{$end}}<a title="{{/end}}{{/*part}}{{x}}',
    layout: '{{$end}}<b>{{/end}}">',
    open: '{{$end}}<b>{{/end}}',
  })
  t.equal(layouts.render('page', { part: 'layout', x: 1 }), '<a title="">1')
  chosen(layouts, 'open', 'ends in the attribute title')
})

t.test('a template that a dynamic name chooses in itself is looked at to its end', async (t) => {
  const site = templates(t, { page: '{{#more}}{{>*part}}{{/more}}{{x}}<a title="', part: '">' })
  t.throws(() => site.render('page', { more: { more: false, part: 'page' } }), {
    code: 'UWAS_ERR_TEMPLATE_CHOSEN',
    message: /"page" here, which ends in the attribute title/,
  })
})

t.test('templates built ahead know as well which ones are not chosen', async (t) => {
  const dir = folderOf(t, { page: '{{>*part}}', open: '<a title="' })
  t.match(buildFolder(dir).code, /\["open","ends in the attribute title/)
})

t.test('a template in itself ends where it begins', async (t) => {
  const message =
    /{{>page}} stands so that what follows is read as in <script> or as in text; let what stands in itself end in the place where it begins/
  refused(t, { page: '{{#more}}{{>page}}{{/more}}{{x}}<script>' }, message)
  refused(
    t,
    { page: '<a href="{{>url}}">', url: '{{#more}}{{>url}}{{/more}}{{x}}:' },
    /{{>url}} stands so that what follows is read as in the attribute href/,
  )
  const site = templates(t, {
    page: '{{>tree}}<a {{>attributes}}>',
    tree: '<li>{{x}}{{#more}}<ul>{{>tree}}</ul>{{/more}}</li>',
    attributes: '{{#more}} title="{{x}}"{{>attributes}}{{/more}}',
  })
  t.equal(
    site.render('page', { x: '"', more: { x: '<', more: null } }),
    '<li>&quot;<ul><li>&lt;</li></ul></li><a  title="&lt;">',
  )
})

t.test('what a list repeats is read as it is behind its last item', async (t) => {
  const site = templates(t, { page: '<a href="{{#list}}{{.}}{{/list}}">' })
  const href = (...list: string[]) => site.render('page', { list })
  t.equal(href('javascript', ':alert(1)'), '<a href="javascriptabout:invalid">')
  t.equal(href('java', 'script:alert(1)'), '<a href="javaabout:invalid">')
  t.equal(href('/a', '?b=c:d'), '<a href="/a?b=c:d">')
  refused(
    t,
    { page: '<a href="{{#list}}{{.}}:{{/list}}">' },
    /{{\.}} stands behind what may be a scheme that runs a script/,
  )
  refused(
    t,
    { page: '<script>{{#list}}{{#json}}x{{/json}}"{{/list}}</script>' },
    /{{#json}} stands in quotes of a script/,
  )
})

t.test('a section does not change which tag is open', async (t) => {
  const message = /let the section end in the place where it begins/
  refused(t, { page: '<p {{#a}}><script {{/a}}>{{x}}</script>' }, message)
  refused(t, { page: '<svg {{#a}}/{{/a}}><title>{{x}}</title>' }, message)
})

t.test('a refresh is one wherever its tag says so', async (t) => {
  const refresh = /{{x}} stands in the URL of a refresh; redirect in the view/
  for (const page of [
    '<meta content="{{x}}" http-equiv="refresh">',
    "<META CONTENT='{{x}}' lang=en HTTP-EQUIV=' Refresh'>",
    '<meta content="{{x}}" http-equiv=refresh>',
    '<meta content="{{x}}" http-equiv="&#114;efresh">',
    '<meta content="{{x}}" {{#a}}http-equiv="refresh"{{/a}}>',
    '<meta {{#a}}content="{{x}}"{{/a}} http-equiv="refresh">',
    '<meta {{#a}}http-equiv="refresh"{{/a}} content="{{x}}">',
    '<meta content="{{>x}}" http-equiv="{{! }}re{{! }}fresh">',
  ]) {
    refused(t, { page, x: '{{x}}' }, refresh)
  }
  const fine = '<meta content="{{x}}" http-equiv="content-language"><meta http-equiv="refresh">'
  t.doesNotThrow(() => templates(t, { page: fine }))
})

t.test('a plain text template is no part of an HTML page', async (t) => {
  const message =
    /stands in HTML, and the values of mail\.txt, which is plain text, are not escaped; name an HTML template/
  const mail = { 'mail.txt': '{{x}}' }
  refused(t, { ...mail, page: '{{>mail.txt}}' }, message)
  refused(t, { ...mail, page: '{{<mail.txt}}{{/mail.txt}}' }, message)
  refused(t, { ...mail, page: '{{#cached}}mail.txt{{/cached}}' }, message)
  const site = templates(t, { ...mail, page: '{{>*part}}', 'all.txt': '{{>mail.txt}}{{>*part}}' })
  t.throws(() => site.render('page', { part: 'mail.txt', x: '<' }), {
    code: 'UWAS_ERR_TEMPLATE_CHOSEN',
    message: /"mail\.txt" here, which is plain text, whose values are not escaped/,
  })
  t.equal(site.render('all.txt', { part: 'mail.txt', x: '<' }), '<<')
})

t.test('a partial in many attributes makes code in proportion to the page', async (t) => {
  const page = (n: number) =>
    Array.from({ length: n }, (_, i) => `<p a${i}="{{>part}}" href="/${i}{{>part}}">`).join('')
  const size = (n: number) =>
    buildFolder(folderOf(t, { page: page(n), part: '{{#a}}{{b}}{{/a}}' })).code.length
  t.ok(size(1600) < size(400) * 5)
  const site = templates(t, { page: page(2), part: '{{#a}}{{b}}{{/a}}' })
  t.equal(
    site.render('page', { a: { b: '"' } }),
    '<p a0="&quot;" href="/0&quot;"><p a1="&quot;" href="/1&quot;">',
  )
})
