/** Waiting: after failures, until a renewal, and for another process that orders. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { identify } from '../../../../src/core/process-id.ts'
import {
  type Attempts,
  failed,
  nextAttemptMs,
  readAttempts,
  succeeded,
  writeAttempts,
} from '../../../../src/server/tls/acme/attempts.ts'
import { findAcmeClient } from '../../../../src/server/tls/acme/client.ts'
import { takeLock } from '../../../../src/server/tls/acme/lock.ts'
import { readIssued, renewalMs } from '../../../../src/server/tls/acme/renewal.ts'
import { openStore, removeOldChallenges } from '../../../../src/server/tls/acme/store.ts'
import type { SiteAcme } from '../../../../src/was/acme.ts'
import { authorityOf } from '../../../support/certificates.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

function placeOf(dir: string): SiteAcme {
  const authorityDir = join(dir, 'ca')
  const none = { email: null, caFile: null, externalAccount: null }
  return {
    ...none,
    directory: 'https://ca.test/',
    names: ['x.test'],
    keyType: 'ecdsa',
    dir,
    authorityDir,
    root: dir,
  }
}

t.test('failures wait for minutes, then hours: four in the first hour at most', async (t) => {
  for (let run = 0; run < 20; run++) {
    const times: number[] = []
    let now = 0
    let attempts: Attempts = { failures: 0, lastMs: 0, nextMs: 0 }
    for (let i = 0; i < 14; i++) {
      times.push(now)
      attempts = failed(attempts, now)
      t.equal(attempts.failures, i + 1)
      now = attempts.nextMs
    }
    t.ok((times[1] as number) >= 2 * MINUTE && (times[1] as number) <= 2.4 * MINUTE)
    for (const from of times) {
      const within = times.filter((one) => one >= from && one - from < HOUR)
      t.ok(within.length <= 5, `${within.length} in an hour from ${from}`)
    }
    const [before = 0, last = 0] = times.slice(-2)
    t.ok(last - before >= 12 * HOUR && last - before <= 14.4 * HOUR)
  }
})

t.test('a new start waits for a quarter of an hour at most, and not for less', async (t) => {
  const attempts = { failures: 9, lastMs: 1_000_000, nextMs: 1_000_000 + 12 * HOUR }
  t.equal(nextAttemptMs(attempts, 999_999), attempts.nextMs, 'failed since the start')
  t.equal(nextAttemptMs(attempts, 1_000_001), 1_000_000 + 15 * MINUTE)
  const soon = { ...attempts, nextMs: 1_000_000 + 2 * MINUTE }
  t.equal(nextAttemptMs(soon, 1_000_001), soon.nextMs)
  const done = succeeded(5_000_000)
  t.equal(done.failures, 0)
  t.equal(nextAttemptMs(done, 1), 5_000_000 + HOUR, 'an authority of short ones is not hammered')
})

t.test('what has failed is kept; what cannot be read counts as nothing', async (t) => {
  const acme = placeOf(join(t.testdir({}), 'acme'))
  await openStore(acme)
  t.strictSame(await readAttempts(acme, 'x.test'), { failures: 0, lastMs: 0, nextMs: 0 })
  const attempts = { failures: 2, lastMs: 5, nextMs: 9.5 }
  await writeAttempts(acme, 'x.test', attempts)
  t.strictSame(await readAttempts(acme, 'x.test'), attempts)
  t.strictSame(readdirSync(acme.authorityDir), ['x.test.attempts.json'], 'nothing temporary')
  const file = join(acme.authorityDir, 'x.test.attempts.json')
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.equal(statSync(acme.dir).mode & 0o777, 0o700)
  for (const broken of ['', '{', '{"failures":"many"}', 'null']) {
    writeFileSync(file, broken)
    t.equal((await readAttempts(acme, 'x.test')).failures, 0, broken)
  }
})

t.test('it is renewed when a third of its life is left, or a little later', async (t) => {
  const authority = authorityOf(t)
  const own = authority.issue('own', ['x.test'], { from: -30, to: 60 })
  const pem = `${own.key}${readFileSync(own.certFile, 'utf8')}`
  const issued = readIssued(pem, 'x.test')
  const now = Date.now()
  const days = (jitter: number) => (renewalMs(issued, jitter, now) - now) / DAY
  t.ok(Math.abs(days(0) - 30) < 0.01, `${days(0)}`)
  t.ok(Math.abs(days(1) - 33) < 0.01, `${days(1)}`)
  t.equal(readIssued(pem, 'y.test'), null)
  t.equal(renewalMs(null, 0.5, now), 0)
  t.equal(renewalMs(issued, 0.5, now + 61 * DAY), 0, 'it has expired')
  for (const broken of [null, '', 'nonsense', own.key]) t.equal(readIssued(broken, 'x.test'), null)
})

t.test('one process has the lock; one that has gone loses it', async (t) => {
  const file = join(t.testdir({}), 'lock')
  const release = await takeLock(file)
  t.not(release, null)
  t.equal(await takeLock(file), null)
  await release?.()
  const again = await takeLock(file)
  t.not(again, null, 'it was given back')
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const other = identify(child.pid as number)
  const told = JSON.stringify({ host: hostname(), ...other })
  writeFileSync(file, told)
  await again?.()
  t.equal(readFileSync(file, 'utf8'), told, 'that of another process is left alone')
  t.equal(await takeLock(file), null, 'it runs')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const third = await takeLock(file)
  t.not(third, null, 'it has gone')
  await third?.()
  writeFileSync(file, JSON.stringify({ ...other, host: 'elsewhere' }))
  t.equal(await takeLock(file), null, 'nobody knows of another machine')
  const old = new Date(Date.now() - HOUR)
  utimesSync(file, old, old)
  t.not(await takeLock(file), null, 'no order takes so long')
})

t.test('answers that a killed process has left go, open ones stay', async (t) => {
  const acme = placeOf(join(t.testdir({}), 'acme'))
  await openStore(acme)
  const [left, open] = ['left', 'open'].map((one) => join(acme.dir, 'challenges', one))
  for (const one of [left, open]) writeFileSync(one as string, 'proof')
  const old = new Date(Date.now() - 2 * HOUR)
  utimesSync(left as string, old, old)
  await removeOldChallenges(acme)
  t.strictSame(readdirSync(join(acme.dir, 'challenges')), ['open'])
})

t.test('a folder that cannot be, and a library that is not there, are told', async (t) => {
  const dir = t.testdir({ file: '' })
  await t.rejects(openStore(placeOf(join(dir, 'file/acme'))), {
    code: 'UWAS_ERR_SERVER_ACME_STATE',
    message: /^tls\.acme: the account .* kept in \S+\/file\/acme, which cannot be used: ENOTDIR/,
  })
  t.match(findAcmeClient('/nowhere'), /acme-client/, 'beside uwas')
  t.throws(() => findAcmeClient('/nowhere', '/nowhere/either.js'), {
    code: 'UWAS_ERR_SERVER_ACME_CLIENT',
    message:
      'tls.acme needs the package acme-client, which is not installed: npm install acme-client (in /nowhere)',
  })
})
