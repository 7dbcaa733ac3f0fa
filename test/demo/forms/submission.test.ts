import t from 'tap'
import {
  blankForm,
  COMMENT_RULES,
  isUuid,
  POST_RULES,
  readSubmission,
} from '../../../src/demo/forms/submission.ts'

const TOKEN = '0c8d2f3e-98d6-4c57-9f0e-1d7f6d2a9b11'
const GOOD = { token: TOKEN, author: ' 한결 ', title: 'Hello', body: 'One\r\nTwo' }

t.test('a good form gives clean values and no problems', async (t) => {
  const { values, problems, token } = readSubmission(new URLSearchParams(GOOD), POST_RULES)
  t.strictSame(values, { author: '한결', title: 'Hello', body: 'One\nTwo' })
  t.equal(problems.size, 0)
  t.equal(token, TOKEN)
})

t.test('each bad field has its problem, and the values are kept', async (t) => {
  const form = new URLSearchParams({ author: 'x'.repeat(31), title: '\u3164', body: 'fine\0' })
  const { values, problems } = readSubmission(form, POST_RULES)
  t.strictSame(
    [...problems],
    [
      ['author', { kind: 'long', by: 1 }],
      ['title', { kind: 'empty' }],
      ['body', { kind: 'control' }],
    ],
  )
  t.equal(values.author, 'x'.repeat(31))
})

t.test('fields that are missing are empty, unknown ones are ignored', async (t) => {
  const { values, problems } = readSubmission(new URLSearchParams('id=7'), COMMENT_RULES)
  t.strictSame(values, { author: '', comment: '' })
  t.strictSame([...problems.keys()], ['author', 'comment'])
})

t.test('the same form with the same words has the same fingerprint', async (t) => {
  const first = readSubmission(new URLSearchParams(GOOD), POST_RULES).fingerprint
  t.equal(readSubmission(new URLSearchParams(GOOD), POST_RULES).fingerprint, first)
  t.ok(isUuid(first))
  const changed = new URLSearchParams({ ...GOOD, body: 'Another note' })
  t.not(readSubmission(changed, POST_RULES).fingerprint, first, 'other words')
  const fresh = new URLSearchParams({ ...GOOD, token: crypto.randomUUID() })
  t.not(readSubmission(fresh, POST_RULES).fingerprint, first, 'another form')
})

t.test('a token that is no UUID is replaced', async (t) => {
  for (const token of ['', 'x', `${TOKEN}0`, TOKEN.toUpperCase()]) {
    const read = readSubmission(new URLSearchParams({ ...GOOD, token }), POST_RULES)
    t.ok(isUuid(read.token))
    t.not(read.token, token)
  }
})

t.test('a blank form holds what is known already', async (t) => {
  const form = blankForm(COMMENT_RULES, { author: 'Ines' })
  t.strictSame(form.values, { author: 'Ines', comment: '' })
  t.equal(form.problems.size, 0)
  t.ok(isUuid(form.token))
})
