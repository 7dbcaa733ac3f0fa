import { join } from 'node:path'
import t, { type Test } from 'tap'
import { checkTemplateData } from '../../../src/commands/template-data/check.ts'
import { parseFolder } from '../../../src/template/templates.ts'
import { folder, run } from '../../support/binary.ts'

const HEAD = `import { path, render, type Reply, type Request, urlconf } from 'uwas'
`
const TAIL = `
export const config = { urls: urlconf(path('/', view)), templates: 'templates' }
`

/** The messages for a site of one module with these templates, each by its first line. */
function messages(t: Test, code: string, templates: Record<string, string>): string[] {
  const dir = folder(t, {
    'uwas.config.ts': `${HEAD}${code}${TAIL}`,
    ...Object.fromEntries(
      Object.entries(templates).map(([name, text]) => [`templates/${name}.mustache`, text]),
    ),
  })
  const parsed = parseFolder(join(dir, 'templates'))
  t.equal(parsed.mistakes.count, 0)
  const report = checkTemplateData(join(dir, 'uwas.config.ts'), parsed.templates, ['static'])
  if (report === undefined) throw new Error('no compiler was found')
  return report.problems.map(({ code, message }) => {
    const [first = ''] = message.split('\n')
    return `${code.replace('UWAS_ERR_COMMANDS_', '')} ${first.replaceAll(`${dir}/`, '')}`
  })
}

const view = (data: string) => `const view = (req: Request): Reply => render(req, 'page', ${data})`

t.test('names that the data has are known, through sections, dots, lists and partials', (t) => {
  t.strictSame(
    messages(
      t,
      `interface Author { readonly name: string; link(): { href: string } }
       interface Post { id: number; author?: Author; tags: readonly string[]; note: string | null }
       const posts: Post[] = []
       ${view(`{ title: 'x', posts, first: posts[0], map: {} as Record<string, number> }`)}`,
      {
        page: `{{title}} {{#posts}}{{id}} {{author.name}} {{author.link.href}} {{title}}
          {{#author}}{{name}}{{id}}{{/author}}{{#tags}}{{.}}{{/tags}}{{tags.length}}{{tags.0}}
          {{> part}}{{/posts}}{{#first}}{{note}}{{/first}}{{map.any}}{{#static}}a.css{{/static}}`,
        part: '{{id}}{{^note}}{{title}}{{/note}}',
      },
    ),
    [],
  )
  t.end()
})

t.test('a name that nothing gives is told with tag, view and the nearest name', (t) => {
  t.strictSame(
    messages(t, view(`{ title: 'x', posts: [{ id: 1, author: { name: '' } }] }`), {
      page: `{{titel}}\n{{#posts}}{{author.nmae}}{{body}}{{/posts}}{{id}}{{> part}}`,
      part: '{{titel}}',
    }),
    [
      'TEMPLATE_NAME templates/page.mustache:1:1: "titel" is not among the data of uwas.config.ts:2; did you mean "title"?',
      'TEMPLATE_NAME templates/page.mustache:2:11: "author.nmae" is not among the data of uwas.config.ts:2; did you mean "name"?',
      'TEMPLATE_NAME templates/page.mustache:2:26: "body" is not among the data of uwas.config.ts:2; known are: author, id, posts, title',
      'TEMPLATE_NAME templates/page.mustache:2:44: "id" is not among the data of uwas.config.ts:2; known are: posts, title',
      'TEMPLATE_NAME templates/part.mustache:1:1: "titel" is not among the data of uwas.config.ts:2; did you mean "title"?',
    ],
  )
  t.end()
})

t.test(
  'the names of a cached partial are looked up: those it varies with, in its tags, and in it',
  (t) => {
    t.strictSame(
      messages(t, view(`{ title: 'x', posts: [{ id: 1 }] }`), {
        page: `{{#cached}}part vary=title,tilte tags=post:{di}{{/cached}}
        {{#posts}}{{#cached}}part vary=id tags=post:{id}{{/cached}}{{/posts}}`,
        part: '{{title}} {{boody}}',
      }).map((line) => line.replace(/ is not among.*/, '')),
      [
        'TEMPLATE_NAME templates/page.mustache:1:1: "tilte"',
        'TEMPLATE_NAME templates/part.mustache:1:11: "boody"',
      ],
    )
    t.end()
  },
)

t.test('what a section is about may be missing in some views, but not in all', (t) => {
  const code = `const other = (req: Request) => render(req, 'other', { title: '', next: '/2' })
    ${view(`{ title: '' }`)}`
  t.strictSame(
    messages(t, code, {
      page: '{{> frame}}',
      other: '{{> frame}}',
      frame: '{{title}}{{#next}}<a href="{{next}}">{{/next}}{{^nxet}}end{{/nxet}}',
    }),
    [
      'TEMPLATE_NAME templates/frame.mustache:1:47: "nxet" is not among the data of uwas.config.ts:2; did you mean "next"?',
    ],
  )
  t.end()
})

t.test(
  'what doubles at every level is looked at once: partials, fragments, blocks, in sections too',
  (t) => {
    const twice = (text: string) => text + text
    const chains: Record<string, (i: number) => string> = {
      e: (i) => twice(`{{>e${i + 1}}}`),
      a: (i) => twice(`{{#a}}{{>a${i + 1}}}{{/a}}`),
      b: (i) => ['a', 'b', 'c', 'd'].map((n) => `{{#${n}}}{{>b${i + 1}}}{{/${n}}}`).join(''),
      c: (i) => twice(`{{#cached}}c${i + 1}{{/cached}}`),
      d: (i) =>
        `{{<d${i + 1}}}{{$x${i + 1}}}${twice(`{{$x${i}}}{{/x${i}}}`)}{{/x${i + 1}}}{{/d${i + 1}}}`,
    }
    const templates: Record<string, string> = { page: '{{>e0}}{{>a0}}{{>b0}}{{>c0}}{{>d0}}' }
    for (const [name, make] of Object.entries(chains)) {
      for (let i = 0; i < 30; i++) templates[`${name}${i}`] = make(i)
      templates[`${name}30`] = `{{titel}}${name === 'd' ? '{{$x30}}{{/x30}}' : ''}`
    }
    const data = view('{ title: 1, a: { x: 1 }, b: { y: 1 }, c: { z: 1 }, d: [{ w: 1 }] }')
    t.equal(messages(t, data, templates).length, 5)
    t.end()
  },
)

t.test('blocks are looked at where their parent puts them', (t) => {
  t.strictSame(
    messages(t, view(`{ title: '', rows: [{ cell: '' }] }`), {
      page: '{{<table}}{{$row}}{{cell}}{{cel}}{{/row}}{{/table}}',
      table: '{{title}}{{#rows}}{{$row}}{{nothing}}{{/row}}{{/rows}}{{> table}}',
    }),
    [
      'TEMPLATE_NAME templates/page.mustache:1:27: "cel" is not among the data of uwas.config.ts:2; did you mean "cell"?',
    ],
  )
  t.end()
})

t.test('a function of the site that takes a template’s name is followed to its callers', (t) => {
  const code = `interface Data { title: string; [key: string]: unknown }
    function page(req: Request, name: string, data: Data) {
      const frame = { ...data, lang: 'en' }
      return render(req, name, frame)
    }
    const view = (req: Request) => page(req, 'page', { title: '', body: '' })`
  t.strictSame(messages(t, code, { page: '{{lang}}{{title}}{{body}}{{boody}}' }), [
    'TEMPLATE_NAME templates/page.mustache:1:26: "boody" is not among the data of uwas.config.ts:7; did you mean "body"?',
  ])
  t.end()
})

t.test('a template that does not exist is told with the view that renders it', (t) => {
  t.strictSame(
    messages(t, `const view = (req: Request) => render(req, req.secure ? 'page' : 'pgae', {})`, {
      page: '',
    }),
    [
      'TEMPLATE_UNKNOWN uwas.config.ts:2 renders the template "pgae", which does not exist; did you mean "page"?',
    ],
  )
  t.end()
})

t.test('data of which nothing is known is not judged', (t) => {
  t.strictSame(
    messages(t, `const data: any = {}\n${view('{ data }')}`, {
      page: '{{data.any.thing}}{{#data}}{{x}}{{/data}}',
    }),
    [],
  )
  t.end()
})

t.test('uwas check compares templates with their views', async (t) => {
  const cwd = folder(t, {
    'uwas.config.ts': `${HEAD}${view(`{ word: '' }`)}${TAIL}`,
    'templates/page.mustache': '<p>{{wrod}}</p>',
  })
  const { code, stderr } = await run(['check'], { cwd })
  t.equal(code, 1)
  t.match(
    stderr,
    /page\.mustache:1:4: "wrod" is not among the data of uwas\.config\.ts:2; did you mean "word"\?/,
  )
  t.match(stderr, /\[UWAS_ERR_COMMANDS_TEMPLATE_NAME\]/)
})
