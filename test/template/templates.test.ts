import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Services } from '../../src/core/services.ts'
import { createTemplates, TEMPLATES } from '../../src/template/templates.ts'

t.test('a folder becomes its templates, named by their paths', async (t) => {
  const dir = t.testdir({
    'layout.mustache': '<title>{{$title}}{{/title}}</title>\n{{$main}}\n{{/main}}\n',
    'notes.txt': 'not a template {{',
    posts: {
      'list.mustache':
        '{{<layout}}\n{{$title}}All{{/title}}\n{{$main}}\n{{#posts}}\n{{>posts/item}}\n{{/posts}}\n{{/main}}\n{{/layout}}\n',
      'item.mustache': '<li>{{title}}</li>\n',
    },
  })
  const templates = createTemplates({ dir })
  t.strictSame(templates.names(), ['layout', 'posts/item', 'posts/list'])
  t.ok(templates.has('layout'))
  t.notOk(templates.has('toString'))
  const data = { posts: [{ title: '<b>' }, { title: '안녕' }] }
  const page = '<title>All</title>\n<li>&lt;b&gt;</li>\n<li>안녕</li>\n'
  t.equal(templates.render('posts/list', data), page)
  t.equal(new Services().provide(TEMPLATES, templates).get(TEMPLATES), templates)
  t.throws(() => templates.render('posts/lsit', {}), {
    code: 'UWAS_ERR_TEMPLATE_UNKNOWN',
    message: `there is no template "posts/lsit" in ${dir}; did you mean "posts/list"?`,
  })
})

t.test('dotfiles and symbolic links are left out', async (t) => {
  const dir = t.testdir({
    outside: { 'secret.mustache': 'secret' },
    inside: { '.hidden.mustache': '{{#', '.git': { 'x.mustache': '{{#' }, 'a.mustache': 'a' },
  })
  symlinkSync(join(dir, 'outside', 'secret.mustache'), join(dir, 'inside', 'link.mustache'))
  symlinkSync(join(dir, 'outside'), join(dir, 'inside', 'folder'))
  t.strictSame(createTemplates({ dir: join(dir, 'inside') }).names(), ['a'])
})

t.test('the mistakes of all files are told together', async (t) => {
  const dir = t.testdir({
    'a.mustache': 'x\n{{#open}}\n',
    'b.mustache': '{{>c/itm}}',
    c: { 'item.mustache': '{{}}', 'latin.mustache': Buffer.from([0x61, 0xe9]) as never },
  })
  t.throws(() => createTemplates({ dir }), {
    code: 'UWAS_ERR_TEMPLATE_MANY',
    message: /^4 mistakes in templates:/,
    errors: [
      {
        code: 'UWAS_ERR_TEMPLATE_FILE',
        message: /latin\.mustache cannot be read: it is not UTF-8/,
      },
      { code: 'UWAS_ERR_TEMPLATE_UNCLOSED_SECTION', message: `${dir}/a.mustache:2:1: ` },
      {
        code: 'UWAS_ERR_TEMPLATE_NAME',
        message: /c\/item\.mustache:1:1: the tag {{}} has no name/,
      },
      { code: 'UWAS_ERR_TEMPLATE_UNKNOWN_PARTIAL', message: /did you mean "c\/item"\?/ },
    ],
  })
})

t.test('a folder that cannot be read is an error', async (t) => {
  const dir = join(t.testdir({}), 'missing')
  t.throws(() => createTemplates({ dir }), {
    code: 'UWAS_ERR_TEMPLATE_DIRECTORY',
    message: `the template folder ${dir} cannot be read: ENOENT`,
  })
})

t.test('reload takes all new texts, or keeps all old ones', async (t) => {
  const dir = t.testdir({ 'a.mustache': '1{{>b}}', 'b.mustache': '1' })
  const templates = createTemplates({ dir })
  const write = (name: string, text: string) => writeFileSync(join(dir, `${name}.mustache`), text)
  write('a', '2{{>b}}')
  t.equal(templates.render('a', {}), '11')
  templates.reload()
  t.equal(templates.render('a', {}), '21')
  write('b', '{{#broken}}')
  write('a', '3{{>b}}')
  t.throws(() => templates.reload(), {
    code: 'UWAS_ERR_TEMPLATE_UNCLOSED_SECTION',
    message: /b\.mustache:1:1/,
  })
  t.equal(templates.render('a', {}), '21')
  mkdirSync(join(dir, 'sub'))
  renameSync(join(dir, 'b.mustache'), join(dir, 'sub', 'b.mustache'))
  t.throws(() => templates.reload(), { code: 'UWAS_ERR_TEMPLATE_MANY' })
  write('sub/b', '\ufeff3')
  write('a', '3{{>sub/b}}')
  templates.reload()
  t.equal(templates.render('a', {}), '33')
  rmSync(join(dir, 'a.mustache'))
  templates.reload()
  t.strictSame(templates.names(), ['sub/b'])
})
