/** Names of requests. */
import t from 'tap'
import { uuid7 } from '../../src/core/uuid7.ts'

const FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

t.test('they have the version and variant of RFC 9562, and none is given twice', async (t) => {
  const all = Array.from({ length: 10_000 }, () => uuid7())
  t.equal(all.filter((id) => !FORM.test(id)).length, 0)
  t.equal(new Set(all).size, all.length)
  const rest = new Set(all.map((id) => id.slice(15)))
  t.equal(rest.size, all.length, 'what is behind the time is random')
})

t.test('they begin with their time, in milliseconds', async (t) => {
  const now = Date.UTC(2022, 1, 22, 19, 22, 22)
  t.ok(uuid7(now).startsWith('017f22e2-79b0-7'), 'the example of RFC 9562, appendix A.6')
  t.ok(uuid7(0).startsWith('00000000-0000-7'))
  t.ok(uuid7(now) < uuid7(now + 1), 'so they sort')
})
