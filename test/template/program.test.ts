/** What is written in place and what becomes a function: the page is the same, and compiling ends. */
import t from 'tap'
import { compile } from '../../src/template/compile.ts'

function chain(length: number, link: (next: string) => string): Record<string, string> {
  const partials: Record<string, string> = { [`p${length}`]: 'x' }
  for (let i = 0; i < length; i++) partials[`p${i}`] = link(`{{>p${i + 1}}}`)
  return partials
}

t.test(
  'partials that double at every level compile to functions, not to endless text',
  async (t) => {
    t.type(compile('{{>p0}}', { partials: chain(40, (next) => next + next) }), 'function')
    const render = compile('{{>p0}}', { partials: chain(12, (next) => next + next) })
    t.equal(render({}), 'x'.repeat(4096))
  },
)

t.test('long chains of partials and deep sections work', async (t) => {
  t.equal(
    compile('{{>p0}}', { partials: chain(1000, (next) => `{{#a}}${next}{{/a}}`) })({ a: 1 }),
    'x',
  )
  t.equal(compile('{{>p0}}', { partials: chain(1000, (next) => `-${next}`) })({}).length, 1001)
  const deep = `${'{{#a}}'.repeat(100)}{{x}}{{>p}}${'{{/a}}'.repeat(100)}`
  t.equal(compile(deep, { partials: { p: '{{x}}{{y}}' } })({ a: 1, x: 1, y: 2 }), '112')
})

t.test('a parent that contains itself without end is an error when it is rendered', async (t) => {
  const render = compile('{{>p}}', { partials: { p: '{{<p}}{{$a}}x{{/a}}{{/p}}' } })
  t.throws(() => render({}), {
    code: 'UWAS_ERR_TEMPLATE_RECURSION',
    message: /^p:1:1: the partial p is more than 256 deep in itself/,
  })
})

t.test('a lambda may give a new text each time', async (t) => {
  let count = 0
  const render = compile('{{f}}')
  const f = () => `{{x}}${count++}`
  for (let i = 0; i < 450; i++) t.equal(render({ f, x: '.' }), `.${i}`)
})
