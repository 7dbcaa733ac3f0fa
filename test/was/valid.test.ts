import t from 'tap'
import { z } from 'zod'
import { json } from '../../src/http/reply.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { createTestClient } from '../../src/testing/test-client.ts'
import { type StandardSchema, validJson, validParams, validQuery } from '../../src/was/valid.ts'
import { temporaryFolder } from '../support/catalogue.ts'

const query = z.object({
  page: z.coerce.number().int().min(1).default(1),
  tag: z.string().optional(),
})
const note = z.object({
  title: z.string().max(5),
  tags: z.array(z.object({ 'a/b': z.number() })).default([]),
})
/** A library of one's own. */
const even: StandardSchema<{ id: number }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: async (value) => {
      const { id } = value as { id: number }
      return id % 2 === 0
        ? { value: { id } }
        : { issues: [{ message: 'is odd', path: [{ key: 'id' }] }] }
    },
  },
}

const urls = urlconf(
  path('/list', async (req) => json(await validQuery(req, query))),
  path('/notes', { post: async (req) => json(await validJson(req, note)) }),
  path('/even/<int:id>', async (req) => json(await validParams(req, even))),
)
const client = await createTestClient(
  { urls, database: false },
  { root: temporaryFolder(t), env: {} },
)
t.teardown(() => client.close())
const JSON_ONLY = { headers: { accept: 'application/json' } }

t.test('a query that fits is typed values', async (t) => {
  t.strictSame((await client.get('/list?page=3&tag=a&other=1')).json(), { page: 3, tag: 'a' })
  t.strictSame((await client.get('/list')).json(), { page: 1 })
})

t.test('a query that does not fit is 400 and names each parameter', async (t) => {
  const reply = await client.get('/list?page=0&tag=a&tag=b', JSON_ONLY)
  t.equal(reply.status, 400)
  t.equal(reply.headers.get('content-type'), 'application/problem+json')
  t.match(reply.json(), {
    type: 'about:blank',
    status: 400,
    errors: [
      { parameter: 'page', detail: /^Too small/ },
      { parameter: 'tag', detail: /expected string, received array/ },
    ],
  })
  t.match((await client.get('/list?page=x')).text, 'page: Invalid input')
  for (const odd of ['__proto__=1', 'constructor=1', '%FF=1', 'page=', '=', 'page=1e400']) {
    t.ok([200, 400].includes((await client.get(`/list?${odd}`)).status), odd)
  }
})

t.test('JSON that does not fit is 422 with a pointer to each place', async (t) => {
  t.strictSame((await client.post('/notes', { json: { title: 'a', extra: 1 } })).json(), {
    title: 'a',
    tags: [],
  })
  const reply = await client.post('/notes', {
    ...JSON_ONLY,
    json: { title: 'too long', tags: [{ 'a/b': 1 }, { 'a/b': 'x' }] },
  })
  t.equal(reply.status, 422)
  t.match(reply.json(), { errors: [{ pointer: '#/title' }, { pointer: '#/tags/1/a~1b' }] })
  const whole = await client.post('/notes', { ...JSON_ONLY, json: [] })
  t.match(whole.json(), { errors: [{ pointer: '#' }] })
  const many = await client.post('/notes', {
    ...JSON_ONLY,
    json: { title: 'a', tags: new Array(500).fill(0) },
  })
  t.equal((many.json() as { errors: unknown[] }).errors.length, 100)
  t.equal(
    (
      await client.post('/notes', {
        ...JSON_ONLY,
        body: '{',
        headers: { 'content-type': 'application/json' },
      })
    ).status,
    400,
  )
  t.equal((await client.post('/notes', { form: { title: 'a' } })).status, 415)
})

t.test('parameters are checked by a schema of any library', async (t) => {
  t.strictSame((await client.get('/even/4')).json(), { id: 4 })
  const odd = await client.get('/even/5', JSON_ONLY)
  t.equal(odd.status, 400)
  t.match(odd.json(), { errors: [{ parameter: 'id', detail: 'is odd' }] })
})
