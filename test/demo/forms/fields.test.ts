import t from 'tap'
import { describeForm } from '../../../src/demo/forms/fields.ts'
import { COMMENT_RULES, readSubmission } from '../../../src/demo/forms/submission.ts'
import { DICTIONARIES } from '../../../src/demo/i18n/language.ts'

const LABELS = { author: 'A', comment: 'C' }

function describe(lang: 'ko' | 'en', values: Record<string, string>) {
  const submission = readSubmission(new URLSearchParams(values), COMMENT_RULES)
  return describeForm({ lang, t: DICTIONARIES[lang] }, COMMENT_RULES, LABELS, submission)
}

t.test('errors stand at their fields, in the summary and in the description', async (t) => {
  const form = describe('en', { author: 'x'.repeat(31), comment: '' })
  t.equal(form.summary, '2 things to put right')
  t.strictSame(
    form.problems.map(({ id, error }) => [id, error]),
    [
      ['author', 'The name is 1 character too long.'],
      ['comment', 'Write something in the comment.'],
    ],
  )
  t.equal(form.fields[0]?.describedBy, 'author-error author-hint')
  t.equal(form.fields[0]?.value, 'x'.repeat(31))
})

t.test('errors are in the language of the page', async (t) => {
  const form = describe('ko', { author: '보라', comment: '가'.repeat(1002) })
  t.equal(form.summary, '고칠 곳이 1군데 있어요')
  t.equal(form.fields[1]?.error, '댓글이 2자 넘칩니다.')
  t.equal(form.fields[1]?.limit, '1,000자까지')
})

t.test('a form without problems has no summary', async (t) => {
  const form = describe('en', { author: 'Mara', comment: 'Yes' })
  t.notOk('summary' in form)
  t.strictSame(form.problems, [])
  t.equal(form.fields[0]?.describedBy, 'author-hint')
})
