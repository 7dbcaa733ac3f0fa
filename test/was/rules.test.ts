import fc from 'fast-check'
import t from 'tap'
import { parseTarget } from '../../src/http/target.ts'
import { parsePattern } from '../../src/was/rule-pattern.ts'
import { compileRedirects, compileRewrites, type Redirect } from '../../src/was/rules.ts'

const redirect = (from: string, to: string): Redirect => ({ from, to, status: 308 })
const target = (from: string, to: string, path: string): string | undefined =>
  compileRedirects([redirect(from, to)])?.(path)?.target

t.test('an empty table is nothing', (t) => {
  t.equal(compileRedirects([]), null)
  t.equal(compileRewrites([]), null)
  t.end()
})

const matches: [from: string, to: string, path: string, expected: string | undefined][] = [
  ['/a', '/b', '/a', '/b'],
  ['/a', '/b', '/a/', undefined],
  ['/a', '/b', '/ab', undefined],
  ['/', '/home', '/', '/home'],
  ['/old/*', '/new/*', '/old/x/y', '/new/x/y'],
  ['/old/*', '/new/*', '/old/', '/new/'],
  ['/old/*', '/new/*', '/old', undefined],
  ['/old/*', '/new/*', '/older/x', undefined],
  ['/old/*', '/gone', '/old/x', '/gone'],
  ['/p/<id>', '/posts/<id>/', '/p/7', '/posts/7/'],
  ['/p/<id>', '/posts/<id>/', '/p/', undefined],
  ['/p/<id>', '/posts/<id>/', '/p/7/8', undefined],
  ['/<lang>/docs/*', '/docs/<lang>/*', '/ko/docs/a/b', '/docs/ko/a/b'],
  ['/<name>.php', '/<name>', '/index.php', '/index'],
  ['/<name>.php', '/<name>', '/.php', undefined],
  ['/v<n>/x', '/x?v=<n>', '/v2/x', '/x?v=2'],
  ['/글/*', '/문서/*', '/글/하나 둘', '/%EB%AC%B8%EC%84%9C/%ED%95%98%EB%82%98%20%EB%91%98'],
  ['/a/<x>', 'https://b.test/<x>?q=1#f', '/a/?&#', 'https://b.test/%3F%26%23?q=1#f'],
]

/** Captured text that would make another site, or no path, of a target. */
matches.push(
  ['/<a>/*', '/*/<a>', '/evil.test/', '/evil.test'],
  ['/<a>/*', '/*/<a>', '/evil.test/x/', '/x/evil.test'],
  ['/s/<q>/*', '/*/index.html', '/s/q/', '/index.html'],
  ['/s/<q>/*', '/*/index.html', '/s/q/a/', '/a/index.html'],
  ['/s/*', '/t-*/x', '/s/', '/t-/x'],
  ['/s/*', '/t?u=*/x', '/s/a/', '/t?u=a//x'],
  ['/a/*', 'https://b.test/*/x', '/a/', 'https://b.test/x'],
  ['/a/*', '/**/x', '/a/', undefined],
  ['/<name>.php', '/<name>', '/..php', undefined],
  ['/<name>.php', '/<name>/evil.test', '/...php', undefined],
  ['/<a>.x/*', '/<a>/*/evil.test', '/...x/', undefined],
)

for (const [from, to, path, expected] of matches) {
  t.test(`${from} → ${to}: ${path} ${expected === undefined ? 'stays' : `→ ${expected}`}`, (t) => {
    t.equal(target(from, to, path), expected)
    t.end()
  })
}

t.test('the first rule of the table wins, however they begin', (t) => {
  const rules = compileRedirects([
    redirect('/a/<x>/special', '/1'),
    redirect('/<y>/b/*', '/2'),
    redirect('/a/*', '/3'),
    redirect('/*', '/4'),
  ])
  const to = (path: string) => rules?.(path)?.target
  t.equal(to('/a/b/special'), '/1')
  t.equal(to('/a/b/c'), '/2')
  t.equal(to('/a/c'), '/3')
  t.equal(to('/z/b/c'), '/2')
  t.equal(to('/z'), '/4')
  t.end()
})

t.test('a rewrite has no status and leads to a path', (t) => {
  t.same(compileRewrites([{ from: '/app/*', to: '/index.html' }])?.('/app/x'), {
    target: '/index.html',
    status: 0,
  })
  t.end()
})

const mistakes: [from: string, to: string, problem: string][] = [
  ['a', '/b', 'it has to start with "/"'],
  ['/a/*/b', '/b', '"*" stands alone as the last part'],
  ['/a*', '/b', '"*" stands alone as the last part'],
  ['/<a><b>', '/b', '"<a><b>" is no part: one <name> each, of letters, digits and _'],
  ['/<a>/<a>', '/b', '<a> is there twice'],
  ['/a/../b', '/b', 'no path looks like that: leave out empty, "." and ".." parts and "\\"'],
  ['/a', '/a', 'it leads to itself'],
  ['/a', '//evil.test/', 'no path looks like that: leave out empty, "." and ".." parts and "\\"'],
  ['/a', '/\\evil.test/', 'no path looks like that: leave out empty, "." and ".." parts and "\\"'],
  ['/a', '/<b>', '"from" has no <b>'],
  ['/a', '/*', '"from" has no *'],
  [
    '/<a>',
    'https://<a>/',
    'it leads to a path, or to an address with a fixed host: https://host/…',
  ],
  [
    '/<a>',
    'https://good.test@<a>/',
    'it leads to a path, or to an address with a fixed host: https://host/…',
  ],
  [
    '/a',
    'javascript:alert(1)',
    'it leads to a path, or to an address with a fixed host: https://host/…',
  ],
]

for (const [from, to, problem] of mistakes) {
  t.test(`refused at start: ${from} → ${to}`, (t) => {
    t.throws(() => compileRedirects([redirect(from, to)]), {
      code: 'UWAS_ERR_WAS_RULE',
      message: `redirects: ${from} → ${to}: ${problem}`,
    })
    t.end()
  })
}

t.test('a rewrite to another site, or with a query, is refused', (t) => {
  t.throws(() => compileRewrites([{ from: '/a', to: 'https://b.test/' }]), {
    code: 'UWAS_ERR_WAS_RULE',
    message:
      'rewrites: /a → https://b.test/: it leads to a path of this site, which starts with "/"',
  })
  t.throws(() => compileRewrites([{ from: '/a', to: '/b?c' }]), {
    code: 'UWAS_ERR_WAS_RULE',
    message: 'rewrites: /a → /b?c: it leads to a path, so without ? and #',
  })
  t.end()
})

const circles: [Redirect[], string][] = [
  [[redirect('/a', '/a?x=1')], '/a → /a → /a'],
  [[redirect('/a', '/b'), redirect('/b', '/a')], '/a → /b → /a → /b'],
  [[redirect('/a/*', '/a/b/*')], '/a/x → /a/b/x → /a/b/b/x'],
  [[redirect('/x/<n>', '/y/<n>'), redirect('/y/1', '/x/1')], '/x/1 → /y/1 → /x/1 → /y/1'],
]

for (const [table, steps] of circles) {
  t.test(`a circle is refused at start: ${steps}`, (t) => {
    t.throws(() => compileRedirects(table), {
      code: 'UWAS_ERR_WAS_RULE_LOOP',
      message: `redirects: these go round in a circle: ${steps}`,
    })
    t.end()
  })
}

t.test('a path that a pattern leads to itself stays', (t) => {
  t.equal(target('/<lang>/docs/*', '/docs/<lang>/*', '/docs/docs/x'), undefined)
  t.end()
})

t.test('a chain that ends is no circle', (t) => {
  const table = [redirect('/a', '/b'), redirect('/b', '/c'), redirect('/c', '/d')]
  t.equal(compileRedirects(table)?.('/a')?.target, '/b')
  t.end()
})

const word = fc.stringMatching(/^[a-z0-9._~ 글-긿-]{1,8}$/).filter((text) => !/^\.\.?$/.test(text))

t.test('what a pattern captures and its sample say the same path', (t) => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 4 }), word, fc.boolean(), (words, value, hasRest) => {
      const text = `${words.map((each, i) => (i % 2 === 0 ? `/${each}` : `/<n${i}>`)).join('')}${hasRest ? '/*' : words.length === 0 ? '/' : ''}`
      const pattern = parsePattern(text)
      if (typeof pattern === 'string') throw new Error(`${text}: ${pattern}`)
      const captured = pattern.match(pattern.sample(value))
      t.same(new Set(captured?.keys()), pattern.names, text)
      for (const each of captured?.values() ?? []) t.equal(each, value)
    }),
  )
  t.end()
})

t.test('no path of a client leads off the site, or to a path that is none', (t) => {
  const tables: [from: string, to: string][] = [
    ['/<a>/*', '/*/<a>'],
    ['/<a>.x/*', '/<a>/*/y'],
    ['/<a>.x/*', '/*<a>/y'],
    ['/<a>.x/*', '/**/<a>'],
    ['/go/*', '/*'],
    ['/<a>/<b>', '/x-<b><a>'],
  ]
  const part = fc.oneof(
    fc.constantFrom('', '.', '..', '...x', '..x', '.x', 'y.x', '\\', '%', '%2f', '%5c', '\t', 'go'),
    fc.string({ unit: 'binary', maxLength: 8 }),
  )
  let followed = 0
  for (const table of tables) {
    const rules = compileRedirects([redirect(...table)])
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const found = parseTarget(encodeURI(`/${parts.join('/')}`.toWellFormed()))
        const location = typeof found === 'number' ? undefined : rules?.(found.path)?.target
        if (location === undefined) return
        followed++
        t.match(location, /^\/(?![/\\])[\x21-\x7e]*$/)
        t.not(typeof parseTarget(location), 'number', location)
        t.equal(new URL(location, 'http://site.test').host, 'site.test')
      }),
      { numRuns: 300 },
    )
  }
  t.ok(followed > 50, `${followed} redirects were seen`)
  t.end()
})
