import t from 'tap'
import { compile } from '../../src/template/compile.ts'

const BUILTIN = [
  'constructor',
  '__proto__',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '__defineGetter__',
]

t.test('what JavaScript puts on every object is not data', async (t) => {
  class Post {}
  for (const name of BUILTIN) {
    const render = compile(`({{${name}}}{{#${name}}}x{{/${name}}}{{a.${name}}}{{a.${name}.name}})`)
    for (const value of [
      {},
      [],
      'text',
      1,
      new Date(0),
      new Map(),
      new Post(),
      Object.create(null),
    ]) {
      t.equal(render({ a: value }), '()', name)
      t.equal(render(value), '()', name)
    }
  }
  t.equal(compile('({{#s}}{{link}}{{at}}{{big}}{{/s}})')({ s: 'text' }), '()')
  t.equal(
    compile('({{l.map}}{{l.at}}{{d.getTime}}{{m.size}})')({ l: [], d: new Date(), m: new Map() }),
    '()',
  )
})

t.test('data may have fields of such names', async (t) => {
  const data = { constructor: 'Ferrari', toString: 'x', link: '/a', a: { valueOf: 7, size: 3 } }
  t.equal(
    compile('{{constructor}} {{toString}} {{link}} {{a.valueOf}} {{a.size}}')(data),
    'Ferrari x /a 7 3',
  )
  t.equal(compile('({{__proto__}})')(JSON.parse('{"__proto__": "x"}')), '()')
})

t.test('a polluted Object.prototype adds nothing to data', async (t) => {
  const prototype = Object.prototype as Record<string, unknown>
  t.teardown(() => {
    delete prototype['uwasAdmin']
  })
  prototype['uwasAdmin'] = 'yes'
  const render = compile('({{uwasAdmin}}{{#uwasAdmin}}x{{/uwasAdmin}}{{a.uwasAdmin}})')
  t.equal(render({ a: {} }), '()')
  t.equal(render({ a: {}, uwasAdmin: 1 }), '(11)'.replace('11', '1x'))
})

t.test('getters and methods of classes are data', async (t) => {
  class Person {
    first = 'Ada'
    get initial(): string {
      return this.first.charAt(0)
    }
    shout(): string {
      return `${this.first.toUpperCase()}!`
    }
    friends(): Person[] {
      return [new Person()]
    }
  }
  class Boss extends Person {}
  const source = '{{initial}}{{shout}}{{p.shout}}{{#friends}}<{{initial}}>{{/friends}}'
  t.equal(
    compile(source)(Object.assign(new Boss(), { p: new Person() })),
    'AADA!ADA!&lt;A&gt;'.replace('&lt;A&gt;', '<A>'),
  )
})

t.test('length and indexes of lists and texts are data', async (t) => {
  const render = compile('{{l.length}} {{l.1}} {{s.length}} {{s.0}}{{s.9}}{{l.9}}')
  t.equal(render({ l: ['a', 'b'], s: 'xyz' }), '2 b 3 x')
})

t.test('a field that is undefined hides the one outside', async (t) => {
  const render = compile('{{#a}}({{x}}{{^x}}none{{/x}}){{/a}}')
  t.equal(render({ x: 1, a: { x: undefined } }), '(none)')
  t.equal(render({ x: 1, a: {} }), '(1)')
})

t.test('any value can be the data', async (t) => {
  for (const data of [null, undefined, 1, 'text', true, Symbol('s'), 10n]) {
    t.equal(compile('({{a}}{{a.b}}{{#a}}x{{/a}})')(data), '()')
  }
  t.equal(compile('{{.}}')(10n), '10')
  t.equal(compile('{{.}}')(Symbol('s')), 'Symbol(s)')
})
