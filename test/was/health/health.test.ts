import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Services } from '../../../src/core/services.ts'
import { HttpError } from '../../../src/http/http-error.ts'
import { text } from '../../../src/http/reply.ts'
import { DATABASE } from '../../../src/model/database.ts'
import { startEmbeddedPostgres } from '../../../src/model/embedded.ts'
import { path, urlconf } from '../../../src/route/urlconf.ts'
import { parseConfig, type UserConfig } from '../../../src/was/config.ts'
import { BoundedCheck } from '../../../src/was/health/check.ts'
import type { HealthContext } from '../../../src/was/health/options.ts'
import { folder } from '../../support/binary.ts'
import { copyFreshData } from '../../support/fresh-data.ts'
import { keepLog, runSql, testDatabaseUrl } from '../../support/postgres.ts'
import { dial, type RawResponse } from '../../support/raw.ts'
import { siteOf, type TestSite } from '../../support/serving.ts'

const urls = urlconf(path('/', () => text('home')))

async function told(site: TestSite, target: string): Promise<[number, unknown]> {
  const { status, body } = await site.ask(target)
  return [status, JSON.parse(String(body))]
}

/** Asks again until `isRight`, a bounded number of times. */
async function eventually(ask: () => Promise<RawResponse>, status: number): Promise<RawResponse> {
  for (let i = 0; ; i++) {
    const reply = await ask()
    if (reply.status === status || i === 600) return reply
    await sleep(50)
  }
}

function sees(config: UserConfig) {
  return parseConfig(config, { file: '/site/uwas.config.ts', env: {} }).health
}

t.test(
  'a site without a database is alive and ready, in small JSON that nobody keeps',
  async (t) => {
    const site = await siteOf(t, { urls })
    t.strictSame(await told(site, '/healthz'), [200, { status: 'alive' }])
    t.strictSame(await told(site, '/readyz?x=1'), [200, { status: 'ready', checks: {} }])
    const { headers } = await site.ask('/readyz')
    t.match(headers, { 'cache-control': 'no-store', 'content-type': 'application/json' })
    t.notOk('etag' in headers)
    const head = await site.ask('/readyz', [], 'HEAD')
    t.match(head, { status: 200, headers: { 'content-length': '30' } })
    t.equal(head.body.length, 0)
    const post = await site.ask('/healthz', ['Content-Length: 0'], 'POST')
    t.match(post, { status: 405, headers: { allow: 'GET, HEAD, OPTIONS' } })
    t.match(await site.ask('/healthz', [], 'OPTIONS'), { status: 204 })
    t.equal((await site.ask('/healthz/')).status, 404)
  },
)

t.test('it is there where the site has urls, under the names that it says, or not', async (t) => {
  t.equal(sees({ static: 'a' }), null)
  t.equal(sees({ urls, health: false }), null)
  t.match(sees({ static: 'a', health: {} }), { alivePath: '/healthz', timeoutMs: 2000 })
  const off = await siteOf(t, { urls, health: false })
  t.equal((await off.ask('/healthz')).status, 404)
  const moved = await siteOf(t, { urls, health: { alivePath: '/-/live', readyPath: '/-/ready' } })
  t.strictSame(await told(moved, '/-/live'), [200, { status: 'alive' }])
  t.match(await told(moved, '/-/ready'), [200, { status: 'ready' }])
  t.equal((await moved.ask('/readyz')).status, 404)
})

t.test('mistakes in its configuration are told by their place', async (t) => {
  const refused = (health: unknown, problem: string) =>
    t.throws(() => sees({ urls, health } as UserConfig), {
      code: 'UWAS_ERR_WAS_CONFIG',
      message: new RegExp(problem.replace(/[?()[\]{}]/g, '\\$&')),
    })
  refused({ alivePth: '/a' }, 'unknown key "health.alivePth"; did you mean "alivePath"?')
  refused({ readyPath: 'ready' }, 'health.readyPath is no plain path like /healthz')
  refused({ readyPath: '/../a' }, 'health.readyPath is no plain path')
  refused({ readyPath: '/healthz' }, 'alivePath and health.readyPath are both /healthz')
  refused({ timeoutMs: 0 }, 'health.timeoutMs is 0; it has to be at least 1')
  refused({ checks: { mail: 1 } }, 'health.checks.mail is not a function')
  refused({ checks: { database: () => true } }, 'health.checks.database is a check of uwas itself')
  refused(true, 'health is true; it has to be { alivePath, readyPath, timeoutMs, checks } or false')
})

t.test('a route or a file of the site comes first, whatever its method or spelling', async (t) => {
  const own = await siteOf(t, { urls: urlconf(path('/readyz', () => text('mine'))) })
  t.equal(String((await own.ask('/readyz')).body), 'mine')
  t.equal((await own.ask('/healthz')).status, 200)
  const all = await siteOf(t, { urls: urlconf(path('/<path:rest>', () => text('all'))) })
  t.equal(String((await all.ask('/healthz')).body), 'all')
  const posts = { post: () => text('posted') }
  const post = await siteOf(t, { urls: urlconf(path('/readyz', posts)) })
  t.equal((await post.ask('/readyz')).status, 405)
  const slash = await siteOf(t, { urls: urlconf(path('/readyz/', () => text('mine'))) })
  t.equal((await slash.ask('/readyz')).status, 308)
  const dir = folder(t, { healthz: 'a file', 'index.html': 'spa' })
  const file = await siteOf(t, { urls, static: [{ dir, spa: true }] })
  t.equal(String((await file.ask('/healthz')).body), 'a file')
  const ready = await file.ask('/readyz', ['Accept: text/html'])
  t.equal(ready.headers['content-type'], 'application/json', 'a fallback is no file of its name')
})

t.test(
  'neither middleware nor allowedHosts stands before it; all else stays refused',
  async (t) => {
    const refuse = () => {
      throw new HttpError(403)
    }
    const config = { urls, middleware: [refuse], allowedHosts: ['example.org'] }
    const site = await siteOf(t, config)
    const by = async (target: string, host: string) =>
      (await site.ask(target, [`Host: ${host}`])).status
    t.equal(await by('/', 'example.org'), 403)
    for (const host of ['127.0.0.1', '[::1]:80', 'evil.example', 'example.org']) {
      t.equal(await by('/healthz', host), 200, host)
      t.equal(await by('/readyz?a', host), 200, host)
    }
    for (const target of ['/', '/readyz/', '/%72eadyz', '/healthz/../', '//readyz', '/x?/readyz']) {
      t.equal(await by(target, 'evil.example'), 421, target)
    }
    const chunked = ['Host: evil.example', 'Transfer-Encoding: chunked']
    t.equal((await site.ask('/', chunked)).status, 421, 'the strict lane too')
    t.equal((await site.ask('http://10.0.0.1/healthz', ['Host: 10.0.0.1'])).status, 200)
  },
)

t.test('what is the site’s own at these paths stays refused for other hosts', async (t) => {
  const dir = folder(t, { healthz: 'secret' })
  const site = await siteOf(t, {
    urls,
    static: dir,
    redirects: [{ from: '/readyz', to: '/secret', status: 307 }],
    allowedHosts: ['example.org'],
  })
  for (const target of ['/healthz', '/readyz']) {
    t.equal((await site.ask(target, ['Host: evil.example'])).status, 421, target)
  }
  t.equal((await site.ask('/readyz', ['Host: example.org'])).status, 307)
})

t.test(
  'checks of the site: one that fails or hangs is named, and nothing of it told',
  async (t) => {
    let isBroken = true
    const signals: AbortSignal[] = []
    const site = await siteOf(t, {
      urls,
      health: {
        timeoutMs: 50,
        checks: {
          fine: () => undefined,
          mail: async () => {
            if (isBroken) throw new Error('password hunter2 refused')
          },
          queue: () => !isBroken,
          hung({ signal }: HealthContext) {
            signals.push(signal)
            return isBroken ? new Promise(() => {}) : true
          },
        },
      },
    })
    const failed = { fine: 'ok', mail: 'failed', queue: 'failed', hung: 'failed' }
    const unready = [503, { status: 'unready', checks: failed }]
    const together = Array.from({ length: 20 }, () => told(site, '/readyz'))
    for (const each of await Promise.all(together)) t.strictSame(each, unready)
    t.equal(signals[0]?.aborted, true)
    t.strictSame(await told(site, '/readyz'), unready)
    t.strictSame(await told(site, '/healthz'), [200, { status: 'alive' }])
    const lines = site.log.filter((line) => line.includes('not ready'))
    t.equal(lines.length, 3, 'each is told once')
    t.match(lines.join('\n'), 'not ready: the check "mail" fails: Error: password hunter2 refused')
    t.match(lines.join('\n'), 'the check "hung" fails: it has taken longer than 50 ms')
    t.match(lines.join('\n'), 'the check "queue" fails: it gave false')
    isBroken = false
    const well = { fine: 'ok', mail: 'ok', queue: 'ok', hung: 'ok' }
    t.strictSame(await told(site, '/readyz'), [200, { status: 'ready', checks: well }])
    t.equal(site.log.filter((line) => line.includes('is well again')).length, 3)
  },
)

t.test('who asks at the same time waits for the same run of a check', async (t) => {
  let runs = 0
  let end = (_isWell: boolean): void => {}
  const check = () => {
    runs++
    return new Promise<boolean>((resolve) => {
      end = resolve
    })
  }
  const options = { check, timeoutMs: 60_000, services: new Services(), log: keepLog() }
  const bounded = new BoundedCheck('one', options)
  const asked = [bounded.run(), bounded.run(), bounded.run()]
  end(true)
  t.strictSame(await Promise.all(asked), [true, true, true])
  t.equal(runs, 1)
  const again = bounded.run()
  end(false)
  t.strictSame([await again, runs], [false, 2])
})

t.test('PostgreSQL stops, hangs and comes back: ready no more, alive all the time', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'uwas-health-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const options = { dir, log: keepLog(), unsafeFast: true }
  await copyFreshData(dir)
  let server = await startEmbeddedPostgres(options)
  t.teardown(() => server.stop())
  const site = await siteOf(t, { urls, database: server.url, health: { timeoutMs: 1000 } })
  const ready = () => site.ask('/readyz')
  t.strictSame(await told(site, '/readyz'), [200, { status: 'ready', checks: { database: 'ok' } }])
  await server.stop()
  const stopped = await ready()
  t.equal(stopped.status, 503)
  t.strictSame(JSON.parse(String(stopped.body)), {
    status: 'unready',
    checks: { database: 'failed' },
  })
  t.equal((await site.ask('/healthz')).status, 200)
  server = await startEmbeddedPostgres(options)
  t.equal((await eventually(ready, 200)).status, 200, 'it recovers by itself')

  const pids = await runSql(
    site.app.services.get(DATABASE),
    "select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
  )
  t.ok(pids.length > 0)
  for (const [pid] of pids) process.kill(Number(pid), 'SIGSTOP')
  const hung = await ready()
  for (const [pid] of pids) process.kill(Number(pid), 'SIGCONT')
  t.equal(hung.status, 503, 'a database that hangs is waited for a bounded time')
  t.equal((await eventually(ready, 200)).status, 200)
})

t.test('a database without all migrations is not ready; one of a newer site is', async (t) => {
  const dir = folder(t, {
    '0001_a.sql': 'create table a (x int)',
    '0002_b.sql': 'create table b (x int)',
  })
  const site = await siteOf(t, { urls, migrations: dir, database: await testDatabaseUrl() })
  const sql = (text: string) => runSql(site.app.services.get(DATABASE), text)
  const ready = async () => told(site, '/readyz')
  const ok = { database: 'ok', migrations: 'ok' }
  const failed = { database: 'ok', migrations: 'failed' }
  t.strictSame(await ready(), [200, { status: 'ready', checks: ok }])
  await sql("delete from uwas_migrations where name = '0002_b'")
  t.strictSame(await ready(), [503, { status: 'unready', checks: failed }])
  await sql("insert into uwas_migrations (name, checksum) values ('0003_all', 'x')")
  t.strictSame(await ready(), [200, { status: 'ready', checks: ok }])
  await sql('drop table uwas_migrations')
  t.strictSame(await ready(), [503, { status: 'unready', checks: failed }])
})

t.test('from the first moment of stopping it is not ready, and still alive', async (t) => {
  let release = (): void => {}
  let hasBegun = (): void => {}
  const begun = new Promise<void>((resolve) => {
    hasBegun = resolve
  })
  const slow = () =>
    new Promise<ReturnType<typeof text>>((resolve) => {
      release = () => resolve(text('done'))
      hasBegun()
    })
  const site = await siteOf(t, { urls: urlconf(path('/slow', slow)) })
  const pending = site.ask('/slow')
  const kept = await Promise.all([keepOpen(t, site), keepOpen(t, site)])
  await begun
  const closed = site.server.close({ graceMs: 5000 })
  const [ready, alive] = await Promise.all([kept[0]('/readyz'), kept[1]('/healthz')])
  t.match(ready, /^HTTP\/1\.1 503 .*\{"status":"draining"\}$/s)
  t.match(alive, /^HTTP\/1\.1 200 .*\{"status":"alive"\}$/s)
  release()
  t.equal(String((await pending).body), 'done')
  t.equal(await closed, 0)
})

/** A connection that has had a reply and is kept alive; gives what asks on it. */
async function keepOpen(t: Test, site: TestSite): Promise<(target: string) => Promise<string>> {
  const socket = await dial(site.server.port)
  t.teardown(() => socket.destroy())
  const ask = (target: string) =>
    new Promise<string>((resolve) => {
      let all = ''
      const read = (chunk: Buffer): void => {
        all += String(chunk)
        if (!all.trimEnd().endsWith('}')) return
        socket.off('data', read)
        resolve(all)
      }
      socket.on('data', read).on('close', () => resolve(all))
      socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
    })
  await ask('/healthz')
  return ask
}
