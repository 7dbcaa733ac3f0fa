import t from 'tap'
import { createLog, describeError } from '../../src/core/log.ts'

t.test('an error is described by its stack and those of its causes', async (t) => {
  const cause = new RangeError('below')
  const text = describeError(new Error('above', { cause }))
  t.match(text, /^Error: above\n\s+at [\s\S]*\n {2}caused by RangeError: below\n\s+at /)
  t.equal(describeError('words'), 'words')
  t.equal(describeError(undefined), 'undefined')
  const lines: string[] = []
  createLog((line) => lines.push(line)).error('it failed', 7)
  t.strictSame(lines, ['uwas: error: it failed\n7'])
})

t.test('values that cannot become a string are described all the same', async (t) => {
  const bare = Object.assign(Object.create(null), { a: 1 })
  t.equal(describeError(bare), '[Object: null prototype] { a: 1 }')
  const hostile = {
    toString() {
      throw new Error('no')
    },
  }
  t.match(describeError(hostile), /toString/)
  const refuse = () => {
    throw new Error('no')
  }
  const proxy = new Proxy({}, { get: refuse, getPrototypeOf: refuse, ownKeys: refuse })
  t.type(describeError(proxy), 'string')
  const { proxy: revoked, revoke } = Proxy.revocable({}, {})
  revoke()
  t.type(describeError(revoked), 'string')
})

t.test('getters that throw take nothing but themselves away', async (t) => {
  const refuse = () => {
    throw new Error('no')
  }
  const error = new Error('still readable')
  Object.defineProperty(error, 'stack', { get: refuse })
  Object.defineProperty(error, 'cause', { get: refuse })
  t.equal(describeError(error), 'Error: still readable')
  Object.defineProperty(error, 'message', { get: refuse })
  t.equal(describeError(error), 'an error that cannot be printed')
  const odd = Object.assign(new Error('odd'), { stack: { not: 'text' } })
  t.equal(describeError(odd), 'Error: odd')
})

t.test('errors that are each other’s cause are described once', async (t) => {
  const first = new Error('first')
  const second = new Error('second', { cause: first })
  first.cause = second
  const text = describeError(first)
  t.match(text, /^Error: first\n[\s\S]*caused by Error: second\n[\s\S]*caused by an error that is/)
  t.equal(text.split('Error: first').length, 2)
})

t.test('a chain without end is cut', async (t) => {
  let error = new Error('0')
  for (let i = 1; i < 50_000; i++) error = new Error(`n${i}`, { cause: error })
  const text = describeError(error)
  t.equal(text.match(/caused by Error: n/g)?.length, 15)
  t.match(text, /caused by more errors, which are left out$/)
})

t.test('an AggregateError is described with its errors, of which many are cut', async (t) => {
  const some = new AggregateError([new Error('one'), 'two', new Error('three')], 'both failed')
  t.match(
    describeError(some),
    /^AggregateError: both failed\n[\s\S]*them Error: one\n[\s\S]*them two\n[\s\S]*them Error: three/,
  )
  const many = new AggregateError(Array.from({ length: 10_000 }, (_, i) => new Error(`e${i}`)))
  t.equal(describeError(many).match(/one of them/g)?.length, 15)
})
