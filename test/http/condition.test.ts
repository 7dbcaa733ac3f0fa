import t from 'tap'
import { condition } from '../../src/http/condition.ts'
import { html, Reply } from '../../src/http/reply.ts'
import { requestOf } from '../support/request.ts'

const MODIFIED = new Date(Date.UTC(2026, 5, 15, 12, 0, 0, 700))
const SAME = 'Mon, 15 Jun 2026 12:00:00 GMT'
const NEVER = (): Reply => {
  throw new Error('the view was called')
}

t.test('a client that has the content gets 304 without the view', async (t) => {
  const headers = { 'Cache-Control': 'private', Vary: 'Cookie' }
  for (const sent of [{ 'if-none-match': 'W/"7"' }, { 'if-modified-since': SAME }]) {
    for (const method of ['GET', 'HEAD']) {
      const req = requestOf(method, '/', { headers: sent })
      const reply = condition(req, { etag: '"7"', lastModified: MODIFIED, headers }, NEVER)
      t.equal(reply.status, 304)
      t.equal(reply.body, null)
      t.same(reply.headers, [
        ['ETag', '"7"'],
        ['Last-Modified', SAME],
        ['Cache-Control', 'private'],
        ['Vary', 'Cookie'],
      ])
    }
  }
})

t.test('any other read is answered by the view, with the validators', async (t) => {
  const req = requestOf('GET', '/', {
    headers: { 'if-none-match': '"6"', 'if-modified-since': SAME },
  })
  const reply = condition(req, { etag: '"7"', lastModified: MODIFIED }, () => html('x'))
  t.equal(reply.status, 200)
  t.same(reply.headers, [
    ['ETag', '"7"'],
    ['Last-Modified', SAME],
  ])
  const later = condition(requestOf('GET', '/'), { etag: 'W/"7"' }, async () => html('x'))
  t.same((await later).headers, [['ETag', 'W/"7"']])
})

t.test('a failed precondition is 412 and the view does not run', async (t) => {
  for (const sent of [{ 'if-match': '"6"' }, { 'if-match': 'W/"7"' }, { 'if-none-match': '*' }]) {
    const req = requestOf('PUT', '/', { headers: sent })
    t.throws(() => condition(req, { etag: '"7"' }, NEVER), {
      status: 412,
      message: 'Precondition Failed',
    })
  }
})

t.test('what changes the content, and what is no 200, gets no validators', async (t) => {
  const put = requestOf('PUT', '/', { headers: { 'if-match': '"7"' } })
  t.equal(condition(put, { etag: '"7"' }, () => html('x')).headers, null)
  const get = requestOf('GET', '/')
  t.equal(condition(get, { etag: '"7"' }, () => new Reply(404, null, null)).headers, null)
})

t.test('validators that cannot be sent are refused', async (t) => {
  const refused = (options: object, value: string): void => {
    t.throws(() => condition(requestOf('GET', '/'), options, NEVER), {
      code: 'UWAS_ERR_HTTP_VALIDATOR',
      message: `condition(): ${value}; give a tag with its quotes ("7" or W/"7"), or a valid date`,
    })
  }
  refused({}, 'neither etag nor lastModified')
  refused({ etag: '7' }, 'etag "7"')
  refused({ etag: '"a"\r\nX: "b"' }, `etag ${JSON.stringify('"a"\r\nX: "b"')}`)
  refused({ lastModified: new Date(Number.NaN) }, 'lastModified: an invalid date')
})
