/** HTML that is read otherwise than it looks: the reader of templates sees what a browser sees. */
import t, { type Test } from 'tap'
import { safeHtml } from '../../src/template/safe-html.ts'
import { createTemplates } from '../../src/template/templates.ts'
import { folder } from '../support/binary.ts'

function templates(t: Test, files: Record<string, string>) {
  const named = Object.entries(files).map(([name, text]) => [`${name}.mustache`, text])
  return createTemplates({ dir: folder(t, Object.fromEntries(named)) })
}

function refused(t: Test, text: string, message: RegExp, more: Record<string, string> = {}): void {
  const error = { code: 'UWAS_ERR_TEMPLATE_CONTEXT', message }
  t.throws(() => templates(t, { ...more, page: text }), error, text)
}

t.test('a scheme that was written decides what may follow', async (t) => {
  const scheme =
    /behind what may be a scheme that runs a script; begin the URL with \/ or with https:/
  for (const href of [
    "javascript:go('{{x}}')",
    ' JavaScript:{{x}}',
    'java\nscript:{{x}}',
    '\t\u0001javascript:{{x}}',
    'data:text/html,{{x}}',
    'vbscript:{{x}}',
    '{{a}}:{{x}}',
    '{{#a}}java{{/a}}script:{{x}}',
    '{{#a}}b{{/a}}javascript:{{x}}',
    'javascript&colon;{{x}}',
    'java{{! note }}script:{{x}}',
  ]) {
    refused(t, `<a href="${href}">`, scheme)
  }
  for (const href of [
    'https:{{x}}',
    'mailto:{{x}}?subject={{y}}',
    'HTTP://{{x}}',
    '?q={{x}}:{{y}}',
  ]) {
    t.doesNotThrow(() => templates(t, { page: `<a href="${href}">` }), href)
  }
})

t.test('JSON in quotes of a script is refused, and cannot leave other quotes', async (t) => {
  const quotes = /stands in quotes of a script; JSON brings its own: write it without/
  for (const code of [
    'x = "{{#json}}x{{/json}}"',
    "x = 'a {{#json}}x{{/json}}'",
    'x = "\\"{{#json}}x{{/json}}"',
  ]) {
    refused(t, `<script>${code}</script>`, quotes)
  }
  refused(t, '<script type="application/json">{"a": "{{#json}}x{{/json}}"}</script>', quotes)
  const site = templates(t, {
    page: '<script>// don\'t\nx = "a" + {{#json}}x{{/json}} + `{{#json}}x{{/json}}`</script>',
  })
  const comment = templates(t, { page: '<script>/* {{#json}}x{{/json}} */</script>' })
  t.equal(comment.render('page', { x: '*/f()' }), '<script>/* "*\\/f()" */</script>')
  t.equal(
    site.render('page', { x: '\'`${"' }),
    '<script>// don\'t\nx = "a" + "\\u0027\\u0060\\u0024{\\"" + `"\\u0027\\u0060\\u0024{\\""`</script>',
  )
})

t.test('comments, scripts and attributes end where a browser ends them', async (t) => {
  const unquoted = /without quotes/
  refused(t, '<!--><p a={{x}}>-->', unquoted)
  refused(t, '<!---><p a={{x}}>-->', unquoted)
  refused(t, '<!-- a --!><p a={{x}}>-->', unquoted)
  refused(t, '<!-{{! cut }}- <p a={{x}}> --><p a={{x}}>', unquoted)
  refused(t, '</scr{{! no tag }}ipt><p a={{x}}>', unquoted)
  refused(t, '<script>a</scr{{! cut }}ipt><p a={{x}}>', unquoted)
  refused(t, '<script><!--<script>a</script>{{x}}</script>', /{{x}} stands in <script>/)
  refused(t, '<script><!-- a --></script><p a={{x}}>', unquoted)
  refused(t, '<script><!--<script>--></script><p a={{x}}>', unquoted)
  refused(t, '<p a="b"="{{x}}">', /among the attributes of <p>/)
  refused(t, '<p ="{{x}}">', /among the attributes of <p>/)
  refused(t, '<<p a={{x}}>', unquoted)
  refused(t, '</ <p a={{x}}>', /in a declaration/)
  for (const page of [
    '<!-{{! cut }}- <p a={{x}}> -->'.replace('{{x}}', 'x'),
    '<svg><title>{{x}}</title><a href="{{x}}"></a></svg><title>{{x}}</title>',
    '<svg/><textarea>{{x}}</textarea>',
    '<script><!--<script>a</script></script>{{x}}',
    '</>{{x}}',
  ]) {
    t.doesNotThrow(() => templates(t, { page }), page)
  }
})

t.test('a title of a picture holds elements, whose URLs are looked at', async (t) => {
  const site = templates(t, { page: '<svg><title><a href="{{x}}"></a></title></svg>' })
  t.match(site.render('page', { x: 'javascript:1' }), 'href="about:invalid"')
})

t.test('what could become a link or a refresh is refused', async (t) => {
  refused(
    t,
    '<animate attributeName="href" values="{{x}}">',
    /in values of <animate>, which can become a link/,
  )
  refused(t, '<svg><a><set attributeName="href" to="{{x}}">', /in to of <set>/)
  refused(t, '<meta http-equiv="{{x}}">', /in http-equiv; write the field itself in the view/)
  const refresh = /in the URL of a refresh; redirect in the view/
  refused(t, '<meta content="0;url={{x}}">', refresh)
  refused(t, '<meta http-equiv="Refresh" content="{{x}}">', refresh)
  refused(t, '<meta http-equiv=refresh content="{{x}}">', refresh)
  t.doesNotThrow(() => templates(t, { page: '<meta name="description" content="About {{x}}">' }))
})

t.test('HTML of the site passes in text alone', async (t) => {
  const site = templates(t, {
    page: '{{x}}<title>{{x}}</title><textarea>{{x}}</textarea><!--{{x}}-->',
  })
  const x = '&lt;b&gt;'
  t.equal(
    site.render('page', { x: safeHtml('<b>') }),
    `<b><title>${x}</title><textarea>${x}</textarea><!--${x}-->`,
  )
})

t.test('dynamic names stand in text, and their blocks are looked at', async (t) => {
  for (const around of ['<script>?</script>', '<a href="?">', '<p ?>', '<style>?</style>']) {
    refused(
      t,
      around.replace('?', '{{>*x}}'),
      /{{>\*x}} stands .*; write it in text, around whole elements/,
    )
  }
  const layout = '<p>{{$body}}{{/body}}</p>'
  const page = '{{<*x}}{{$body}}<script>{{y}}</script>{{/body}}{{/*x}}'
  refused(t, page, /{{y}} stands in <script>/, { layout })
  const site = templates(t, { layout, page: '{{<*x}}{{$body}}<a href="{{y}}">{{/body}}{{/*x}}' })
  t.equal(
    site.render('page', { x: 'layout', y: 'javascript:1' }),
    '<p><a href="about:invalid"></p>',
  )
})

t.test('what a lambda makes of a section is escaped by its places, too', async (t) => {
  const site = templates(t, {
    page: '{{#wrap}}<a href="{{url}}">{{text}}</a>{{/wrap}}<a href="{{#wrap}}{{url}}{{/wrap}}">',
    'mail.txt': '{{#wrap}}{{text}}{{/wrap}}{{f}}',
    json: '{{#wrap}}<script>{{#json}}text{{/json}}</script>{{/wrap}}',
    raw: '{{{f}}}',
  })
  const wrap = (text: string) => text
  const data = { wrap, url: 'javascript:1', text: '<&"', f: () => '<a href="{{url}}">{{text}}</a>' }
  t.equal(
    site.render('page', data),
    '<a href="about:invalid">&lt;&amp;&quot;</a><a href="about:invalid">',
  )
  t.equal(site.render('mail.txt', data), '<&"<a href="javascript:1"><&"</a>')
  t.equal(site.render('json', data), '<script>"\\u003c\\u0026\\""</script>')
  t.equal(site.render('raw', data), '<a href="about:invalid">&lt;&amp;&quot;</a>')
  const bad = { ...data, wrap: (_: string) => '<script>{{text}}</script>' }
  t.throws(() => site.render('page', bad), {
    code: 'UWAS_ERR_TEMPLATE_RENDER',
    message: /page\.mustache:1:1: .*text of a lambda:1:9: {{text}} stands in <script>/,
  })
})
