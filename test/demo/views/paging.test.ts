import t from 'tap'
import { pageCount, pageNumbers, readPageNumber } from '../../../src/demo/views/paging.ts'

t.test('page numbers are plain positive numbers; none is the first page', async (t) => {
  t.equal(readPageNumber(null), 1)
  t.equal(readPageNumber('1'), 1)
  t.equal(readPageNumber('9999999'), 9_999_999)
  for (const text of ['', '0', '-1', '01', '1.5', '1e3', ' 2', 'x', '10000000', '２']) {
    t.equal(readPageNumber(text), undefined, JSON.stringify(text))
  }
})

t.test('an empty board has one page, a full page does not open another', async (t) => {
  t.strictSame([0, 1, 10, 11, 100].map(pageCount), [1, 1, 1, 2, 10])
})

t.test('the first, the last and the neighbours of the current page are offered', async (t) => {
  t.strictSame(pageNumbers(1, 1), [1])
  t.strictSame(pageNumbers(1, 2), [1, 2])
  t.strictSame(pageNumbers(1, 9), [1, 2, null, 9])
  t.strictSame(pageNumbers(5, 9), [1, null, 4, 5, 6, null, 9])
  t.strictSame(pageNumbers(9, 9), [1, null, 8, 9])
})

t.test('a gap of one page is that page', async (t) => {
  t.strictSame(pageNumbers(4, 7), [1, 2, 3, 4, 5, 6, 7])
})
