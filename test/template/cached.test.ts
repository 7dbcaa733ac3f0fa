/** The tag `{{#cached}}`: how it is read, where it may stand, and what it asks a keeper for. */
import t, { type Test } from 'tap'
import { compile } from '../../src/template/compile.ts'
import type { Fragment, Fragments } from '../../src/template/fragments.ts'
import { createTemplates, type Templates } from '../../src/template/templates.ts'
import { folder } from '../support/binary.ts'

function templates(t: Test, files: Record<string, string>): Templates {
  const named = Object.entries(files).map(([name, text]) => [`${name}.mustache`, text])
  return createTemplates({ dir: folder(t, Object.fromEntries(named)) })
}

/** Keeps everything for good, and notes what it is asked for. */
function keeper(): Fragments & { readonly asked: Fragment[]; made: number } {
  const kept = new Map<string, string>()
  return {
    asked: [],
    made: 0,
    remember(fragment, make) {
      this.asked.push(fragment)
      const known = kept.get(fragment.key)
      if (known !== undefined) return known
      this.made += 1
      const html = make()
      kept.set(fragment.key, html)
      return html
    },
  }
}

t.test('the tag names a template and what its fragments are kept by', async (t) => {
  const site = templates(t, {
    page: '<p>{{#posts}}{{#cached}} side/post\n vary=id,lang tags=posts,post:{id}/{lang}! seconds=1.5 {{/cached}}{{/posts}}',
    'side/post': '<b title="{{title}}">{{title}}</b>',
  })
  const own = keeper()
  const data = {
    lang: 'ko',
    posts: [
      { id: 1, title: '"<' },
      { id: 2, title: () => 'two' },
    ],
  }
  const html = '<p><b title="&quot;&lt;">&quot;&lt;</b><b title="two">two</b>'
  t.ok(site.hasFragments)
  t.equal(site.render('page', data, undefined, own), html)
  t.equal(site.render('page', { ...data, lang: 'ko' }, undefined, own), html)
  t.equal(own.made, 2)
  const [first] = own.asked
  t.match(first, { name: 'side/post', tags: ['posts', 'post:1/ko!'], seconds: 1.5 })
  t.equal(site.render('page', data), html, 'and without a keeper it is a partial')
})

t.test('keys differ with every value and its type, and with the templates', async (t) => {
  const files = { page: '{{#cached}}side vary=a,b{{/cached}}', side: 'x' }
  const site = templates(t, files)
  const own = keeper()
  const date = new Date(0)
  const values = [
    1,
    '1',
    1n,
    true,
    'true',
    '',
    ' ',
    null,
    '-',
    date,
    '@0',
    'a" "b',
    0.1,
    Number.NaN,
  ]
  for (const a of values) {
    for (const b of values) site.render('page', { a, b }, undefined, own)
  }
  t.equal(new Set(own.asked.map(({ key }) => key)).size, values.length ** 2)
  const before = own.made
  site.reload()
  site.render('page', { a: 1, b: 1 }, undefined, own)
  t.equal(own.made, before + 1, 'what another version of the templates made is not found')
})

t.test('a keeper holds for the page that is being rendered', async (t) => {
  const site = templates(t, { page: '{{inner}}{{#cached}}side{{/cached}}', side: 'x' })
  const own = keeper()
  const inner = () => site.render('page', { inner: '' })
  site.render('page', { inner }, undefined, own)
  t.equal(own.asked.length, 1, 'the page inside of it has none')
  t.throws(() => site.render('page', { inner: () => Promise.resolve() }, undefined, own))
  site.render('page', { inner: '' })
  t.equal(own.asked.length, 1, 'and nothing is left of one that failed')
})

t.test('blocks of the page around it are not part of it', async (t) => {
  const site = templates(t, {
    page: '{{<layout}}{{$a}}of the page{{/a}}{{/layout}}',
    layout: '{{#cached}}side{{/cached}}{{>side}}',
    side: '[{{$a}}own{{/a}}]',
  })
  t.equal(site.render('page', {}, undefined, keeper()), '[own][of the page]')
})

t.test('a tag that says too little, too much or nonsense is an error with its place', async (t) => {
  const rows: [string, RegExp][] = [
    ['', /holds no template, like "posts\/side vary=lang seconds=60"/],
    ['vary=a', /holds no template/],
    ['side vari=a', /has no option "vari"; did you mean "vary"\?/],
    ['side a', /has no option "a"; known are: seconds, tags, vary/],
    ['side vary=a vary=b', /has the option vary twice/],
    ['side vary=', /says nothing for vary/],
    ['side tags=a,,b', /says nothing for tags/],
    ['side seconds=0', /has no number for seconds/],
    ['side seconds=soon', /has no number for seconds/],
    ['side seconds=Infinity', /has no number for seconds/],
    ['side vary=a..b', /has an empty part in its name/],
    ['side tags=a:{b', /has a brace alone in its tag a:{b/],
    ['side tags=a:{}', /has a brace alone in its tag a:{}/],
  ]
  for (const [text, message] of rows) {
    const files = { page: `\n {{#cached}}${text}{{/cached}}`, side: '' }
    t.throws(() => templates(t, files), { code: 'UWAS_ERR_TEMPLATE_NAME', message }, text)
    t.throws(() => templates(t, files), { message: /page\.mustache:2:2: the tag {{#cached}}/ })
  }
  t.throws(() => templates(t, { page: '{{#cached}}sid{{/cached}}', side: '' }), {
    code: 'UWAS_ERR_TEMPLATE_UNKNOWN_PARTIAL',
    message: /page\.mustache:1:1: the partial "sid" does not exist; did you mean "side"\?/,
  })
})

t.test('it stands in text, and its template ends there', async (t) => {
  const tag = '{{#cached}}side{{/cached}}'
  for (const page of [
    `<p class="${tag}">`,
    `<p ${tag}>`,
    `<script>${tag}</script>`,
    `<!--${tag}-->`,
  ]) {
    t.throws(() => templates(t, { page, side: 'x' }), {
      code: 'UWAS_ERR_TEMPLATE_CONTEXT',
      message: /{{#cached}} stands .*; write it in text, around whole elements/s,
    })
  }
  t.throws(() => templates(t, { page: tag, side: '<p class="' }), {
    message:
      /so that what follows is read as in the attribute class; let the template side end in text/,
  })
  t.throws(() => templates(t, { page: tag, side: '<script>{{x}}</script>' }), {
    message: /side\.mustache:1:9: {{x}} stands in <script>/,
  })
})

t.test('a value that is no value of a tag is an error of the page', async (t) => {
  const site = templates(t, { page: '{{#cached}}side tags=p:{id}{{/cached}}', side: '' })
  for (const id of [undefined, null, '', {}, [1], true]) {
    t.throws(() => site.render('page', { id }, undefined, keeper()), {
      code: 'UWAS_ERR_TEMPLATE_CACHED',
      message:
        /page\.mustache:1:1: the cached template has a tag with "id", which is no text and no number/,
    })
  }
})

t.test('elsewhere than in a site it is a section like others', async (t) => {
  t.equal(compile('{{#cached}}{{x}}{{/cached}}')({ cached: true, x: 1 }), '1')
})
