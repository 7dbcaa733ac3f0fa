import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { isCodedError } from '../../src/core/errors.ts'
import { safeHtml, safeUrl, scriptJson } from '../../src/template/safe-html.ts'
import { createTemplates } from '../../src/template/templates.ts'
import { temporaryFolder } from '../support/catalogue.ts'

type Texts = Record<string, string>

function templatesOf(t: Test, texts: Texts, isStrict = false) {
  const dir = temporaryFolder(t)
  for (const [name, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, `${name}.mustache`), text)
  }
  return createTemplates({ dir, isStrict })
}

/** What is said of the templates: for each mistake `file:line:column: tag … advice`, the first line. */
function problems(t: Test, texts: Texts): string[] {
  try {
    templatesOf(t, texts)
    return []
  } catch (error) {
    const all = (error as { errors?: Error[] }).errors ?? [error as Error]
    for (const each of all) {
      t.ok(isCodedError(each))
      t.match(each, { code: 'UWAS_ERR_TEMPLATE_CONTEXT', status: 500 })
    }
    return all.map(({ message }) => message.split('\n')[0]?.replace(/^.*?\/(?=[^/]*:\d)/, '') ?? '')
  }
}

const one = (t: Test, text: string): string => problems(t, { a: text })[0] ?? 'fine'

t.test('text, quoted attributes, titles, text areas and comments are places for values', (t) => {
  for (const text of [
    '<p>{{x}}</p>',
    '<p class="{{x}}" title=\'a {{x}} b\'>{{x}}</p>',
    '<title>{{x}}</title><textarea>{{x}}</textarea>{{x}}',
    '<!-- {{x}} -->{{x}}',
    'a < b {{x}} <3 {{x}}',
    '<br/><img src="/a/{{x}}" alt="{{x}}"/>',
    '<a href="{{x}}">{{x}}</a><a href="/posts/{{x}}?q={{x}}#{{x}}">',
    '<a href="https://a.test/{{x}}">',
    '<option value="{{x}}"{{#x}} selected{{/x}}>',
    '<input {{#x}}value="{{x}}"{{/x}} {{^x}}disabled{{/x}} checked>',
    '<ul>{{#xs}}<li class="{{#y}}b{{/y}}">{{.}}</li>{{/xs}}</ul>',
    '<script src="/a.js?{{x}}"></script><style>p { }</style>{{x}}',
    '<script>const data = {{#json}}x{{/json}}</script>',
    '<!doctype html><html lang="{{x}}">{{x}}',
    '<a href="{{#x}}/a{{/x}}{{^x}}/b{{/x}}">',
    '<p data-x="{{x}}" aria-label="{{x}}">',
  ]) {
    t.strictSame(problems(t, { a: text }), [], text)
  }
  t.end()
})

t.test('a value in a dangerous place is an error at start, with what to write instead', (t) => {
  t.equal(
    one(t, '<script>let x = {{x}}</script>'),
    'a.mustache:1:17: {{x}} stands in <script>; write {{#json}}x{{/json}}, or put it into a data attribute',
  )
  t.match(one(t, '<style>p { color: {{x}} }</style>'), /in <style>; write a class or a data/)
  t.match(
    one(t, '<p class={{x}}>'),
    /in an attribute without quotes; write quotes: class="\{\{x\}\}"/,
  )
  t.match(one(t, '<p class=a{{x}}>'), /without quotes/)
  t.match(
    one(t, '<p onclick="f({{x}})">'),
    /in onclick, which is a script; write data-…="\{\{x\}\}"/,
  )
  t.match(one(t, '<p style="width: {{x}}">'), /in a style attribute; write a class/)
  t.match(one(t, '<iframe srcdoc="{{x}}">'), /in srcdoc, which is a whole page/)
  t.match(one(t, '<{{x}}>'), /in the name of a tag/)
  t.match(one(t, '<p {{x}}>'), /among the attributes of <p>/)
  t.match(one(t, '<p {{x}}="a">'), /among the attributes/)
  t.match(one(t, '<a href="{{x}}{{y}}">'), /\{\{y\}\} stands behind the beginning of a URL/)
  t.match(one(t, '<a href="java{{x}}">'), /begin the URL with \/ or with its scheme/)
  t.match(one(t, '<p title="{{{x}}}">'), /in the attribute title, and is not escaped; write/)
  t.match(one(t, '<p {{{x}}}>'), /and is not escaped/)
  t.match(
    one(t, '<p>{{#json}}x{{/json}}</p>'),
    /in text; \{\{#json\}\} is for <script>; here write/,
  )
  t.match(one(t, '<SCRIPT TYPE="a">{{x}}</SCRIPT>'), /in <script>/)
  t.strictSame(problems(t, { a: '<script>{{x}}</scripty>{{x}}</script>{{x}}' }).length, 2)
  t.end()
})

t.test('a section that ends elsewhere than it begins is an error', (t) => {
  t.match(
    one(t, '{{#x}}<p class="{{/x}}'),
    /\{\{#x\}\} stands so that what follows is read as in the attribute class or as in text; let the/,
  )
  t.match(one(t, '<p {{#x}}title="a{{/x}}>'), /let the section end in the place where it begins/)
  t.match(one(t, '{{#x}}<script>{{/x}}{{x}}'), /read as in <script> or as in text/)
  t.end()
})

t.test('partials, parents and blocks are followed into the place where they stand', (t) => {
  const part = '{{x}}'
  t.strictSame(problems(t, { a: '<p>{{> part}}</p>', part }), [])
  t.match(problems(t, { a: '<script>{{> part}}</script>', part }), [
    /part\.mustache:1:1: \{\{x\}\} stands/,
  ])
  t.match(problems(t, { a: '{{> b}}>', b: '<p {{> c}}', c: 'id="{{> part}}" {{x}}', part }), [
    /c\.mustache:1:17: \{\{x\}\} stands among the attributes of <p>/,
  ])
  const layout = '<script>{{$code}}{{/code}}</script><p>{{$body}}{{/body}}</p>'
  t.match(
    problems(t, {
      a: '{{<layout}}{{$body}}{{x}}{{/body}}{{$code}}{{y}}{{/code}}{{/layout}}',
      layout,
    }),
    [/a\.mustache:1:44: \{\{y\}\} stands in <script>/],
  )
  t.strictSame(
    problems(t, { a: '<ul>{{#xs}}<li>{{.}}{{> a}}</li>{{/xs}}</ul>' }),
    [],
    'recursion ends',
  )
  t.end()
})

t.test(
  'a URL that would run a script becomes about:invalid, wherever its beginning is a value',
  (t) => {
    const { render } = templatesOf(t, {
      a: '<a href="{{x}}">{{x}}</a><a href="/go?to={{x}}">',
    })
    t.equal(
      render('a', { x: 'javascript:alert("1")' }),
      '<a href="about:invalid">javascript:alert(&quot;1&quot;)</a><a href="/go?to=javascript:alert(&quot;1&quot;)">',
    )
    t.equal(render('a', { x: '/a?b=1&c=2' }).slice(0, 24), '<a href="/a?b=1&amp;c=2"')
    for (const good of [
      '/a',
      'a:b/c'.slice(2),
      '?x',
      '#y',
      'https://a',
      'HTTP://a',
      'mailto:a@b',
      'tel:+1',
      '//h/p',
      '/a:b',
      'data:image/png;base64,AAAA',
      '',
    ]) {
      t.equal(safeUrl(good), good)
    }
    for (const bad of [
      'javascript:1',
      ' \u0001JaVa\tScript\n:1',
      'vbscript:x',
      'data:text/html,x',
      'blob:x',
      'data:image/svg+xml;base64,AAAA',
      'x-y:1',
    ]) {
      t.equal(safeUrl(bad), 'about:invalid', JSON.stringify(bad))
    }
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'javscriptJAVASCRIPT:\t\n\r \u0000&;/') }),
        (text) => {
          const scheme = safeUrl(text)
            .replace(/[\t\n\r]/g, '')
            .replace(/^[\0- ]+/, '')
          return !/^javascript:/i.test(scheme)
        },
      ),
    )
    t.end()
  },
)

t.test('JSON in a script cannot leave it', (t) => {
  const { render } = templatesOf(t, { a: '<script>let x = {{#json}}a.x{{/json}}</script>' })
  const x = { text: '</script><!--\u2028&', list: [1, null] }
  const page = render('a', { a: { x } })
  const written = page.slice('<script>let x = '.length, -'</script>'.length)
  t.notMatch(written, /[<>&\u2028]/)
  t.strictSame(JSON.parse(written), x)
  t.equal(render('a', {}), '<script>let x = null</script>')
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = scriptJson(value)
      t.notMatch(text, /[<>&]/)
      t.strictSame(JSON.parse(text), JSON.parse(JSON.stringify(value)))
    }),
  )
  t.throws(() => templatesOf(t, { a: '<script>{{#json}}a b{{/json}}</script>' }), {
    code: 'UWAS_ERR_TEMPLATE_NAME',
  })
  t.end()
})

t.test('SafeHtml passes in text and nowhere else', (t) => {
  const { render } = templatesOf(t, { a: '<p title="{{x}}">{{x}}</p><a href="{{x}}">' })
  t.equal(
    render('a', { x: safeHtml('<b>"bold"</b>') }),
    '<p title="&lt;b&gt;&quot;bold&quot;&lt;/b&gt;"><b>"bold"</b></p><a href="&lt;b&gt;&quot;bold&quot;&lt;/b&gt;">',
  )
  t.equal(
    render('a', { x: { toString: () => '<b>' } }).slice(0, 17),
    '<p title="&lt;b&g',
    'no other object',
  )
  t.end()
})

t.test('a plain text template escapes nothing', (t) => {
  const { render } = templatesOf(t, {
    'mail.txt': 'Dear {{name}} <{{address}}>, {{#x}}"{{.}}"{{/x}}',
  })
  t.equal(
    render('mail.txt', { name: 'A & B', address: 'a@b', x: ['<q>'] }),
    'Dear A & B <a@b>, "<q>"',
  )
  t.end()
})

t.test('strict templates refuse names that nothing has, and only those', (t) => {
  const { render } = templatesOf(
    t,
    { a: '{{title}}{{#post}}{{author.name}}{{#none}}x{{/none}}{{^none}}y{{/none}}{{/post}}' },
    true,
  )
  const post = { author: { name: 'n' } }
  t.equal(render('a', { title: 't', post }), 'tny')
  t.equal(render('a', { title: undefined, post: { author: null } }), 'y', 'known, and empty')
  const unknown = { code: 'UWAS_ERR_TEMPLATE_UNKNOWN_NAME' }
  t.throws(() => render('a', { titel: 't', post }), {
    ...unknown,
    message: /a\.mustache:1:1: nothing is named "title"; did you mean "titel"\?/,
  })
  t.throws(() => render('a', { title: 't', post: { author: { nam: 1 } } }), {
    ...unknown,
    message: /a\.mustache:1:19: nothing is named "author\.name"; did you mean "nam"\?/,
  })
  t.throws(() => render('a', { title: 't', post: {} }), { ...unknown, message: /"author\.name"/ })
  t.equal(templatesOf(t, { a: '{{title}}' }).render('a', {}), '', 'in production it is empty')
  t.end()
})
