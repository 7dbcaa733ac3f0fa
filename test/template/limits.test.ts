/** Templates that nobody would write by hand: compiling them ends, and what it makes is in proportion to them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Template } from '../../src/template/ast.ts'
import { compile } from '../../src/template/compile.ts'
import { generate } from '../../src/template/generate.ts'
import { parseTemplate } from '../../src/template/parse.ts'
import { createTemplates } from '../../src/template/templates.ts'

const MIB = 1 << 20

function thrownBy(action: () => unknown): Error & { code: string; errors?: unknown[] } {
  try {
    action()
  } catch (error) {
    return error as Error & { code: string }
  }
  throw new Error('nothing was thrown')
}

function sizeOfCode(source: string, partials: Record<string, string> = {}): number {
  const parsed = new Map<string, Template>()
  for (const [name, text] of Object.entries(partials)) {
    parsed.set(name, parseTemplate(text, name).template)
  }
  const library = { find: (name: string) => parsed.get(name), names: () => parsed.keys() }
  return generate([parseTemplate(source, 'page').template], library).code.length
}

/** `p0` … `pN`: each made of the name of the next; the last is `end`. */
function chain(length: number, link: (i: number) => string, end: string): Record<string, string> {
  const partials: Record<string, string> = { [`p${length}`]: end }
  for (let i = 0; i < length; i++) partials[`p${i}`] = link(i)
  return partials
}

t.test('a megabyte of tags compiles and renders', async (t) => {
  t.equal(compile('{{a}}'.repeat(MIB / 5))({ a: 1 }).length, Math.floor(MIB / 5))
  t.equal(compile('{{#a}}b{{/a}}'.repeat(40_000))({ a: 1 }).length, 40_000)
  const inOne = compile(`{{#list}}${'{{#a}}{{x}}{{/a}}\n'.repeat(3000)}{{/list}}`)
  t.equal(inOne({ list: [{ a: 1 }, { a: [] }], x: 2 }).length, 9000)
  const long = compile(`x${'.x'.repeat(10_000)}`.replace(/.*/s, '{{$&}}'))
  t.equal(long({}), '')
})

t.test('an error in a large page is told with its own line', async (t) => {
  const page = `${'{{a}}\n'.repeat(10_000)}{{f}}\n${'{{a}}\n'.repeat(10_000)}`
  const f = () => {
    throw new Error('on purpose')
  }
  t.throws(() => compile(page)({ a: 1, f }), {
    code: 'UWAS_ERR_TEMPLATE_RENDER',
    message: /^template:10001:1: .*on purpose/,
  })
})

t.test('code grows with the template, and as slowly in deep sections', async (t) => {
  const perTag = (n: number) => sizeOfCode('{{a}}\n'.repeat(n)) / n
  t.ok(perTag(20_000) < perTag(200) * 1.1)
  const at = (depth: number) => {
    const around = (text: string) => '{{#s}}'.repeat(depth) + text + '{{/s}}'.repeat(depth)
    return sizeOfCode(around('{{a}}{{a}}')) - sizeOfCode(around('{{a}}'))
  }
  t.ok(at(99) <= at(5), 'at most six contexts are looked through in place')
  const deep = compile(`${'{{#s}}'.repeat(99)}{{a}}{{n.m}}{{length}}${'{{/s}}'.repeat(99)}`)
  t.equal(deep({ s: { s: { n: { m: 2 } } }, a: 1, length: 3 }), '123')
})

t.test('a megabyte of open sections is one mistake, with its place', async (t) => {
  for (const open of ['{{#a}}', '{{^a}}', '{{$a}}', '{{<a}}']) {
    const error = thrownBy(() => compile(open.repeat(MIB / 6)))
    t.equal(error.code, 'UWAS_ERR_TEMPLATE_NESTING')
    t.match(
      error.message,
      /^template:1:601: sections are nested more than 100 deep; move the inner/,
    )
  }
})

t.test('of many mistakes the first twenty are told, and how many more there are', async (t) => {
  for (const wrong of [
    '{{a b}}\n',
    '{{/a}}\n',
    '{{>nix}}\n',
    '{{>*a..b}}\n',
    '{{#x}}{{/y}}{{/x}}\n',
  ]) {
    const error = thrownBy(() => compile(wrong.repeat(20_000), { missing: 'error' }))
    t.equal(error.code, 'UWAS_ERR_TEMPLATE_MANY')
    t.match(error.message, /^20000 mistakes in templates:\n\ntemplate:1:/)
    t.match(error.message, /template:20:\d+: [\s\S]*\n\n… and 19980 more$/)
    t.equal(error.errors?.length, 20)
    t.ok(error.message.length < 10_000)
  }
  const long = thrownBy(() => compile(`{{a ${'b'.repeat(MIB)}}}{{#${'c'.repeat(MIB)}}}`))
  t.ok(long.message.length < 1500, 'a long tag is cut')
  const places = thrownBy(() => folder(t, { page: '<p {{a}}>\n'.repeat(20_000) }))
  t.match(places.message, /page\.mustache:1:4: {{a}} stands among [\s\S]*… and 19980 more$/)
})

t.test('partials that double at every level make code in proportion to their number', async (t) => {
  const size = (length: number) =>
    sizeOfCode(
      '{{>p0}}',
      chain(length, (i) => `{{>p${i + 1}}}{{>p${i + 1}}}`, '{{x}}'),
    )
  t.ok(size(120) < size(60) * 2.5)
})

t.test('blocks that double at every level make code in proportion to their number', async (t) => {
  const doubling = (length: number) =>
    chain(
      length,
      (i) => {
        const before = `{{$b${i - 1}}}{{/b${i - 1}}}`
        return `{{<p${i + 1}}}{{$b${i}}}${i === 0 ? 'x' : before + before}{{/b${i}}}{{/p${i + 1}}}`
      },
      `{{$b${length - 1}}}{{/b${length - 1}}}`,
    )
  const size = (length: number) => sizeOfCode('{{>p0}}', doubling(length))
  t.ok(size(100) < size(50) * 3)
  t.equal(compile('{{>p0}}', { partials: doubling(12) })({}), 'x'.repeat(2 ** 11))
  t.doesNotThrow(() => folder(t, doubling(60)), 'their places are found as well')
})

t.test('parents that can be put together in endless ways are an error', async (t) => {
  const parents = chain(
    40,
    (i) => ['1', '2'].map((v) => `{{<p${i + 1}}}{{$b${i}}}${v}{{/b${i}}}{{/p${i + 1}}}`).join('\n'),
    Array.from({ length: 40 }, (_, i) => `{{$b${i}}}{{/b${i}}}`).join(''),
  )
  const error = thrownBy(() => compile('{{>p0}}', { partials: parents }))
  t.equal(error.code, 'UWAS_ERR_TEMPLATE_BLOCKS')
  t.match(
    error.message,
    /^p\d+:[12]:1: templates that inherit from each other replace their blocks in \d+ ways by now; let fewer parents stand in each other\n {2}\d \| {{<p/,
  )
  t.throws(() => folder(t, parents), { code: 'UWAS_ERR_TEMPLATE_BLOCKS' })
})

t.test('long chains of links compile; in a site their end is told', async (t) => {
  const partials = chain(5000, (i) => `{{>p${i + 1}}}`, 'x')
  t.type(compile('{{>p0}}', { partials }), 'function')
  const parents = chain(
    1500,
    (i) => `{{<p${i + 1}}}{{$b${i}}}{{$b${i - 1}}}x{{/b${i - 1}}}{{/b${i}}}{{/p${i + 1}}}`,
    '{{$b1499}}{{/b1499}}',
  )
  t.type(compile('{{>p1}}', { partials: parents }), 'function')
  const error = thrownBy(() =>
    folder(
      t,
      chain(300, (i) => `{{>p${i + 1}}}`, 'x'),
    ),
  )
  t.equal(error.code, 'UWAS_ERR_TEMPLATE_LINKS')
  t.match(
    error.message,
    /p\d+\.mustache:1:1: templates stand in each other more than 200 deep here; let each hold fewer/,
  )
  t.doesNotThrow(() =>
    folder(
      t,
      chain(150, (i) => `{{>p${i + 1}}}`, 'x'),
    ),
  )
})

t.test('indentation of partials is not written out for every line', async (t) => {
  const indent = ' '.repeat(50_000)
  const partials = { lines: 'x\n'.repeat(50_000) }
  t.ok(sizeOfCode(`${indent}{{>lines}}\n`, partials) < 3 * MIB)
  const short = { lines: 'x\ny\n' }
  t.equal(compile(`${indent}{{>lines}}\n`, { partials: short })({}), `${indent}x\n${indent}y\n`)
})

function folder(t: Tap, files: Record<string, string>): void {
  const dir = mkdtempSync(join(tmpdir(), 'uwas-limits-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(dir, `${name}.mustache`), text)
  createTemplates({ dir })
}

type Tap = { teardown(action: () => void): void }
