/**
 * Random templates and data, rendered by uwas and by mustache.js. Left out is what mustache.js does
 * differently by design: `/`, `` ` `` and `=` escaped, lines of several tags taken away, `{{.}}` in a
 * section of `true`, partials within a line indented, null in lists (it throws), lambdas, and the
 * optional modules.
 */
import fc from 'fast-check'
import mustache from 'mustache'
import t from 'tap'
import { isCodedError } from '../../src/core/errors.ts'
import { compile } from '../../src/template/compile.ts'
import { escapeHtml } from '../../src/template/escape.ts'

const name = fc.constantFrom('a', 'b', 'c', 'items', 'name')
/** Dotted names begin with a key that only the root has: mustache.js else goes back for another first part. */
const dotted = fc.oneof(
  name,
  fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => `top.${parts.join('.')}`),
)
const blanks = fc.constantFrom('', ' ', '\t', '  ')

const object = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, 0, 1.5, '', '<&>"\'', 'text', '{{a}}'),
    fc.array(
      tie('value').filter((value) => value !== null),
      { maxLength: 3 },
    ),
    tie('object'),
  ),
  object: fc.dictionary(name, tie('value'), {
    minKeys: 1,
    maxKeys: 5,
    noNullPrototype: true,
    size: 'max',
  }),
}))['object'] as fc.Arbitrary<Record<string, unknown>>
const data = fc.tuple(object, object).map(([root, top]) => ({ ...root, top }))

/** Content of one line; always holds something that is neither blank nor a tag. */
const inline = fc
  .array(
    fc.oneof(
      fc.constantFrom('x', ' ', '\t', '<p>', '{ ', ' }', '한', '"'),
      dotted.map((n) => `{{${n}}}`),
      dotted.map((n) => `{{{ ${n} }}}`),
      dotted.map((n) => `{{& ${n}}}`),
      fc.constant('{{! note }}'),
      dotted.map((n) => `{{#${n}}}[{{#a}}1{{/a}}{{top.b.c}}]{{/${n}}}`),
      dotted.map((n) => `{{^${n}}}none{{/${n}}}`),
    ),
    { maxLength: 5, size: 'max' },
  )
  .map((parts) => `.${parts.join('')}`)

const lines = fc.letrec((tie) => ({
  block: fc
    .array(
      fc.oneof(
        { depthSize: 'small' },
        inline,
        fc.constant(''),
        blanks.map((b) => `${b}{{! alone }}`),
        fc.tuple(blanks, fc.constantFrom('p', 'q')).map(([b, p]) => `${b}{{>${p}}}`),
        fc
          .tuple(blanks, fc.constantFrom('#', '^'), dotted, tie('block'))
          .map(([b, sigil, n, inner]) => `${b}{{${sigil}${n}}}\n${inner}${b}{{/${n}}}`),
      ),
      { maxLength: 5, size: 'max' },
    )
    .map((all) => all.map((line) => `${line}\n`).join('')),
}))['block'] as fc.Arbitrary<string>

t.test('random templates render as by mustache.js', async (t) => {
  const partials = fc.record({
    p: inline.map((line) => `${line}\n`),
    q: lines.filter((text) => !text.includes('>q')),
  })
  const text = fc
    .array(lines, { minLength: 3, maxLength: 6, size: 'max' })
    .map((all) => all.join(''))
  let nonEmpty = 0
  fc.assert(
    fc.property(text, partials, data, (source, parts, values) => {
      const ours = compile(source, { partials: parts })(values)
      const theirs = mustache.render(source, values, parts, { escape: escapeAny })
      if (ours.length > 40) nonEmpty += 1
      return ours === theirs
    }),
    { numRuns: 1500 },
  )
  t.ok(nonEmpty > 300, 'enough of them print something')
})

t.test('random text compiles to working code or is refused with a code', async (t) => {
  const unit = fc.constantFrom(
    ...[
      '{{',
      '}}',
      '{{{',
      '}}}',
      '{{#a}}',
      '{{/a}}',
      '{{^b}}',
      '{{/b}}',
      '{{>p}}',
      '{{<p}}',
      '{{/p}}',
      '{{$a}}',
      '{{>*a}}',
    ],
    ...[
      '{{=<% %>=}}',
      '<%a%>',
      '<%={{ }}=%>',
      '{{&',
      '{{!',
      'a',
      '.',
      '*',
      ' ',
      '\n',
      '\r\n',
      '\t',
      '"',
      "'",
      '`',
      '\\',
    ],
    ...[
      '${',
      '}',
      '*/',
      '//',
      '\u2028',
      '\u2029',
      '\0',
      '\ud800',
      '</script>',
      ');process.exit(9);(',
      '];x',
      '__proto__',
      'constructor',
    ],
  )
  let compiled = 0
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 30 }), data, (source, values) => {
      try {
        const render = compile(source, {
          name: source,
          partials: { p: `${source.slice(0, 9)}{{$a}}{{/a}}` },
        })
        compiled += 1
        return typeof render(values) === 'string'
      } catch (error) {
        return isCodedError(error) && error.code.startsWith('UWAS_ERR_TEMPLATE_')
      }
    }),
    { numRuns: 3000 },
  )
  t.ok(compiled > 150, 'enough of them are templates')
})

t.test('names and texts cannot become code', async (t) => {
  const hostile = '"];globalThis.uwasBroken=1;["'
  const names = [hostile, `\\${hostile}`, "'+globalThis.uwasBroken+'", 'x*/;//', '__proto__']
  for (const name of names) {
    t.equal(compile(`<{{${name}}}>{{#${name}}}x{{/${name}}}`)({}), '<>', name)
    const partials = { [name]: 'in' }
    const all = `{{>${name}}}{{>*x}}{{$${name}}}d{{/${name}}}`
    t.equal(compile(all, { partials, name })({ x: name }), 'inind', name)
  }
  for (const text of [...names, '\u2028;x', '`$' + '{1}`', '\r"+1+"\u2029', '\ud800']) {
    t.equal(compile(`a${text}\n${text}`)({}), `a${text}\n${text}`)
  }
  t.notOk('uwasBroken' in globalThis)
})

function escapeAny(value: unknown): string {
  return escapeHtml(String(value))
}
