import t from 'tap'
import { compile } from '../../src/template/compile.ts'

function mistake(
  source: string,
  partials: Record<string, string> = {},
): { code: string; message: string } {
  try {
    compile(source, { name: 'page', partials, missing: 'error' })
  } catch (error) {
    return error as Error & { code: string }
  }
  throw new Error(`${source} compiled`)
}

t.test(
  'every mistake in a template has a code, its place and its line in the message',
  async (t) => {
    const rows: [string, string, RegExp][] = [
      [
        'a\n  {{#posts}}\n',
        'UNCLOSED_SECTION',
        /^page:2:3: {{#posts}} is never closed; write {{\/posts}} .*\n {2}2 \| {3}{{#posts}}\n {4}\| {3}\^$/,
      ],
      ['{{$a}}', 'UNCLOSED_SECTION', /^page:1:1: {{\$a}} is never closed/],
      ['{{<a}}', 'UNCLOSED_SECTION', /write {{\/a}}/],
      ['{{=<% %>=}}<%#a%>', 'UNCLOSED_SECTION', /write <%\/a%>/],
      [
        '{{#a}}{{/b}}{{/a}}',
        'WRONG_CLOSE',
        /^page:1:7: {{\/b}} stands where {{\/a}} is expected, for {{#a}} of line 1/,
      ],
      ['x{{/a}}', 'UNEXPECTED_CLOSE', /^page:1:2: {{\/a}} closes nothing/],
      ['{{name', 'UNCLOSED_TAG', /^page:1:1: the tag "{{name" does not end; "}}" is missing/],
      ['{{{name}}', 'UNCLOSED_TAG', /"}}}" is missing/],
      ['{{! note', 'UNCLOSED_TAG', /"}}" is missing/],
      ['{{=<% =}}', 'DELIMITERS', /^page:1:1: "<%" are not two delimiters/],
      ['{{=a b c=}}', 'DELIMITERS', /"a b c"/],
      ['{{=<= =>=}}', 'DELIMITERS', /"<= =>"/],
      ['{{=}}', 'UNCLOSED_TAG', /"=}}" is missing/],
      ['a{{}}', 'NAME', /^page:1:2: the tag {{}} has no name/],
      ['{{#if x}}{{/if x}}', 'MANY', /{{#if x}} has white space inside its name/],
      ['{{a..b}}', 'NAME', /has an empty part in its name/],
      ['{{>*a.}}', 'NAME', /has an empty part/],
      ['{{#a}}'.repeat(101) + '{{/a}}'.repeat(101), 'NESTING', /nested more than 100 deep/],
      [
        '{{>lst}}',
        'UNKNOWN_PARTIAL',
        /^page:1:1: the partial "lst" does not exist; did you mean "list"\?/,
      ],
      ['{{#a}}{{<layot}}{{/layot}}{{/a}}', 'UNKNOWN_PARTIAL', /the parent "layot" does not exist/],
      ['{{<list}}{{$b}}{{>no}}{{/b}}{{/list}}', 'UNKNOWN_PARTIAL', /the partial "no"/],
    ]
    for (const [source, what, message] of rows) {
      const error = mistake(source, { list: '' })
      t.equal(error.code, `UWAS_ERR_TEMPLATE_${what}`, source.slice(0, 30))
      t.match(error.message, message)
    }
  },
)

t.test('a mistake in a partial is told with the name of the partial', async (t) => {
  const error = mistake('{{>a}}', { a: 'x\n{{>b}}', b: '\n\n{{/c}}' })
  t.equal(error.code, 'UWAS_ERR_TEMPLATE_UNEXPECTED_CLOSE')
  t.match(error.message, /^b:3:1: /)
})

t.test('all mistakes are told at once', async (t) => {
  const error = mistake('{{#a}}\n{{#b}}\n{{/a}}\n{{/c}}\n{{x y}}') as unknown as {
    code: string
    message: string
    errors: { code: string }[]
  }
  t.equal(error.code, 'UWAS_ERR_TEMPLATE_MANY')
  t.match(
    error.message,
    /^3 mistakes in templates:\n\npage:5:1: [\s\S]*page:2:1: [\s\S]*page:4:1: /,
  )
  t.strictSame(
    error.errors.map(({ code }) => code.slice('UWAS_ERR_TEMPLATE_'.length)),
    ['NAME', 'UNCLOSED_SECTION', 'UNEXPECTED_CLOSE'],
  )
})

t.test('a long line is shown around the mistake', async (t) => {
  const { message } = mistake(`${'x'.repeat(300)}{{/a}}${'y'.repeat(300)}`)
  const [, shown = '', under = ''] = message.split('\n')
  t.ok(shown.length < 110)
  t.equal(shown.indexOf('{{/a}}'), under.indexOf('^'))
})

t.test('partials may be a function, which rules out dynamic names', async (t) => {
  const partials = (name: string) => (name === 'a' ? 'A{{>b}}' : undefined)
  t.equal(compile('{{>a}}', { partials })({}), 'A')
  t.throws(() => compile('{{>*a}}', { partials }), {
    code: 'UWAS_ERR_TEMPLATE_DYNAMIC',
    message: /^template:1:1: the dynamic name \*a needs partials given as a record/,
  })
})

t.test('what data throws is told with template, line and cause', async (t) => {
  const render = compile('a\n{{>item}}', { name: 'page', partials: { item: '\n\n {{x.title}}' } })
  const data = {
    x: {
      get title(): string {
        throw new Error('no such row')
      },
    },
  }
  t.throws(() => render(data), {
    code: 'UWAS_ERR_TEMPLATE_RENDER',
    message: /^item:3:2: rendering page failed: Error: no such row\n {2}3 \| {2}{{x.title}}/,
    cause: { message: 'no such row' },
  })
})

t.test('lambdas, odd values and values that are no errors fail the same way', async (t) => {
  const render = compile('\n{{#f}}x{{/f}}{{x}}', { name: 'page' })
  const thrower = (value: unknown) => (_: string) => {
    throw value
  }
  t.throws(() => render({ f: (text: string) => text.repeat(-1) }), {
    code: 'UWAS_ERR_TEMPLATE_RENDER',
    message: /^page:2:1: rendering page failed: RangeError: Invalid count value: -1/,
  })
  t.throws(() => render({ f: thrower('text') }), {
    code: 'UWAS_ERR_TEMPLATE_RENDER',
    message: 'page: rendering page failed: text',
    cause: 'text',
  })
  t.throws(() => render({ x: Object.create(null) }), {
    code: 'UWAS_ERR_TEMPLATE_RENDER',
    message: /^page:2:14: .*Cannot convert object to primitive value/,
  })
  t.throws(() => render({ f: (_: string) => '{{#a}}' }), {
    code: 'UWAS_ERR_TEMPLATE_RENDER',
    message: /^page:2:1: .*text of a lambda:1:1: {{#a}} is never closed/,
  })
})

t.test('a value that was not awaited is an error, not "[object Promise]"', async (t) => {
  for (const source of ['\n{{x}}', '\n{{{x}}}', '\n{{#x}}{{/x}}', '\n{{f}}', '\n{{#g}}{{/g}}']) {
    const x = Promise.resolve(1)
    t.throws(() => compile(source, { name: 'page' })({ x, f: () => x, g: (_: string) => x }), {
      code: 'UWAS_ERR_TEMPLATE_PROMISE',
      message: /^page:2:1: the value is a promise; await it in the view/,
    })
  }
})

t.test('data that goes round in a circle is an error, not a crash', async (t) => {
  const circle: Record<string, unknown> = { name: 'x' }
  circle['next'] = circle
  const node = '{{name}}{{#next}}{{>node}}{{/next}}'
  const message = /the partial node is more than 256 deep in itself/
  const code = 'UWAS_ERR_TEMPLATE_RECURSION'
  t.throws(() => compile('{{>node}}', { partials: { node } })(circle), { code, message })
  t.throws(() => compile('{{>*t}}', { partials: { node: '{{>*t}}' } })({ t: 'node' }), {
    code,
    message,
  })
  t.throws(() => compile('{{f}}')({ f: () => '{{f}}' }), { code })
  let deep: Record<string, unknown> = { name: 'x', next: null }
  for (let i = 0; i < 200; i++) deep = { name: 'x', next: deep }
  t.equal(compile('{{>node}}', { partials: { node } })(deep).length, 201)
})
