import fc from 'fast-check'
import t from 'tap'
import { redirect } from '../../../src/http/reply.ts'
import { pageOf, safeNext } from '../../../src/was/accounts/next.ts'
import { requestOf } from '../../support/request.ts'

t.test('a path of this site is taken as it is', (t) => {
  for (const path of ['/', '/posts/7', '/posts?page=2', '/a#b', '/posts/%ED%95%9C?q=%2F%2F']) {
    t.equal(safeNext(path), path)
  }
  t.equal(safeNext('/a/../b'), '/b')
  t.equal(safeNext('/한결'), '/%ED%95%9C%EA%B2%B0')
  t.end()
})

t.test('no spelling of another site gets through', (t) => {
  for (const evil of [
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\/evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '\t//evil.example',
    ' //evil.example',
    '/.//evil.example',
    '/x/..//evil.example',
    '/%2e//evil.example',
    '/./\\evil.example',
    'https://evil.example',
    'https:evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    'evil.example',
    '?next=x',
    '#x',
    '',
    `/${'x'.repeat(3000)}`,
    null,
    undefined,
  ]) {
    t.equal(safeNext(evil), undefined, JSON.stringify(evil))
  }
  t.end()
})

t.test('whatever it lets through, a browser stays on the site', (t) => {
  const piece = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    '\t',
    '\n',
    '%2e',
    '@',
    ':',
    'a',
    '?',
    '#',
    ' ',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
      const path = safeNext(`/${pieces.join('')}evil.example`)
      if (path === undefined) return
      t.equal(new URL(path, 'https://site.example/log/in').origin, 'https://site.example')
      t.doesNotThrow(() => redirect(path))
    }),
    { numRuns: 3000 },
  )
  t.end()
})

t.test('one comes back to the page, or to the one whose form it was', (t) => {
  t.equal(pageOf(requestOf('GET', '/posts?page=2')), '/posts?page=2')
  t.equal(pageOf(requestOf('GET', '/한 결')), '/%ED%95%9C%20%EA%B2%B0')
  t.equal(pageOf(requestOf('GET', '/a?b#c')), '/a?b#c')
  t.equal(pageOf(requestOf('GET', '/', { path: '/why?#1' })), '/why%3F%231')
  const post = (referer: string) =>
    pageOf(requestOf('POST', '/posts/7/like', { headers: { referer, host: 'site.example' } }))
  t.equal(post('http://site.example/posts/7?x=1'), '/posts/7?x=1')
  t.equal(post('http://evil.example/posts/7'), undefined)
  t.equal(post('http://site.example//evil.example/'), undefined)
  t.equal(post('no address'), undefined)
  t.end()
})
