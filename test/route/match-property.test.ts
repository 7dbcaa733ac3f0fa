import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { text } from '../../src/http/reply.ts'
import { compileUrls } from '../../src/route/compile.ts'
import { METHODS, type Method } from '../../src/route/entry.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'

interface Declared {
  readonly pattern: string
  readonly methods: readonly Method[]
}

const UUIDS = ['0190a6e2-7b1c-7c3a-9f00-0123456789ab', '0190A6E2-7b1c-7c3a-9f00-0123456789ab']
/** What a converter takes, told a second time: as a regular expression. */
const REGEX: Record<string, string> = {
  int: '(0|[1-9][0-9]{0,14})',
  str: '([^/]+)',
  slug: '([-a-zA-Z0-9_]+)',
  uuid: '([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})',
  path: '(.+)',
}

const word = fc.constantFrom('a', 'b', 'ab', '1', '10', '01', 'a.b', '1-2', 'x1', '가', ...UUIDS)
const parameter = fc.constantFrom('<int:>', '<str:>', '<slug:>', '<uuid:>')
const piece = fc.oneof(
  { weight: 3, arbitrary: word },
  { weight: 3, arbitrary: parameter },
  fc.constantFrom('x<int:>', '<str:>.b', '<int:>-<int:>', '<slug:>.<str:>'),
)
const pattern = fc
  .tuple(fc.array(piece, { maxLength: 3 }), fc.constantFrom('', '', '/', '/<path:>'))
  .map(([pieces, end]) => numbered(pieces.length === 0 && end === '' ? '/' : slashed(pieces) + end))
const declared: fc.Arbitrary<Declared> = fc.record({
  pattern,
  methods: fc.subarray<Method>(['GET', 'HEAD', 'POST'], { minLength: 1 }),
})
const asked = fc
  .tuple(fc.array(word, { maxLength: 4 }), fc.boolean())
  .map(([words, slash]) => (words.length === 0 ? '/' : slashed(words) + (slash ? '/' : '')))

t.test('the tree finds what trying the routes one by one in their order finds', (t) => {
  let hits = 0
  fc.assert(
    fc.property(
      fc.uniqueArray(declared, { maxLength: 12, selector: ({ pattern }) => pattern }),
      fc.array(asked, { minLength: 1, maxLength: 12 }),
      (routes, paths) => {
        const conf = urlconf(
          ...routes.map(({ pattern, methods }) => path(pattern, () => text(''), { methods })),
        )
        const { match } = compileUrls(conf, { trailingSlash: 'strict' })
        for (const path of paths) {
          for (const method of ['GET', 'HEAD', 'POST', 'PUT']) {
            const found = match(method, path)
            const got = found?.route ? [found.route.index, found.params] : found
            if (found?.route) hits++
            if (!isDeepStrictEqual(got, matchInOrder(routes, method, path))) return false
          }
        }
        return true
      },
    ),
    { numRuns: 400 },
  )
  t.ok(hits > 100, 'and many of the paths were found')
  t.end()
})

/** Django's way: each pattern as a regular expression, in the order of declaration. */
function matchInOrder(routes: readonly Declared[], method: string, path: string): unknown {
  const allowed = new Set<string>()
  for (const [index, { pattern, methods }] of routes.entries()) {
    const names = [...pattern.matchAll(/<(\w+):(\w+)>/g)]
    const source = pattern
      .replace(/[.]/g, '\\.')
      .replace(/<(\w+):\w+>/g, (_, type: string) => REGEX[type] as string)
    const found = new RegExp(`^${source}$`, 'u').exec(path)
    if (found === null) continue
    const answers: string[] = methods.includes('GET') ? [...methods, 'HEAD'] : [...methods]
    for (const one of answers) allowed.add(one)
    if (!answers.includes(method)) continue
    const params = names.map(([, type, name], i) => {
      const value = found[i + 1] as string
      return [name, type === 'int' ? Number(value) : value]
    })
    return [index, Object.fromEntries(params)]
  }
  if (allowed.size === 0) return undefined
  return { allow: METHODS.filter((one) => one === 'OPTIONS' || allowed.has(one)) }
}

function slashed(parts: readonly string[]): string {
  return parts.map((part) => `/${part}`).join('')
}

/** Gives the parameters their names: p0, p1, … */
function numbered(pattern: string): string {
  let count = 0
  return pattern.replaceAll(':>', () => `:p${count++}>`)
}
