import t from 'tap'
import { forEachLimited } from '../../src/files/limited.ts'

t.test('all items are worked on, never more than the limit at once', async (t) => {
  const items = Array.from({ length: 50 }, (_, index) => index)
  const done: number[] = []
  let running = 0
  let most = 0
  await forEachLimited(items, 4, async (item) => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setImmediate(resolve))
    running--
    done.push(item)
  })
  t.strictSame(
    done.sort((a, b) => a - b),
    items,
  )
  t.equal(most, 4)
  await forEachLimited([], 4, async () => {
    t.fail('there is nothing to do')
  })
})

t.test('the first failure ends it', async (t) => {
  const failure = new Error('third')
  const begun: number[] = []
  const work = forEachLimited([1, 2, 3, 4, 5], 1, async (item) => {
    begun.push(item)
    if (item === 3) throw failure
  })
  await t.rejects(work, failure)
  t.strictSame(begun, [1, 2, 3])
})
