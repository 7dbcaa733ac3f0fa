/** Two workers keep the same page; one of them changes what it was made of. */
import t from 'tap'
import { createDatabase } from '../../src/model/database.ts'
import { folder, serve } from '../support/binary.ts'
import { keepLog, runSql, testDatabaseUrl } from '../support/postgres.ts'
import { eventually, skipWithoutGate } from '../support/supervised.ts'

const SITE = `import { atomic, cache, path, pg, type Request, statement, text, urlconf } from 'uwas'

const read = statement('read', { row: { value: pg.int }, sql: 'select value from counter' })
const write = statement('write', { params: { value: pg.int }, sql: 'update counter set value = $1' })

async function page(req: Request) {
  const { value } = await read.one(req)
  return text(process.pid + ' ' + value)
}

async function set(req: Request<{ value: number }>) {
  await atomic(req, async (tx) => {
    await write.run(tx, req.params)
    tx.onCommit(() => cache(req).invalidate('counter'))
  })
  return text('set')
}

export const urls = urlconf(
  path('/', page, { cached: { seconds: 86_400, tags: ['counter'] } }),
  path('/set/<int:value>', set),
)
`

const CONFIG = `import { urls } from './urls.ts'
export const config = { urls, workers: 2, database: { poolSize: 4 } }
`

t.test(
  'a page that one worker invalidates is made anew by all',
  { skip: skipWithoutGate },
  async (t) => {
    const url = await testDatabaseUrl()
    const db = createDatabase({ url, log: keepLog() })
    await runSql(db, 'create table counter (value int); insert into counter values (0)')
    await db.close()
    const cwd = folder(t, { 'uwas.config.ts': CONFIG, 'urls.ts': SITE })
    const { port } = await serve(t, ['serve', '--port', '0'], { cwd, env: { DATABASE_URL: url } })
    const ask = async (path: string) => {
      const reply = await fetch(`http://127.0.0.1:${port}${path}`, {
        headers: { connection: 'close' },
      })
      return { text: await reply.text(), cache: reply.headers.get('cache-status') ?? '' }
    }
    const kept = new Map<string, string>()
    /** Both keep a page, with this value. */
    const allKeep = (value: string) =>
      eventually(`both workers keep ${value}`, async () => {
        const { text, cache } = await ask('/')
        const [pid = '', found = ''] = text.split(' ')
        if (cache.includes('hit')) kept.set(pid, found)
        return kept.size === 2 && [...kept.values()].every((each) => each === value)
      })
    await allKeep('0')
    for (const value of ['1', '2', '3']) {
      await ask(`/set/${value}`)
      await allKeep(value)
    }
    t.equal(kept.size, 2)
  },
)
