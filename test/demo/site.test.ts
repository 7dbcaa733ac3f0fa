/** The demo through uwas's own test client, where unknown names in templates and one read a row are errors. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createTestClient } from 'uwas'
import { config } from '../../src/demo/uwas.config.ts'
import { temporaryFolder } from '../support/catalogue.ts'
import { testDatabaseUrl } from '../support/postgres.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '../../src/demo')

t.test('every page of the demo has all that its templates name, in both languages', async (t) => {
  const env = { DATABASE_URL: await testDatabaseUrl() }
  const site = { ...config, stateDir: temporaryFolder(t) }
  const client = await createTestClient(site, { root, env })
  t.teardown(() => client.close())
  await client.begin()
  const pages = [
    '/',
    '/?page=2',
    '/posts/12',
    '/posts/9',
    '/write',
    '/flow',
    '/static/css/base.css',
  ]
  for (const language of ['en', 'ko']) {
    for (const page of pages) {
      const reply = await client.get(page, { headers: { 'accept-language': language } })
      t.equal(reply.status, 200, `${page} ${language}`)
      t.ok(reply.queries.length <= 4, `${page} takes ${reply.queries.length} statements`)
    }
    t.equal((await client.get('/nope', { headers: { 'accept-language': language } })).status, 404)
  }
  const invalid = await client.post('/write', { form: { author: '', title: '', body: '' } })
  t.equal(invalid.status, 422)
  const token = /name="token" value="([^"]+)"/.exec((await client.get('/write')).text)?.[1] ?? ''
  const note = { author: 'Ann', title: 'Of a test', body: 'Nobody will see it.', token }
  const written = await client.post('/write', { form: note })
  t.equal(written.status, 303)
  t.match((await client.follow(written)).text, 'Nobody will see it.')
  await client.rollback()
  t.notMatch((await client.get('/')).text, 'Of a test')
  t.notMatch(client.log.join('\n'), /error/)
})

t.test('writing leads to the page of what was written, with few statements', async (t) => {
  const env = { DATABASE_URL: await testDatabaseUrl() }
  const site = { ...config, stateDir: temporaryFolder(t) }
  const client = await createTestClient(site, { root, env, ownDatabase: true })
  t.teardown(() => client.close())
  const token = /name="token" value="([^"]+)"/.exec((await client.get('/write')).text)?.[1] ?? ''
  const form = { author: 'Ann', title: 'Followed', body: 'To its page.', token }
  const page = await client.post('/write', { form, follow: true })
  t.strictSame(
    page.redirects.map(({ status }) => status),
    [303],
  )
  t.match(page.url, /\/posts\/\d+$/)
  t.match(page.templates, [{ name: 'posts/post', data: { post: { title: 'Followed' } } }])
  t.match(page.text, 'To its page.')
  const place = page.url.slice(client.url.length)
  await client.expectQueries(page.queries.length, () => client.get(place))
  const ways = await Promise.all([client.get('/'), client.get(place), client.get('/nope')])
  t.strictSame(
    ways.map(({ templates }) => templates[0]?.name),
    ['posts/list', 'posts/post', 'errors/404'],
  )
})

t.test('the list is sent from memory, and shows at once what is written', async (t) => {
  const env = { DATABASE_URL: await testDatabaseUrl() }
  const site = { ...config, stateDir: temporaryFolder(t) }
  const client = await createTestClient(site, { root, env })
  t.teardown(() => client.close())
  await client.begin()
  const list = (language: string) => client.get('/', { headers: { 'accept-language': language } })
  const statusOf = async (language: string) => (await list(language)).headers.get('cache-status')
  t.equal(await statusOf('en'), 'uwas; fwd=miss; stored')
  t.equal(await statusOf('en'), 'uwas; hit')
  t.equal(await statusOf('ko'), 'uwas; fwd=miss; stored')
  t.match((await list('ko')).text, '<html lang="ko"')
  t.match((await list('en')).text, '<html lang="en"')
  const write = async (path: string, form: Record<string, string>) => {
    const token = /name="token" value="([^"]+)"/.exec((await client.get(path)).text)?.[1] ?? ''
    t.equal((await client.post(path, { form: { ...form, token } })).status, 303)
  }
  await write('/write', { author: 'Ann', title: 'Seen at once', body: 'By everybody.' })
  const reply = await list('en')
  t.match(reply.text, 'Seen at once')
  const [, id = ''] = /href="\/posts\/(\d+)"/.exec(reply.text) ?? []
  t.equal(await statusOf('en'), 'uwas; hit', 'the name that was signed with does not matter')
  await write(`/posts/${id}`, { author: 'Bob', comment: 'Indeed.' })
  t.match((await list('en')).text, '1 comment')
  await client.post(`/posts/${id}/like`, { form: { liked: 'yes' } })
  t.match((await list('en')).text, '1 like')
  await client.rollback()
  t.equal((await list('en')).headers.get('cache-status'), 'uwas; fwd=miss; stored')
  t.notMatch((await list('en')).text, 'Seen at once')
  t.notMatch(client.log.join('\n'), /not cached/)
})
