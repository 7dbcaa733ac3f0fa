import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { text } from '../../src/http/reply.ts'
import { include, path, urlconf } from '../../src/route/urlconf.ts'
import { createTemplates } from '../../src/template/templates.ts'
import { templateUrls } from '../../src/was/template-urls.ts'
import { temporaryFolder } from '../support/catalogue.ts'

const view = () => text('')
const conf = urlconf(
  path('/', view, { name: 'home' }),
  path('/posts/<int:id>/<str:word>', view, { name: 'post' }),
  include('/users/<int:user>', urlconf(path('/posts', view, { name: 'posts' })), {
    namespace: 'user',
  }),
)
const urls = templateUrls(conf)

function templates(t: Test, source: string) {
  const dir = join(temporaryFolder(t), 'templates')
  mkdirSync(dir)
  writeFileSync(join(dir, 'a.mustache'), source)
  return createTemplates({ dir, urls })
}

t.test('a template names routes, and their parameters by their own or by other names', (t) => {
  const { render } = templates(
    t,
    `<a href="{{#url}}home{{/url}}">{{#posts}}<a href="{{#url}} post id word=title.text {{/url}}#x">{{/posts}}
<form action='{{#url}}user:posts user=me.id{{/url}}'>{{#url}}home{{/url}}`,
  )
  t.equal(
    render('a', {
      posts: [
        { id: 7, title: { text: 'a/b'.replace('/', ' "&') } },
        { id: 8, title: { text: '한' } },
      ],
      me: { id: () => 3 },
    }),
    `<a href="/"><a href="/posts/7/a%20%22&amp;b#x"><a href="/posts/8/%ED%95%9C#x">
<form action='/users/3/posts'>/`,
  )
  t.throws(() => render('a', { posts: [{ id: 'x', title: {} }], me: {} }), {
    code: 'UWAS_ERR_TEMPLATE_RENDER',
    message: /a\.mustache:1:51: .*<int:id> is "x", which its converter cannot/,
  })
  t.end()
})

t.test('a URL that cannot be is an error at start, with line and nearest name', (t) => {
  const refused = (source: string, message: RegExp, code = 'UWAS_ERR_TEMPLATE_URL') =>
    t.throws(() => templates(t, source), { code, message }, source)
  refused(
    '\n{{#url}}hmoe{{/url}}',
    /a\.mustache:2:1: the URL of "hmoe": there is no such route; did you mean "home"/,
  )
  refused(
    '{{#url}}post id{{/url}}',
    /its parameter "word" is missing; write {{#url}}post id word{{\/url}}, or word=name/,
  )
  refused('{{#url}}post id word wrod{{/url}}', /"wrod" is no parameter of it; did you mean "word"/)
  refused('{{#url}}post id word id=x{{/url}}', /"id" stands twice/)
  refused('{{#url}}posts user{{/url}}', /there is no such route/)
  refused('{{#url}}{{x}}{{/url}}', /holds no route with keys/, 'UWAS_ERR_TEMPLATE_NAME')
  refused('{{#url}}{{/url}}', /holds no route/, 'UWAS_ERR_TEMPLATE_NAME')
  refused(
    '<script>{{#url}}home{{/url}}</script>',
    /stands in <script>; write it in text or in href/,
    'UWAS_ERR_TEMPLATE_CONTEXT',
  )
  refused(
    '<p onclick="{{#url}}home{{/url}}">',
    /stands in the attribute onclick/,
    'UWAS_ERR_TEMPLATE_CONTEXT',
  )
  t.end()
})
