import fc from 'fast-check'
import t from 'tap'
import { isHost } from '../../src/server/fences.ts'
import { judgeHead, type ParsedHead } from '../../src/server/strict-target.ts'

const head = (parts: Partial<ParsedHead>): ParsedHead => ({
  version: '1.1',
  method: 'GET',
  target: '/',
  fields: [['host', 'x']],
  ...parts,
})

t.test('targets become origin-form, with the authority that they name', async (t) => {
  const cases: [target: string, verdict: unknown][] = [
    ['/a?b?c', { path: '/a', query: 'b?c', authority: null }],
    ['/?', { path: '/', query: '', authority: null }],
    ['//a', { path: '//a', query: undefined, authority: null }],
    ['http://y/a?b', { path: '/a', query: 'b', authority: 'y' }],
    ['HTTP://[::1]:8080', { path: '/', query: undefined, authority: '[::1]:8080' }],
    ['http://y?b', { path: '/', query: 'b', authority: 'y' }],
    ['https://y/', 421],
    ['ftp://y/', 400],
    ['http:///a', 400],
    ['http://u@y/', 400],
    ['http://y/#a', 400],
    ['y:80', 400],
    ['', 400],
    ['*', 400],
  ]
  for (const [target, verdict] of cases) t.same(judgeHead(head({ target })), verdict, target)
  t.equal(judgeHead(head({ method: 'OPTIONS', target: '*' })), '*')
  t.equal(judgeHead(head({ method: 'OPTIONS', target: 'http://y' })), '*')
})

t.test('versions and codings are judged before the target', async (t) => {
  t.equal(judgeHead(head({ version: '2.0', target: '#' })), 505)
  t.equal(judgeHead(head({ version: '0.9' })), 400)
  const coded = (version: string, ...codings: string[]): unknown =>
    judgeHead(
      head({
        version,
        fields: codings.map((coding) => ['transfer-encoding', coding]),
        target: '*',
      }),
    )
  t.equal(coded('1.1', 'Chunked'), 400, 'then the target')
  t.equal(coded('1.0', 'chunked'), 400)
  t.equal(coded('1.1', 'gzip, chunked'), 501)
  t.equal(coded('1.1', ''), 400)
  t.equal(coded('1.1', 'chunked', 'chunked'), 400)
})

t.test('any target is refused, or is a path under a valid host', async (t) => {
  const schemes = fc.constantFrom('', 'http://', 'https://', 'HTTP://', 'x:', '/', '//', '*')
  const rest = fc.string({ unit: fc.constantFrom(...'ab01.:@/?#[]%-'), maxLength: 20 })
  fc.assert(
    fc.property(schemes, rest, (scheme, text) => {
      const verdict = judgeHead(head({ target: scheme + text }))
      if (typeof verdict !== 'object') return [400, 421].includes(verdict as number)
      const { path, query, authority } = verdict
      const back = `${path}${query === undefined ? '' : `?${query}`}`
      return (
        path.startsWith('/') &&
        !path.includes('?') &&
        (authority === null ? scheme + text === back : isHost(authority))
      )
    }),
    { numRuns: 3000 },
  )
  t.pass('in 3,000 of them')
})
