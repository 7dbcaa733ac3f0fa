import t from 'tap'
import { HttpError, invalid, notFound, statusOf } from '../../src/http/http-error.ts'

t.test('an error has a status of errors and fields that may be sent', async (t) => {
  t.match(new HttpError(404), { status: 404, message: 'Not Found', headers: [] })
  t.match(notFound('gone'), { status: 404, message: 'gone' })
  for (const status of [200, 204, 399, 600, 999, 404.5]) {
    t.throws(() => new HttpError(status), {
      code: 'UWAS_ERR_HTTP_ERROR_STATUS',
      message: `status ${status} of an HttpError is not a whole number from 400 to 599`,
    })
  }
  t.throws(() => new HttpError(503, 'x', { headers: [['Connection', 'close']] }), {
    code: 'UWAS_ERR_HTTP_HEADER_OWNED',
    message: 'header Connection is written by the server itself; leave it out of the reply',
  })
})

t.test('what is no error of ours is 500', async (t) => {
  for (const value of [new Error('x'), undefined, 'text', Object.create(null)])
    t.equal(statusOf(value), 500)
})

t.test('invalid() is 422 and says which fields are wrong', (t) => {
  const error = invalid({ title: 'is missing', age: 'is no number' })
  t.equal(error.status, 422)
  t.equal(error.message, 'title is missing; age is no number')
  t.strictSame(error.problems, { title: 'is missing', age: 'is no number' })
  t.end()
})
