/**
 * PostgreSQL is killed, stopped and starved while clients ask for files, for views with the database and without. A
 * record of all replies is read afterwards: only those that needed it failed, each with 503, and nothing was lost.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { isCodedError } from '../../src/core/errors.ts'
import { json, type Reply, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { atomic } from '../../src/model/atomic.ts'
import { createDatabase, DATABASE } from '../../src/model/database.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/model/embedded.ts'
import { statement } from '../../src/model/statement.ts'
import * as types from '../../src/model/types.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { copyFreshData } from '../support/fresh-data.ts'
import { keepLog, runSql, until } from '../support/postgres.ts'
import { siteOf } from '../support/serving.ts'

const POOL_SIZE = 6
const CLIENTS = 3
/** A client that waits for so long counts as one that hangs: the views' own time is two seconds. */
const HANGS_AFTER_MS = 60_000
const FREE = ['/style.css', '/plain'] as const
const NEEDY = ['/row', '/report', '/move'] as const

const read = statement('read', { row: { x: types.int }, sql: 'select x from moves', repeats: true })
const report = statement('report', {
  row: { x: types.int },
  sql: 'select x from moves',
  slow: true,
})
const move = statement('move', { sql: 'update moves set x = x + 1' })

async function moved(req: Request): Promise<Reply> {
  try {
    await atomic(req, (tx) => move.run(tx))
    return text('moved')
  } catch (error) {
    // Not to be tried again blindly, so without Retry-After.
    if (!isCodedError(error) || error.code !== 'UWAS_ERR_MODEL_COMMIT_UNKNOWN') throw error
    return text('unknown', { status: 503 })
  }
}

const urls = urlconf(
  path('/plain', () => text('plain')),
  path('/row', async (req) => json(await read.one(req))),
  path('/report', async (req) => json(await report.one(req))),
  path('/move', moved),
)

interface Told {
  readonly target: string
  readonly status: number
  readonly retryAfter: string | null
  readonly body: string
}

/** All processes of the server, the first of them last. */
function processesOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return [...children.filter((each) => each !== '').map(Number), pid]
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name)
    } catch {
      // It has ended meanwhile.
    }
  }
}

t.setTimeout(300_000)

const skip = existsSync('/proc/self/task') ? false : 'it finds the processes of PostgreSQL in /proc'

t.test(
  'an outage of PostgreSQL costs only those who need it, and each 503',
  { skip },
  async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'uwas-outage-'))
    t.teardown(() => rmSync(dir, { recursive: true, force: true }))
    mkdirSync(join(dir, 'public'))
    writeFileSync(join(dir, 'public', 'style.css'), 'body {}')
    await copyFreshData(join(dir, 'postgres'))
    const start = () => startEmbeddedPostgres({ dir: join(dir, 'postgres'), log: keepLog() })
    let server: EmbeddedPostgres = await start()
    t.teardown(() => server.stop())
    const observer = createDatabase({
      url: `${server.url}&application_name=observer`,
      log: keepLog(),
    })
    t.teardown(() => observer.close())
    await runSql(observer, 'create table moves (x int); insert into moves values (0)')
    const site = await siteOf(t, {
      urls,
      static: join(dir, 'public'),
      database: { url: server.url, poolSize: POOL_SIZE, connectTimeoutMs: 1000 },
      limits: { maxViewSeconds: 2 },
    })
    const db = site.app.services.get(DATABASE)

    let history: Told[] = []
    const all: Told[] = []
    let isOver = false
    const ask = async (target: string) => {
      while (!isOver) {
        const reply = await fetch(`http://127.0.0.1:${site.server.port}${target}`, {
          signal: AbortSignal.timeout(HANGS_AFTER_MS),
        })
        const retryAfter = reply.headers.get('retry-after')
        const told = { target, status: reply.status, retryAfter, body: await reply.text() }
        history.push(told)
        all.push(told)
        await sleep(10)
      }
    }
    let mostConnections = 0
    let mostOpen = 0
    const count = async () => {
      const counting = `select count(*) from pg_stat_activity
      where backend_type = 'client backend' and application_name = 'uwas'`
      while (!isOver) {
        const rows = await runSql(observer, counting).catch(() => [])
        mostConnections = Math.max(mostConnections, Number(rows[0]?.[0] ?? 0))
        mostOpen = Math.max(mostOpen, db.stats.open)
        await sleep(20)
      }
    }
    /** Waits until each of them has had so many such replies since the last call. */
    const each = async (targets: readonly string[], status: number, times: number) => {
      await until(() =>
        targets.every(
          (target) =>
            history.filter((told) => told.target === target && told.status === status).length >=
            times,
        ),
      )
    }
    const works = async () => {
      history = []
      await each([...FREE, ...NEEDY], 200, 5)
      history = []
    }

    // The whole budget is in use from the start: none is opened while the server cannot answer.
    let inside = 0
    await Promise.all(
      Array.from({ length: POOL_SIZE - 2 }, () =>
        atomic(db, async () => {
          inside++
          await until(() => inside === POOL_SIZE - 2)
        }),
      ),
    )
    t.equal(db.stats.open, POOL_SIZE)
    const clients = [...FREE, ...NEEDY].flatMap((target) =>
      Array.from({ length: CLIENTS }, () => ask(target)),
    )
    const work = Promise.all([...clients, count()])
    work.catch(() => {})
    try {
      await works()

      const victim = server.pid
      process.kill(victim, 'SIGKILL')
      await until(() => history.some(({ status }) => status === 503))
      await until(() => server.pid !== victim)
      await works()

      await server.stop()
      history = []
      await Promise.all([each(NEEDY, 503, 3), each(FREE, 200, 10)])
      server = await start()
      await works()

      const starved = processesOf(server.pid)
      signal(starved, 'SIGSTOP')
      try {
        await Promise.all([each(NEEDY, 503, 2), each(FREE, 200, 10)])
      } finally {
        signal(starved, 'SIGCONT')
      }
      await works()
    } finally {
      isOver = true
    }
    await work

    const free = all.filter(({ target }) => (FREE as readonly string[]).includes(target))
    t.same([...new Set(free.map(({ status }) => status))], [200], 'whoever needs no database')
    const needy = all.filter(({ target }) => (NEEDY as readonly string[]).includes(target))
    t.same([...new Set(needy.map(({ status }) => status))].sort(), [200, 503])
    const unknown = needy.filter(({ body }) => body === 'unknown')
    const failed = needy.filter((told) => told.status === 503 && !unknown.includes(told))
    t.same([...new Set(failed.map(({ retryAfter }) => retryAfter))], ['1'])
    t.ok(mostOpen > 0 && mostOpen <= POOL_SIZE, `${mostOpen} connections`)
    // A process of PostgreSQL that stands still does not see that its client has gone.
    t.ok(mostConnections > 0 && mostConnections <= 2 * POOL_SIZE, `${mostConnections} processes`)
    const done = needy.filter(({ body }) => body === 'moved').length
    const late = failed.filter(({ target }) => target === '/move').length
    const counted = Number((await runSql(observer, 'select x from moves'))[0]?.[0])
    t.ok(counted >= done, `${counted} moves, ${done} were told as done`)
    t.ok(counted <= done + unknown.length + late, 'and none of them twice')
  },
)
