/** PostgreSQL is away when a worker ends, or ahead of the site: who serves goes on, and who follows does too. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createDatabase } from '../../src/model/database.ts'
import { startEmbeddedPostgres } from '../../src/model/embedded.ts'
import { folder, launch, put, run, serve } from '../support/binary.ts'
import { copyFreshData } from '../support/fresh-data.ts'
import { keepLog, runSql } from '../support/postgres.ts'
import { answering, childrenOf, configuration, eventually, runs } from '../support/supervised.ts'

t.setTimeout(180_000)

const URLS = `import { json, path, pg, statement, text, urlconf } from 'uwas'
const read = statement('read', { row: { x: pg.int }, sql: 'select x from moves' })
export const urls = urlconf(
  path('/plain', () => text(String(process.pid))),
  path('/row', async (req) => json(await read.one(req))),
)
`

/** A site on a PostgreSQL of its own that can be taken away. */
async function siteOnPostgres(test: Test) {
  const dir = mkdtempSync(join(tmpdir(), 'uwas-outage-'))
  test.teardown(() => rmSync(dir, { recursive: true, force: true }))
  await copyFreshData(dir)
  const start = () => startEmbeddedPostgres({ dir, log: keepLog(), unsafeFast: true })
  const server = { now: await start() }
  test.teardown(() => server.now.stop())
  const { url } = server.now
  const sql = async (text: string): Promise<void> => {
    const db = createDatabase({ url, log: keepLog() })
    await runSql(db, text)
    await db.close()
  }
  await sql('create table moves (x int); insert into moves values (7)')
  return { server, start, url, sql }
}

function siteFolder(test: Test, keys: string, more: Record<string, string> = {}): string {
  const files = { 'urls.ts': URLS, 'public/a.txt': 'a', ...more }
  return folder(test, { 'uwas.config.ts': configuration(keys), ...files })
}

async function serveSite(test: Test, keys: string, more: Record<string, string> = {}) {
  const cwd = siteFolder(test, keys, more)
  const running = await serve(test, ['serve', '--port', '0'], { cwd })
  return { ...running, cwd, url: `http://127.0.0.1:${running.port}` }
}

const statusOf = async (url: string): Promise<number> => {
  const reply = await fetch(url, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(30_000),
  })
  await reply.text()
  return reply.status
}

t.test('a worker that ends meanwhile costs only those who need PostgreSQL', async (t) => {
  const { server, start, url: databaseUrl, sql } = await siteOnPostgres(t)
  const keys = `static: 'public', database: ${JSON.stringify(databaseUrl)}, workers: 1`
  const { child, url, printed, stderr } = await serveSite(t, keys)
  const kill = async () => {
    const [before = 0] = childrenOf(child.pid ?? 0)
    process.kill(before, 'SIGKILL')
    await eventually('it has ended', () => !runs(before))
  }
  t.equal(await statusOf(`${url}/row`), 200)
  await server.now.stop()
  await kill()
  await printed(/PostgreSQL at .+ is not available: .*; until it is, what needs no database is/)
  for (const path of ['/a.txt', '/plain', '/healthz']) {
    t.equal(await statusOf(url + path), 200, path)
  }
  for (const path of ['/row', '/readyz']) t.equal(await statusOf(url + path), 503, path)

  server.now = await start()
  await printed(/PostgreSQL at .+ is available: all statements are proved and prepared/)
  t.equal(await statusOf(`${url}/readyz`), 200)
  t.equal(await statusOf(`${url}/row`), 200)
  t.equal(stderr().split('until it is, what needs').length, 2, 'told once')

  // What is found wrong when it is back keeps the worker from being ready, and is told.
  await sql('alter table moves rename column x to y')
  await server.now.stop()
  await kill()
  await eventually('the next one serves', async () => (await statusOf(`${url}/plain`)) === 200)
  server.now = await start()
  await printed(/not ready: statement "read" cannot be prepared: column "x" does not exist/)
  t.equal(await statusOf(`${url}/readyz`), 503)
  await sql('alter table moves rename column y to x')
  await eventually('it is ready', async () => (await statusOf(`${url}/readyz`)) === 200)
  t.equal(stderr().split('not ready: statement').length, 2, 'told once')
})

t.test('while one worker serves, none takes a place without PostgreSQL', async (t) => {
  const { url: databaseUrl } = await siteOnPostgres(t)
  const keysOf = (database: string) => `database: ${JSON.stringify(database)}, workers: 2`
  const site = await serveSite(t, keysOf(databaseUrl))
  const { child, cwd, url, printed, stderr } = site
  const allServe = async (what: string) => {
    for (let i = 0; i < 20; i++) t.equal(await statusOf(`${url}/row`), 200, what)
  }
  const [renewed = 0, lost = 0] = await answering(`${url}/plain`, 2)
  put(cwd, 'uwas.config.ts', configuration(keysOf('postgres://site@127.0.0.1:1/none')))
  child.kill('SIGHUP')
  await printed(/ECONNREFUSED/)

  let from = stderr().length
  process.kill(renewed, 'SIGTERM')
  await printed(/worker \d .*is replaced: it was told to end/, from)
  await printed(/worker \d .*ECONNREFUSED/, from)
  t.ok(runs(renewed), 'the one that was to be replaced goes on')
  await allServe('after a replacement that failed')

  from = stderr().length
  process.kill(lost, 'SIGKILL')
  await printed(/another one takes its place/, from)
  await printed(/worker \d .*ECONNREFUSED/, from)
  await allServe('beside one that is lost')
  t.notMatch(stderr(), /until it is, what needs no database is served/)

  put(cwd, 'uwas.config.ts', configuration(keysOf(databaseUrl)))
  const two = await answering(`${url}/plain`, 2)
  t.ok(two.has(renewed), 'it is still there')
  t.notOk(two.has(lost), 'the lost one has been followed')
  await allServe('by both')
})

t.test('a server without a free connection is not away', async (t) => {
  const { url: databaseUrl, sql } = await siteOnPostgres(t)
  await sql('create role site login; grant select on moves to site')
  const siteUrl = databaseUrl.replace(/\/\/[^@]*@/, '//site@')
  const keys = `database: ${JSON.stringify(siteUrl)}, workers: 1`
  const { child, url, printed, stderr } = await serveSite(t, keys)
  const [only = 0] = childrenOf(child.pid ?? 0)
  await sql('alter role site connection limit 0')
  process.kill(only, 'SIGKILL')
  await printed(/worker 1 .*too many connections for role "site"/)
  await sql('alter role site connection limit -1')
  t.equal(await statusOf(`${url}/row`), 200, 'asked again soon')
  t.notMatch(stderr(), /until it is, what needs no database is served/)
})

t.test(
  'a start waits for PostgreSQL for a while; without it, it is refused, and a reload at once',
  async (t) => {
    const { server, start, url: databaseUrl } = await siteOnPostgres(t)
    const keys = `static: 'public', database: ${JSON.stringify(databaseUrl)}, workers: 1`
    const { child, url, printed } = await serveSite(t, keys)
    const [before = 0] = childrenOf(child.pid ?? 0)
    await server.now.stop()
    child.kill('SIGHUP')
    await printed(/PostgreSQL at .+ is not available/)
    t.ok(runs(before), 'the one before goes on')
    t.equal(await statusOf(`${url}/plain`), 200)
    const cwd = siteFolder(t, keys)
    const { code, stderr } = await run(['serve', '--port', '0'], { cwd })
    t.equal(code, 75)
    t.match(stderr, /is not available: .*; waiting for it, for 10 s at most/)
    t.match(stderr, /error: PostgreSQL at .* is not available: .*UWAS_ERR_MODEL_UNAVAILABLE/)

    for (const more of [[], ['--workers', '0']]) {
      const late = launch(t, ['serve', '--port', '0', ...more], { cwd: siteFolder(t, keys) })
      await late.printed(/waiting for it, for 10 s at most/)
      server.now = await start()
      const [, port] = await late.printed(/on http:\/\/\S+:(\d+)/)
      t.equal(await statusOf(`http://127.0.0.1:${port}/row`), 200, 'it has waited')
      await server.now.stop()
    }
    server.now = await start()
  },
)

t.test('a database of a newer version of the site is a warning at reload and start', async (t) => {
  const { url: databaseUrl, sql } = await siteOnPostgres(t)
  const keys = `static: 'public', database: ${JSON.stringify(databaseUrl)}, migrations: 'm', workers: 1`
  const more = { 'm/0001_first.sql': 'create table first (x int)' }
  const { child, printed } = await serveSite(t, keys, more)
  await sql("insert into uwas_migrations (name, checksum) values ('0002_next', 'x')")
  child.kill('SIGHUP')
  const ahead =
    /warning: this database has migration 0002_next, which .* has not: it belongs to a newer/
  await printed(ahead)
  await printed(/reloaded/)
  const second = await serveSite(t, keys, more)
  await second.printed(ahead)
  t.equal(await statusOf(`${second.url}/readyz`), 200)
})
