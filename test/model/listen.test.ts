import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { Services } from '../../src/core/services.ts'
import { atomic } from '../../src/model/atomic.ts'
import { createDatabase, DATABASE, type Database } from '../../src/model/database.ts'
import { startEmbeddedPostgres } from '../../src/model/embedded.ts'
import { notify } from '../../src/model/notify.ts'
import { copyFreshData } from '../support/fresh-data.ts'
import { keepLog, runSql, testDatabase, until } from '../support/postgres.ts'
import { proxied } from '../support/postgres-proxy.ts'

/** The sessions in this database whose last statement was a LISTEN, and how they are ended. */
const LISTENING = `select pid from pg_stat_activity
  where datname = current_database() and query like 'listen%'`
const KILL = `select pg_terminate_backend(pid) from (${LISTENING}) as them`

async function sessions(db: Database): Promise<number> {
  const text = `select count(*) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`
  return Number((await runSql(db, text))[0]?.[0])
}

t.test('what is sent is heard, in order, by all who listen to that channel', async (t) => {
  const log = keepLog()
  const db = await testDatabase(t, '', { log })
  const heard: string[] = []
  const stop = await db.listen('we"ird Näme', (payload) => heard.push(`a ${payload}`))
  await db.listen('we"ird Näme', (payload) => {
    heard.push(`b ${payload}`)
    throw new Error('of b')
  })
  await db.listen('other', async (payload) => {
    heard.push(`c ${payload}`)
    throw new Error('of c')
  })
  const req = { services: new Services().provide(DATABASE, db), trace: null }
  await notify(req, 'we"ird Näme', 'ä\n"1"')
  await notify(db, 'we"ird name', 'nobody')
  await notify(db, 'other')
  await until(() => heard.length === 3)
  t.same(heard, ['a ä\n"1"', 'b ä\n"1"', 'c '])
  await stop()
  await stop()
  await notify(db, 'we"ird Näme', '2')
  await until(() => heard.length === 4)
  t.equal(heard.at(-1), 'b 2')
  t.match(log.lines.join('\n'), /what listens to "we"ird Näme" has failed[\s\S]*of b/)
  await until(() => /what listens to "other" has failed[\s\S]*of c/.test(log.lines.join('\n')))
})

t.test('who is ended by another handler does not hear what that one has heard', async (t) => {
  const db = await testDatabase(t)
  const heard: string[] = []
  let stop = async () => {}
  await db.listen('x', (payload) => {
    heard.push(`a ${payload}`)
    void stop()
  })
  stop = await db.listen('x', (payload) => heard.push(`b ${payload}`))
  await notify(db, 'x', '1')
  await notify(db, 'x', '2')
  await until(() => heard.includes('a 2'))
  t.same(heard, ['a 1', 'a 2'])
})

t.test(
  'a handler has one at a time, in order, whatever it takes and however it ends',
  async (t) => {
    const log = keepLog()
    const db = await testDatabase(t, '', { log })
    const seen: string[] = []
    let running = 0
    let most = 0
    await db.listen('work', async (payload) => {
      most = Math.max(most, ++running)
      // The earlier ones would take longer.
      for (let turn = Number(payload) % 7; turn < 7; turn++) await nextTurn()
      seen.push(payload)
      running--
      if (payload === '7') throw new Error('of seven')
    })
    const other: string[] = []
    await db.listen('work', (payload) => other.push(payload))
    const all = Array.from({ length: 500 }, (_, i) => String(i))
    await runSql(
      db,
      "select pg_notify('work', i::text) from generate_series(0, 499) as i order by i",
    )
    await until(() => seen.length === 500)
    t.same(seen, all)
    t.same(other, all, 'who shares the channel does not wait for it')
    t.equal(most, 1)
    t.match(log.lines.join('\n'), /what listens to "work" has failed[\s\S]*of seven/)
  },
)

t.test('who cannot keep up loses what waits, and is told so', async (t) => {
  const log = keepLog()
  const db = await testDatabase(t, '', { log })
  const seen: string[] = []
  let goOn = () => {}
  const first = new Promise<void>((resolve) => (goOn = resolve))
  const handler = (payload: string) => {
    seen.push(payload)
    return payload === '1' ? first : undefined
  }
  const stop = await db.listen('flood', handler, { onResync: () => seen.push('resync') })
  const quick: string[] = []
  await db.listen('flood', (payload) => quick.push(payload))
  await runSql(
    db,
    "select pg_notify('flood', i::text) from generate_series(1, 2500) as i order by i",
  )
  await until(() => quick.length === 2500)
  t.same(seen, ['1'])
  goOn()
  await until(() => seen.at(-1) === '2500')
  // It had room for 1000: 2 to 1001, then a resync and 999 more, 1002 to 2000, then the same again.
  const rest = Array.from({ length: 500 }, (_, i) => String(i + 2001))
  t.same(seen, ['1', 'resync', ...rest])
  const said = log.lines.filter((line) => line.includes('behind'))
  t.same(said, [
    'uwas: warning: what listens to "flood" is 1000 notifications behind; they are dropped, and onResync is called',
  ])
  await stop()
})

t.test('who has ended does not get what waited for him', async (t) => {
  const db = await testDatabase(t)
  const seen: string[] = []
  let goOn = () => {}
  const first = new Promise<void>((resolve) => (goOn = resolve))
  const stop = await db.listen('x', (payload) => {
    seen.push(payload)
    return first
  })
  const other: string[] = []
  await db.listen('x', (payload) => other.push(payload))
  await notify(db, 'x', '1')
  await notify(db, 'x', '2')
  await until(() => other.length === 2)
  await stop()
  goOn()
  await notify(db, 'x', '3')
  await until(() => other.length === 3)
  t.same(seen, ['1'])
})

t.test('in a transaction it is sent with the commit, or never', async (t) => {
  const db = await testDatabase(t)
  const heard: string[] = []
  await db.listen('done', (payload) => heard.push(payload))
  await t.rejects(
    atomic(db, async (tx) => {
      await notify(tx, 'done', 'undone')
      throw new Error('no')
    }),
    { message: 'no' },
  )
  await atomic(db, async (tx) => {
    await notify(tx, 'done', 'in it')
    await atomic(tx, (inner) => notify(inner, 'done', 'of a savepoint'))
    await atomic(tx, async (inner) => {
      await notify(inner, 'done', 'undone')
      throw new Error('no')
    }).catch(() => {})
    await runSql(db, "select pg_notify('done', 'meanwhile')")
    await until(() => heard.length === 1)
  })
  await until(() => heard.length === 3)
  t.same(heard, ['meanwhile', 'in it', 'of a savepoint'])
})

t.test(
  'names and payloads that PostgreSQL does not take are refused with the reason',
  async (t) => {
    const db = await testDatabase(t, '', { poolSize: 3 })
    const heard: string[] = []
    await db.listen('é'.repeat(31), (payload) => heard.push(payload))
    await notify(db, 'é'.repeat(31), `${'é'.repeat(3999)}x`)
    await until(() => heard.length === 1)
    t.equal(Buffer.byteLength(heard[0] ?? ''), 7999)
    const refusal = (message: string) => ({ code: 'UWAS_ERR_MODEL_LISTEN', status: 500, message })
    const name = "a channel's name has 1 to 63 bytes, none of them NUL"
    await t.rejects(
      notify(db, 'x', 'é'.repeat(4000)),
      refusal(
        'notifying "x" cannot be done: the payload has 8000 bytes, and at most 7999 can be sent: send a key, and let them read the rest',
      ),
    )
    await t.rejects(
      notify(db, 'x', 'a\0b'),
      refusal('notifying "x" cannot be done: the payload has a NUL character'),
    )
    const lone = 'has half a surrogate pair, which is no character'
    await t.rejects(
      notify(db, 'x', 'a\ud83d'),
      refusal(`notifying "x" cannot be done: the payload ${lone}`),
    )
    await t.rejects(
      notify(db, '\udc00b'),
      refusal(`notifying "\ufffdb" cannot be done: the channel's name ${lone}`),
    )
    await t.rejects(
      db.listen('\udc00b', () => {}),
      refusal(`listening to "\ufffdb" cannot be done: the channel's name ${lone}`),
    )
    for (const channel of ['', 'é'.repeat(32), 'a\0']) {
      await t.rejects(
        db.listen(channel, () => {}),
        refusal(`listening to "${channel}" cannot be done: ${name}`),
      )
      await t.rejects(
        notify(db, channel),
        refusal(`notifying "${channel}" cannot be done: ${name}`),
      )
    }
    await t.rejects(
      db.listen('x', () => {}, { onresync: () => {} } as object),
      refusal('listening to "x" cannot be done: there is no option "onresync"'),
    )
    await t.rejects(
      db.listen('x', 'y' as never),
      refusal('listening to "x" cannot be done: a handler is not a function'),
    )
    const small = await testDatabase(t, '', { poolSize: 2 })
    await t.rejects(
      small.listen('x', () => {}),
      refusal(
        'listening cannot be done: it takes one connection, and database.poolSize leaves no other; 3 is enough',
      ),
    )
  },
)

t.test('a signal ends it, and its connection goes back to the others', async (t) => {
  const db = await testDatabase(t, '', { poolSize: 4 })
  const hold = () => {
    let release = () => {}
    const held = atomic(db, () => new Promise<void>((resolve) => (release = resolve)))
    return { held, release: () => release() }
  }
  const first = new AbortController()
  const second = new AbortController()
  const heard: string[] = []
  await db.listen('a', (payload) => heard.push(payload), { signal: first.signal })
  await db.listen('b', (payload) => heard.push(payload), { signal: second.signal })
  const holder = hold()
  await until(() => db.stats.inUse === 1)
  const waiting = atomic(db, async () => 'had its turn')
  await until(() => db.stats.waiting === 1)
  t.ok((await sessions(db)) <= 4, 'the budget holds')
  first.abort()
  await notify(db, 'a', 'not any more')
  await notify(db, 'b', 'still')
  await until(() => heard.length === 1)
  t.same(heard, ['still'])
  t.equal(db.stats.waiting, 1)
  second.abort()
  t.equal(await waiting, 'had its turn', 'while the other still holds its own')
  holder.release()
  await holder.held
  await t.rejects(
    db.listen('a', () => {}, { signal: AbortSignal.abort(new Error('before')) }),
    { message: 'before' },
  )
  const during = new AbortController()
  const starting = db.listen('a', () => {}, { signal: during.signal })
  during.abort(new Error('during'))
  await t.rejects(starting, { message: 'during' })
  await until(async () => (await runSql(db, LISTENING)).length === 0)
})

t.test('a lost connection is made again, and who depends on it is told', async (t) => {
  const log = keepLog()
  const db = await testDatabase(t, '', { log })
  const heard: string[] = []
  const onResync = () => {
    heard.push('resync')
    throw new Error('of resync')
  }
  await db.listen('a', (payload) => heard.push(payload), { onResync })
  await db.listen('b', (payload) => heard.push(payload))
  for (const round of [1, 2, 3]) {
    await notify(db, 'a', `before ${round}`)
    await until(() => heard.length === 1)
    await runSql(db, KILL)
    await until(() => heard.length === 2)
    await notify(db, 'b', 'after')
    await until(() => heard.length === 3)
    t.same(heard.splice(0), [`before ${round}`, 'resync', 'after'])
  }
  const said = log.lines.join('\n')
  t.match(said, /the connection that listens at .* was lost; what is sent now is not heard/)
  t.match(said, /listening at .* again/)
  t.match(said, /what listens to "a" has failed[\s\S]*of resync/)
  await runSql(db, KILL)
  await db.close()
  t.equal(db.stats.open, 0, 'nothing is made for one that is closed')
})

t.test('it outlives a PostgreSQL that is killed and started again', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'uwas-listen-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const log = keepLog()
  await copyFreshData(dir)
  const server = await startEmbeddedPostgres({ dir, log })
  t.teardown(() => server.stop())
  const db = createDatabase({ url: server.url, log })
  t.teardown(() => db.close())
  const heard: string[] = []
  const onResync = () => heard.push('resync')
  await db.listen('a', (payload) => heard.push(payload), { onResync })
  const victim = server.pid
  process.kill(victim, 'SIGKILL')
  await until(() => server.pid !== victim)
  await until(() => heard.length > 0)
  const sent = () =>
    notify(db, 'a', 'after').then(
      () => true,
      () => false,
    )
  await until(sent)
  await until(() => heard.includes('after'))
  t.equal(heard[0], 'resync')
  const away = createDatabase({ url: 'postgres://a@localhost/b?host=/nowhere', log: keepLog() })
  await t.rejects(
    away.listen('a', () => {}),
    { code: 'UWAS_ERR_MODEL_UNAVAILABLE', status: 503 },
  )
  t.equal(away.stats.open, 0)
  await away.close()
})

t.test('closing does not wait for a PostgreSQL that has stopped answering', async (t) => {
  const { url, freeze, parts } = await proxied(t)
  const db = createDatabase({ url, log: keepLog() })
  await db.listen('first', () => {})
  parts()
  freeze()
  const second = db.listen('second', () => {})
  second.catch(() => {})
  await until(() => parts() > 0)
  await db.close()
  await t.rejects(second, { code: 'UWAS_ERR_MODEL_UNAVAILABLE' })
})
