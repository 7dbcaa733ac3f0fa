import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { cache } from '../../src/cache/cache.ts'
import { json } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { atomic } from '../../src/model/atomic.ts'
import { createDatabase } from '../../src/model/database.ts'
import { statement } from '../../src/model/statement.ts'
import * as pg from '../../src/model/types.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { keepLog, runSql, testDatabaseUrl } from '../support/postgres.ts'
import { siteOf } from '../support/serving.ts'

const KEYS = 5
const WRITERS = 8
const READERS = 16
const WRITES_EACH = 40

const read = statement('history: read', {
  params: { k: pg.int },
  row: { n: pg.int },
  sql: 'select n from counters where k = $1',
})
const sum = statement('history: sum', {
  row: { n: pg.int },
  sql: 'select sum(n)::int as n from counters',
})
const bump = statement('history: bump', {
  params: { k: pg.int },
  row: { n: pg.int },
  sql: 'update counters set n = n + 1 where k = $1 returning n',
})

/** A pause of 0 to 3 ms at a place of the test's own choosing, so that everything meets everything. */
const jitter = () => sleep(Math.random() * 3)

async function one(req: Request<{ k: number }>) {
  const { k } = req.params
  req.dependsOn(`counter:${k}`)
  const row = await read.one(req, { k })
  await jitter()
  return json(row.n)
}

async function all(req: Request) {
  const row = await cache(req).remember('sum', { tags: ['counters'] }, async () => {
    const found = await sum.one(req)
    await jitter()
    return found
  })
  return json(row.n)
}

async function add(req: Request<{ k: number }>) {
  const { k } = req.params
  const n = await atomic(req, async (tx) => {
    const row = await bump.one(tx, { k })
    tx.onCommit(() => cache(req).invalidate(`counter:${k}`, 'counters'))
    await jitter()
    if (Math.random() < 0.1) throw new RangeError('rolled back')
    return row.n
  }).catch((error: unknown) => {
    if (error instanceof RangeError) return null
    throw error
  })
  return json(n)
}

const cached = { seconds: 0.05, staleSeconds: 60, graceSeconds: 60 }
const urls = urlconf(
  path('/counters/<int:k>', { get: one, post: add }, { cached }),
  path('/sum', all, { cached }),
)

t.test('no reply is older than what was committed before its request', async (t) => {
  const url = await testDatabaseUrl()
  const db = createDatabase({ url, log: keepLog() })
  await runSql(db, `create table counters (k int primary key, n int not null)`)
  await runSql(db, `insert into counters select k, 0 from generate_series(1, ${KEYS}) k`)
  await db.close()
  const { server, app } = await siteOf(t, { urls, database: url })
  const base = `http://127.0.0.1:${server.port}`
  /** What has been acknowledged: by counter, and in all. */
  const known = new Map<number, number>()
  let total = 0
  let hits = 0
  let isOver = false
  const failures: string[] = []

  async function write(): Promise<void> {
    for (let i = 0; i < WRITES_EACH; i++) {
      const k = 1 + Math.floor(Math.random() * KEYS)
      const response = await fetch(`${base}/counters/${k}`, { method: 'POST' })
      const n = (await response.json()) as number | null
      if (n === null) continue
      known.set(k, Math.max(n, known.get(k) ?? 0))
      total++
      if (Math.random() < 0.3) await jitter()
    }
  }

  async function look(): Promise<void> {
    while (!isOver) {
      const k = 1 + Math.floor(Math.random() * KEYS)
      const isSum = Math.random() < 0.3
      const least = isSum ? total : (known.get(k) ?? 0)
      const response = await fetch(`${base}${isSum ? '/sum' : `/counters/${k}`}`)
      const n = (await response.json()) as number
      if (response.headers.get('cache-status') === 'uwas; hit') hits++
      if (n < least) failures.push(`${isSum ? 'sum' : k}: ${n} after ${least} was acknowledged`)
    }
  }

  const readers = Array.from({ length: READERS }, look)
  await Promise.all(Array.from({ length: WRITERS }, write))
  isOver = true
  await Promise.all(readers)
  t.strictSame(failures, [])
  t.ok(hits > 50, `${hits} pages were sent from the cache`)
  t.ok(total > 0)
  const end = await fetch(`${base}/sum`)
  t.equal(await end.json(), total, 'and in the end all of it is there')
  t.ok(cache(app).stats.values > 0)
})
