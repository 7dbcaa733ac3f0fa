/**
 * Many clients send points at once and try again, while connections of the server are killed. A checker reads what
 * they were told and what is in the database: nothing told as done is missing, nothing is done twice, the sum stays.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createDatabase, type Database } from '../../src/model/database.ts'
import { startDemo } from '../support/demo.ts'
import { keepLog, runSql, testDatabaseUrl } from '../support/postgres.ts'

const MEMBERS = 6
const CLIENTS = 8
const TRANSFERS = 12
const START_POINTS = 100
const MAX_TRIES = 200
const PASSWORD = 'two lamps and a kettle'

t.setTimeout(300_000)

const url = await testDatabaseUrl()
const site = await startDemo({ DATABASE_URL: url })
const database: Database = createDatabase({ url, log: keepLog() })
t.teardown(() => database.close())

/** A browser without pictures: cookies, forms with their hidden fields, no redirects followed. */
function browserOf() {
  const jar = new Map<string, string>()
  async function ask(path: string, form?: URLSearchParams) {
    const reply = await fetch(site + path, {
      method: form === undefined ? 'GET' : 'POST',
      redirect: 'manual',
      headers: { cookie: [...jar].map((pair) => pair.join('=')).join('; ') },
      ...(form === undefined ? {} : { body: form }),
    })
    for (const set of reply.headers.getSetCookie()) {
      const [pair = ''] = set.split(';', 1)
      const at = pair.indexOf('=')
      jar.set(pair.slice(0, at), pair.slice(at + 1))
    }
    return { status: reply.status, page: await reply.text() }
  }
  /** The page's hidden fields with `values`; undefined while the site has none to give. */
  async function formOf(path: string, values: Record<string, string>) {
    const { status, page } = await ask(path)
    if (status !== 200) return undefined
    const hidden = [...page.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)]
    const form = new URLSearchParams()
    for (const [, name = '', value = ''] of hidden) form.set(name, value)
    for (const [name, value] of Object.entries(values)) form.set(name, value)
    return form
  }
  return { ask, formOf }
}

async function member(name: string) {
  const browser = browserOf()
  const form = await browser.formOf('/sign-up', { name, password: PASSWORD })
  const { status } = await browser.ask('/sign-up', form)
  if (status !== 303) throw new Error(`${name} could not sign up: ${status}`)
  return { name, ...browser }
}

type Person = Awaited<ReturnType<typeof member>>

interface Told {
  readonly token: string
  readonly status: number
  readonly amount: number
  readonly tries: number
}

t.test('no point is lost or made, whatever is killed between', async (t) => {
  const people: Person[] = []
  for (let i = 0; i < MEMBERS; i++) people.push(await member(`member${i}`))
  const history: Told[] = []
  let kills = 0
  let isOver = false

  /** Sends one form until the site says what became of it. */
  async function transfer(index: number, seed: number): Promise<void> {
    const from = people[seed % MEMBERS] as Person
    const to = people[(seed + 1 + (index % (MEMBERS - 1))) % MEMBERS] as Person
    const amount = 1 + ((index * 7 + seed) % 40)
    let form: URLSearchParams | undefined
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      form ??= await from.formOf('/points', { to: to.name, amount: String(amount) })
      const status = form === undefined ? 503 : (await from.ask('/points', form)).status
      if (status === 303 || status === 422) {
        history.push({ token: form?.get('token') ?? '', status, amount, tries })
        return
      }
      if (status !== 503) throw new Error(`a transfer was answered with ${status}`)
      await sleep(20)
    }
    throw new Error('a transfer was not answered in all its tries')
  }

  const killing = (async () => {
    while (!isOver) {
      await sleep(20 + Math.random() * 60)
      const rows = await runSql(
        database,
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
         order by random() limit 1`,
      ).catch(() => [])
      kills += rows.length
    }
  })()
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, seed) => {
      for (let index = 0; index < TRANSFERS; index++) await transfer(index, seed)
    }),
  )
  isOver = true
  await killing

  const [sum] = await runSql(
    database,
    'select sum(points), min(points) >= 0, count(*) from members',
  )
  t.strictSame(sum, [String(MEMBERS * START_POINTS), 't', String(MEMBERS)])
  const unequal = await runSql(
    database,
    `select user_id from members m where points <> ${START_POINTS}
       + coalesce((select sum(amount) from transfers where to_id = m.user_id), 0)
       - coalesce((select sum(amount) from transfers where from_id = m.user_id), 0)`,
  )
  t.strictSame(unequal, [], 'each balance is what the ledger says')
  const [ledger] = await runSql(
    database,
    'select count(*), coalesce(sum(amount), 0) from transfers',
  )
  const done = history.filter(({ status }) => status === 303)
  t.equal(history.length, CLIENTS * TRANSFERS, 'each was told what became of it')
  t.equal(new Set(history.map(({ token }) => token)).size, history.length)
  t.equal(
    Number(ledger?.[0]),
    done.length,
    'what was told as done is done, once, and nothing else is',
  )
  t.equal(
    Number(ledger?.[1]),
    done.reduce((total, { amount }) => total + amount, 0),
  )
  t.ok(done.length > 0 && kills > 0, `${done.length} done, ${kills} connections killed`)
  t.comment(
    `${done.length} done, ${history.length - done.length} refused, ${kills} connections killed, ` +
      `${history.filter(({ tries }) => tries > 1).length} sent again`,
  )
})
