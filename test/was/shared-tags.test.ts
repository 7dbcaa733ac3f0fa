import t, { type Test } from 'tap'
import { Memory } from '../../src/cache/budget.ts'
import { Cache } from '../../src/cache/cache.ts'
import { ValueStore } from '../../src/cache/value-store.ts'
import { atomic } from '../../src/model/atomic.ts'
import { createDatabase, type Database } from '../../src/model/database.ts'
import { SharedTags, TAGS_CHANNEL } from '../../src/was/shared-tags.ts'
import { type KeptLog, keepLog, runSql, testDatabaseUrl, until } from '../support/postgres.ts'
import { proxied } from '../support/postgres-proxy.ts'

interface Process {
  readonly cache: Cache
  readonly database: Database
  readonly shared: SharedTags
  readonly log: KeptLog
}

/** What one process of a site has of this. */
function processOf(t: Test, url: string, poolSize = 3): Process {
  const log = keepLog()
  const database = createDatabase({ url, log, poolSize })
  const store = new ValueStore(1_000_000, new Memory(1_000_000))
  const shared = new SharedTags({ tags: store.tags, database, log })
  t.teardown(async () => {
    await shared.close()
    await database.close()
  })
  return { cache: new Cache(store, log), database, shared, log }
}

/** The sessions that listen, and how they are ended. */
const LISTENING = `select pid from pg_stat_activity
  where datname = current_database() and query like 'listen%'`
const KILL = `select pg_terminate_backend(pid) from (${LISTENING}) as them`

/** Keeps something under `tag` for good: what was kept before it has begun to listen is dropped. */
async function keepTagged({ cache, database }: Process, tag: string): Promise<void> {
  await until(() => {
    if (cache.get(tag) === undefined) cache.set(tag, 'kept', { tags: [tag] })
    return database.listener?.isConnected === true
  })
  cache.set(tag, 'kept', { tags: [tag] })
}

async function isGone({ cache }: Process, tag: string): Promise<void> {
  await until(() => cache.get(tag) === undefined)
}

t.test('what one process invalidates is invalidated in all, whatever its name is', async (t) => {
  const url = await testDatabaseUrl()
  const [one, other] = [processOf(t, url), processOf(t, url)]
  const odd = ['notes', 'a"b\n\0', 'half \ud800', 'é'.repeat(200)]
  for (const tag of [...odd, 'stays']) await keepTagged(other, tag)
  other.cache.set('untagged', 1)
  for (const tag of odd) {
    one.cache.invalidate(tag)
    await isGone(other, tag)
  }
  t.equal(other.cache.get('stays'), 'kept')
  t.equal(other.cache.get('untagged'), 1)
  t.same([...one.log.lines, ...other.log.lines], [])
})

t.test('its own words are not heard again: what is kept since stays', async (t) => {
  const url = await testDatabaseUrl()
  const [one, other] = [processOf(t, url), processOf(t, url)]
  for (const each of [one, other]) await keepTagged(each, 'notes')
  one.cache.invalidate('notes')
  one.cache.set('notes', 'new', { tags: ['notes'] })
  await isGone(other, 'notes')
  // What is heard after it has come through the same connection.
  await keepTagged(one, 'last')
  other.cache.invalidate('last')
  await isGone(one, 'last')
  t.equal(one.cache.get('notes'), 'new')
})

t.test('more than one message holds comes in several, more than thousands as all', async (t) => {
  const url = await testDatabaseUrl()
  const [one, other] = [processOf(t, url), processOf(t, url)]
  const tags = Array.from({ length: 200 }, (_, i) => `${i} ${'ü\0'.repeat(90)}`)
  await keepTagged(other, tags[0] as string)
  for (const tag of tags) other.cache.set(tag, 'kept', { tags: [tag] })
  await keepTagged(other, 'stays')
  one.cache.invalidate(...tags)
  for (const tag of tags) await isGone(other, tag)
  t.equal(other.cache.get('stays'), 'kept')
  for (let i = 0; i < 11_000; i += 1000) {
    one.cache.invalidate(...Array.from({ length: 1000 }, (_, n) => `many ${i + n}`))
  }
  await isGone(other, 'stays')
})

t.test('after the connection was lost all that carries a tag is dropped', async (t) => {
  const url = await testDatabaseUrl()
  const one = processOf(t, url)
  await keepTagged(one, 'notes')
  one.cache.set('untagged', 1)
  let isMade = false
  const making = one.cache.remember('made', { tags: ['other'] }, async () => {
    await until(() => isMade)
    return 'old'
  })
  await runSql(one.database, KILL)
  await isGone(one, 'notes')
  isMade = true
  t.equal(await making, 'old')
  t.equal(one.cache.get('made'), undefined, 'what was being made meanwhile is not kept')
  t.equal(one.cache.get('untagged'), 1)
})

t.test('what cannot be told yet is told when it can be', async (t) => {
  const url = await testDatabaseUrl()
  const [telling, hearing] = [processOf(t, url), processOf(t, url)]
  await keepTagged(hearing, 'notes')
  await telling.database.pipelined.openAll()
  await runSql(
    hearing.database,
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query not like 'listen%'`,
  )
  telling.cache.invalidate('notes')
  await isGone(hearing, 'notes')
})

t.test('the end does not wait long for a database that has stopped answering', async (t) => {
  const { url, freeze } = await proxied(t)
  const one = processOf(t, url)
  await one.database.pipelined.openAll()
  freeze()
  one.cache.invalidate('never told')
  await one.shared.close()
  t.pass('it ends')
})

t.test('inside of a transaction it is told at once, and belongs to none', async (t) => {
  const url = await testDatabaseUrl()
  const [one, other] = [processOf(t, url), processOf(t, url)]
  await keepTagged(other, 'a')
  await keepTagged(other, 'b')
  await atomic(one.database, async (tx) => {
    one.cache.invalidate('a')
    await isGone(other, 'a')
    tx.onCommit(() => one.cache.invalidate('b'))
  })
  await isGone(other, 'b')
  t.same(one.log.lines, [])
})

t.test('triggers and other programs may invalidate, and nonsense harms nobody', async (t) => {
  const url = await testDatabaseUrl()
  const one = processOf(t, url)
  await keepTagged(one, 'notes')
  await keepTagged(one, 'other')
  const send = (payload: string) =>
    runSql(one.database, `select pg_notify('${TAGS_CHANNEL}', '${payload}')`)
  for (const nonsense of ['', '{', '{}', '{"tags": 3}', '{"tags": [3]}', 'null'])
    await send(nonsense)
  await send('{"tags": ["notes"]}')
  await isGone(one, 'notes')
  t.equal(one.cache.get('other'), 'kept')
  t.equal(one.log.lines.filter((line) => line.includes('"uwas_tags" has failed')).length, 6)
  await send('{"tags": null}')
  await isGone(one, 'other')
})

t.test('who keeps nothing under a tag takes no connection', async (t) => {
  const one = processOf(t, await testDatabaseUrl())
  one.cache.set('untagged', 1)
  one.cache.invalidate()
  t.equal(one.database.listener, null)
  await one.shared.close()
  one.cache.set('late', 1, { tags: ['x'] })
  one.cache.invalidate('x')
  t.equal(one.database.listener, null, 'nothing begins after the end')
  t.equal(one.database.stats.open, 0)
})

t.test('where nobody can listen it is said once, and the cache works on', async (t) => {
  const one = processOf(t, await testDatabaseUrl(), 2)
  one.cache.set('a', 1, { tags: ['a'] })
  await until(() => one.log.lines.length > 0)
  t.match(one.log.lines, [
    /^uwas: warning: what other processes invalidate is not heard yet: listening cannot be done: it takes one connection, and database\.poolSize leaves no other; 3 is enough$/,
  ])
  t.equal(one.cache.get('a'), 1)
  one.cache.invalidate('a')
  t.equal(one.cache.get('a'), undefined)
})
