import { userInfo } from 'node:os'
import t from 'tap'
import { parseDatabaseUrl, socketPath, socketUrl } from '../../src/model/url.ts'

t.test('reads the forms that libpq reads', (t) => {
  const full = parseDatabaseUrl('postgres://me:p%40ss%3A%2F@db.example:6432/site?sslmode=require')
  t.match(full, {
    host: 'db.example',
    port: 6432,
    user: 'me',
    password: 'p@ss:/',
    database: 'site',
    ssl: 'require',
    where: 'db.example:6432/site',
  })
  const me = userInfo().username
  t.match(parseDatabaseUrl('postgresql://'), {
    host: 'localhost',
    user: me,
    database: me,
    ssl: false,
  })
  t.match(parseDatabaseUrl('postgres://[::1]:5433/a'), { host: '::1', port: 5433 })
  for (const url of ['postgres:///a?host=/run/pg', 'postgres://%2Frun%2Fpg/a']) {
    const target = parseDatabaseUrl(url)
    t.match(target, { host: '/run/pg', database: 'a', where: '/run/pg (a)' })
    t.equal(socketPath(target), '/run/pg/.s.PGSQL.5432')
  }
  t.equal(socketPath(full), undefined)
  const odd = '/srv/한국 어/&=%'
  t.match(parseDatabaseUrl(socketUrl(odd, 'uwas', 'site')), { host: odd, user: 'uwas' })
  t.end()
})

t.test('what it cannot read is refused, and no part of it is quoted', (t) => {
  const cases: [string, RegExp][] = [
    ['mysql://me:hidden@h/d', /^the database URL cannot be read as a PostgreSQL URL; expected is/],
    ['postgres://me:hidden@a,b/d', /^the database URL must name one host and/],
    ['postgres://me:hidden@[bad/x', /^the database URL must name one host and/],
    ['postgres://me:hidden@h:0/d', /^the database URL has a port that is no port/],
    ['postgres://me:hidden%@h/d', /^the database URL has a % that begins no percent-encoding/],
    ['postgres://me:hidden@h/d?sslmod=x', /unknown parameter "sslmod"; did you mean "sslmode"\?/],
    ['postgres://me:hidden@h/d?sslmode=of', /has an unknown sslmode/],
  ]
  for (const [url, message] of cases) {
    t.throws(() => parseDatabaseUrl(url), { code: 'UWAS_ERR_MODEL_URL', message })
    try {
      parseDatabaseUrl(url)
    } catch (error) {
      t.notMatch((error as Error).stack, 'hidden')
    }
  }
  t.end()
})
