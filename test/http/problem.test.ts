import t from 'tap'
import { problemJson } from '../../src/http/problem.ts'

const requestId = '9f0c6f6e-5c7d-4f55-9a52-0d6a3b7a1c11'

t.test('a problem has type, title, status, detail and instance (RFC 9457 section 3.1)', (t) => {
  t.same(
    JSON.parse(problemJson({ status: 404, detail: 'no such post', requestId, problems: {} })),
    {
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'no such post',
      instance: `urn:uuid:${requestId}`,
    },
  )
  t.end()
})

t.test('a detail that says nothing more is left out', (t) => {
  for (const detail of ['', 'Not Found']) {
    t.notOk('detail' in JSON.parse(problemJson({ status: 404, detail, requestId, problems: {} })))
  }
  t.end()
})

t.test('fields that are wrong are pointed at', (t) => {
  const problems = { title: 'is missing', 'a/b~c': 'is no number' }
  const { errors } = JSON.parse(problemJson({ status: 422, detail: '', requestId, problems }))
  t.strictSame(errors, [
    { detail: 'is missing', pointer: '#/title' },
    { detail: 'is no number', pointer: '#/a~1b~0c' },
  ])
  t.end()
})
