import t from 'tap'
import { pageLinks, pageRange, queryWith } from '../../../src/was/views/page-links.ts'
import { requestOf } from '../../support/request.ts'

const linksOf = (search: string, total: Parameters<typeof pageLinks>[2]) => {
  const req = requestOf('GET', `/list?${search}`)
  return pageLinks(req, pageRange(req, 10), total)
}

t.test('links keep what else the query says', async (t) => {
  const links = linksOf('tag=a%26b&page=2&tag=c', 30)
  t.equal(links.previous, '?tag=a%26b&tag=c')
  t.equal(links.next, '?tag=a%26b&page=3&tag=c')
  t.equal(links.count, 3)
  t.equal(queryWith(requestOf('GET', '/?a=1&after=x'), 'after', '"&'), '?a=1&after=%22%26')
})

t.test('the first page, the last and those around the current one are offered', async (t) => {
  const show = (search: string, total: Parameters<typeof pageLinks>[2]) =>
    linksOf(search, total).pages.map(({ number, isGap, isCurrent }) =>
      isGap ? '…' : isCurrent ? `[${number}]` : number,
    )
  t.strictSame(show('page=5', 95), [1, '…', 4, '[5]', 6, '…', 10])
  t.strictSame(show('page=3', 50), [1, 2, '[3]', 4, 5])
  t.strictSame(show('', 0), ['[1]'])
  t.strictSame(show('page=5', { hasNext: true }), [1, '…', 4, '[5]', 6])
  t.strictSame(show('page=5', { hasNext: false }), [1, '…', 4, '[5]'])
  t.strictSame(show('', { hasNext: false }), ['[1]'])
  t.match(linksOf('page=2', { hasNext: true }), { count: undefined, next: '?page=3' })
  t.match(linksOf('page=2', { hasNext: false }), { previous: '?', next: undefined })
  t.equal(linksOf('', 10).next, undefined)
  t.equal(linksOf('', 10).previous, undefined)
})

t.test('what is no page of the list is 404', async (t) => {
  for (const page of ['0', '-1', '1.5', '01', 'x', '', '99999999', '3']) {
    t.throws(() => linksOf(`page=${page}`, 20), { name: 'HttpError', message: 'Not Found' }, page)
  }
  t.strictSame(pageRange(requestOf('GET', '/?page=4'), 25), { number: 4, limit: 25, offset: 75 })
})
