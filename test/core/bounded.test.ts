import t from 'tap'
import { Bounded } from '../../src/core/bounded.ts'

/** Work that ends when it is told to. */
function gate(): {
  work: () => Promise<string>
  open: (value: string) => void
  begun: () => number
} {
  let begun = 0
  let open: (value: string) => void = () => {}
  const promise = new Promise<string>((resolve) => {
    open = resolve
  })
  return {
    work: () => {
      begun++
      return promise
    },
    open: (value) => open(value),
    begun: () => begun,
  }
}

const refusal = () => new Error('full')

t.test('so many run, so many wait in their order, and the rest is refused at once', async (t) => {
  const bounded = new Bounded(2, 2, refusal)
  const gates = [gate(), gate(), gate(), gate()]
  const runs = gates.map((each) => bounded.run(each.work))
  await t.rejects(bounded.run(gate().work), { message: 'full' })
  t.strictSame([bounded.running, bounded.waiting], [2, 2])
  t.strictSame(
    gates.map((each) => each.begun()),
    [1, 1, 0, 0],
  )
  gates[1]?.open('second')
  t.equal(await runs[1], 'second')
  t.strictSame(
    gates.map((each) => each.begun()),
    [1, 1, 1, 0],
  )
  for (const each of gates) each.open('rest')
  await Promise.all(runs)
  t.strictSame([bounded.running, bounded.waiting], [0, 0])
})

t.test('work that fails gives its place on', async (t) => {
  const bounded = new Bounded(1, 1, refusal)
  const failing = bounded.run(() => Promise.reject(new Error('broken')))
  const next = bounded.run(() => Promise.resolve('next'))
  await t.rejects(failing, { message: 'broken' })
  t.equal(await next, 'next')
  t.equal(bounded.running, 0)
})

t.test('who has gone before the turn leaves the queue, and nothing is done for him', async (t) => {
  const bounded = new Bounded(1, 1, refusal)
  const first = gate()
  const running = bounded.run(first.work)
  const gone = new AbortController()
  const left = gate()
  const waiting = bounded.run(left.work, gone.signal)
  gone.abort(new Error('gone'))
  await t.rejects(waiting, { message: 'gone' })
  const next = bounded.run(() => Promise.resolve('next'))
  first.open('first')
  t.equal(await running, 'first')
  t.equal(await next, 'next', 'its place in the queue is free again')
  t.equal(left.begun(), 0)
  await t.rejects(bounded.run(left.work, gone.signal), { message: 'gone' })
  t.equal(bounded.running, 0)
})
