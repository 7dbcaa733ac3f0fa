import fc from 'fast-check'
import t from 'tap'
import { text } from '../../src/http/reply.ts'
import { parseTarget } from '../../src/http/target.ts'
import { compileUrls } from '../../src/route/compile.ts'
import type { Converter } from '../../src/route/converters.ts'
import { include, path, urlconf } from '../../src/route/urlconf.ts'

const view = () => text('')
const day: Converter<Date> = {
  parse: (text) => (/^\d{4}-\d\d-\d\d$/.test(text) ? new Date(text) : undefined),
  format: (value) => value.toISOString().slice(0, 10),
}
const api = urlconf(path('/', view, { name: 'list' }), path('/<int:id>', view, { name: 'one' }))
const urls = urlconf(
  path('/', view, { name: 'home' }),
  path('/글/<int:id>/', view, { name: 'post' }),
  path('/tags/<tag>', view, { name: 'tag' }),
  path('/files/<path:p>', view, { name: 'file' }),
  path('/u/<uuid:u>', view, { name: 'uuid' }),
  path('/<int:year>-<int:month>.html', view, { name: 'month' }),
  path('/day/<day:d>', view, { name: 'day', converters: { day } }),
  include('/api/<slug:version>', api, { namespace: 'api' }),
)
const { reverse } = urls
/** As plain JavaScript and templates call it. */
const untyped = reverse as (name: string, params?: unknown) => string

t.test('a name and its parameters give the encoded path', (t) => {
  t.equal(reverse('home'), '/')
  t.equal(reverse('post', { id: 7 }), '/%EA%B8%80/7/')
  t.equal(reverse('tag', { tag: 'a b%?#é~:@' }), '/tags/a%20b%25%3F%23%C3%A9~:@')
  t.equal(reverse('file', { p: 'a/b c/d.txt' }), '/files/a/b%20c/d.txt')
  t.equal(reverse('month', { year: 2026, month: 11 }), '/2026-11.html')
  t.equal(reverse('day', { d: new Date('2026-11-23') }), '/day/2026-11-23')
  t.equal(reverse('api:list', { version: 'v1' }), '/api/v1/')
  t.equal(reverse('api:one', { version: 'v1', id: 3 }), '/api/v1/3')
  const upper = '0190A6E2-7B1C-7C3A-9F00-0123456789AB'
  t.equal(reverse('uuid', { u: upper }), `/u/${upper.toLowerCase()}`)
  t.end()
})

t.test('an unknown name is refused with the nearest one', (t) => {
  t.throws(() => untyped('psot', { id: 7 }), {
    code: 'UWAS_ERR_ROUTE_REVERSE_NAME',
    message: 'no route is named "psot"; did you mean "post"?',
  })
  t.throws(() => untyped('toString'), {
    code: 'UWAS_ERR_ROUTE_REVERSE_NAME',
    message:
      'no route is named "toString"; known are: api:list, api:one, day, file, home, month, post, tag, uuid',
  })
  t.end()
})

t.test('missing, extra and ill-typed parameters are refused', (t) => {
  const cannotWrite = (value: string) => `is ${value}, which its converter cannot write`
  for (const [name, params, parameter, problem] of [
    ['post', undefined, '<int:id>', 'is missing'],
    ['post', { di: 7 }, '"di"', 'is no parameter of it; did you mean "id"?'],
    ['post', { id: 7, page: 1 }, '"page"', 'is no parameter of it; known are: id'],
    ['post', { id: '7' }, '<int:id>', cannotWrite('"7"')],
    ['post', { id: -1 }, '<int:id>', cannotWrite('-1 (number)')],
    ['post', { id: 1.5 }, '<int:id>', cannotWrite('1.5 (number)')],
    ['post', { id: 2 ** 53 }, '<int:id>', cannotWrite('9007199254740992 (number)')],
    ['post', { id: undefined }, '<int:id>', cannotWrite('undefined (undefined)')],
    ['tag', { tag: '' }, '<str:tag>', cannotWrite('""')],
    ['tag', { tag: 7 }, '<str:tag>', cannotWrite('7 (number)')],
    ['tag', { tag: 'a/b' }, '<str:tag>', 'is "a/b", which holds a slash; <path:tag> would take it'],
    ['tag', { tag: '\ud800' }, '<str:tag>', 'holds half a surrogate pair'],
    ['day', { d: 'today' }, '<day:d>', cannotWrite('"today"')],
    ['uuid', { u: 'x' }, '<uuid:u>', cannotWrite('"x"')],
  ] as const) {
    t.throws(() => untyped(name, params), { code: 'UWAS_ERR_ROUTE_REVERSE_PARAMETER' })
    t.equal(
      messageOf(() => untyped(name, params)),
      `${parameter} ${problem}`,
      `${name} ${problem}`,
    )
  }
  t.throws(() => untyped('post'), {
    message:
      /^reverse of route "post" \("\/글\/<int:id>\/", test\/route\/reverse\.test\.ts:\d+\): /,
  })
  t.throws(() => untyped('day', { d: 'today' }), { cause: { name: 'TypeError' } })
  t.end()
})

t.test('a path that no request can ask for is refused', (t) => {
  for (const [name, params, path] of [
    ['tag', { tag: '..' }, '/tags/..'],
    ['tag', { tag: 'a\\b' }, '/tags/a%5Cb'],
    ['tag', { tag: 'a\nb' }, '/tags/a%0Ab'],
    ['file', { p: '/a' }, '/files//a'],
    ['file', { p: 'a/../b' }, '/files/a/../b'],
  ] as const) {
    t.throws(() => untyped(name, params), {
      code: 'UWAS_ERR_ROUTE_REVERSE_PATH',
      message: new RegExp(
        `^reverse of route "${name}" .* would be ${path.replace(/[.\\]/g, '\\$&')}, which no request can ask for: `,
      ),
    })
  }
  t.end()
})

t.test('an included URL conf does not reverse by itself', (t) => {
  t.throws(() => api.reverse('list'), {
    code: 'UWAS_ERR_ROUTE_REVERSE_INCLUDED',
    message:
      'this URL conf is included under "/api/<slug:version>", so its own reverse() cannot know the whole URL; call reverse() of the root URL conf',
  })
  t.end()
})

t.test('what reverse writes, the matcher reads back to the same values', (t) => {
  const { match } = compileUrls(urls)
  const cases = fc.oneof(
    fc.record({ name: fc.constant('post'), params: fc.record({ id: fc.maxSafeNat() }) }),
    fc.record({
      name: fc.constant('tag'),
      params: fc.record({ tag: fc.string({ unit: 'grapheme' }) }),
    }),
    fc.record({ name: fc.constant('file'), params: fc.record({ p: fc.webPath() }) }),
    fc.record({ name: fc.constant('uuid'), params: fc.record({ u: fc.uuid() }) }),
    fc.record({
      name: fc.constant('month'),
      params: fc.record({ year: fc.maxSafeNat(), month: fc.maxSafeNat() }),
    }),
    fc.record({
      name: fc.constant('day'),
      params: fc.record({
        d: fc.date({
          min: new Date('0001-01-01'),
          max: new Date('9999-12-31'),
          noInvalidDate: true,
        }),
      }),
    }),
  )
  let written = 0
  fc.assert(
    fc.property(cases, ({ name, params }) => {
      let address: string
      try {
        address = untyped(name, params)
      } catch (error) {
        return /UWAS_ERR_ROUTE_REVERSE_(?:PARAMETER|PATH)/.test((error as { code: string }).code)
      }
      written++
      const target = parseTarget(address)
      if (typeof target === 'number' || target.canonical !== address) return false
      const found = match('GET', target.path)
      if (found?.route === undefined) return false
      return found.route.name === name && untyped(name, found.params) === address
    }),
    { numRuns: 500 },
  )
  t.ok(written > 200, 'and most values can be written')
  t.end()
})

/** The part of the message after the route. */
function messageOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return (error as Error).message.replace(/^.*?\.ts:\d+\): /, '')
  }
  return 'nothing was thrown'
}
