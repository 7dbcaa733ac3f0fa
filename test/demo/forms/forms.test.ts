import t from 'tap'
import { commentForm } from '../../../src/demo/forms/forms.ts'
import { isUuid } from '../../../src/demo/forms/submission.ts'
import { requestOf } from '../../support/request.ts'

const TOKEN = '0c8d2f3e-98d6-4c57-9f0e-1d7f6d2a9b11'

async function fill(lang: 'ko' | 'en', values: Record<string, string>) {
  const query = new URLSearchParams({ token: TOKEN, ...values })
  const req = requestOf('GET', `/?${query}`, { headers: { 'accept-language': lang } })
  const sent = await commentForm.read(req)
  return { sent, form: commentForm.filled(req, sent) }
}

t.test(
  'errors stand at their fields and in the summary, in the language of the page',
  async (t) => {
    const { form } = await fill('en', { author: 'x'.repeat(31), comment: '\u3164' })
    t.equal(form.summary, '2 things to put right')
    t.strictSame(
      form.problems.map(({ id, message }) => [id, message]),
      [
        ['author', 'The name is 1 character too long.'],
        ['comment', 'Write something in the comment.'],
      ],
    )
    t.equal(form.field['author']?.describedBy, 'author-error author-hint')
    t.equal(form.field['author']?.value, 'x'.repeat(31))
    const korean = (await fill('ko', { author: '보라', comment: '가'.repeat(1002) })).form
    t.equal(korean.summary, '고칠 곳이 1군데 있어요')
    t.equal(korean.field['comment']?.error, '댓글이 2자 넘칩니다.')
    t.equal(korean.field['comment']?.hint, '1,000자까지')
    const { form: odd } = await fill('en', { author: 'a\u0007', comment: 'x' })
    t.equal(odd.field['author']?.error, 'The name holds a character that cannot be shown.')
  },
)

t.test('a good form gives clean values; a token that is no UUID is replaced', async (t) => {
  const { sent } = await fill('en', { author: ' 한결 ', comment: 'One\r\nTwo', token: 'x' })
  const { token, ...values } = sent.isValid ? sent.values : { token: '' }
  t.strictSame(values, { author: '한결', comment: 'One\nTwo' })
  t.ok(isUuid(token))
})
