import t from 'tap'
import { fingerprintOf, isUuid } from '../../../src/demo/forms/submission.ts'

const TOKEN = '0c8d2f3e-98d6-4c57-9f0e-1d7f6d2a9b11'
const GOOD = { token: TOKEN, author: '한결', title: 'Hello', body: 'One\nTwo' }

t.test('the same form with the same words has the same fingerprint', async (t) => {
  const first = fingerprintOf(GOOD)
  t.equal(fingerprintOf({ ...GOOD }), first)
  t.ok(isUuid(first))
  t.not(fingerprintOf({ ...GOOD, body: 'Another note' }), first, 'other words')
  t.not(fingerprintOf({ ...GOOD, token: crypto.randomUUID() }), first, 'another form')
})

t.test('a UUID is one in small letters', async (t) => {
  for (const text of ['', 'x', `${TOKEN}0`, TOKEN.toUpperCase(), null, undefined]) {
    t.notOk(isUuid(text), String(text))
  }
  t.ok(isUuid(TOKEN))
})
