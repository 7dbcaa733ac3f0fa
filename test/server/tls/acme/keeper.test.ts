/** Certificates of a real small authority (Pebble): ordered, renewed, and what happens while it cannot give them. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { text } from '../../../../src/http/reply.ts'
import { AcmeChallenges } from '../../../../src/server/acme-challenges.ts'
import { takeLock } from '../../../../src/server/tls/acme/lock.ts'
import { challengesDir, openStore } from '../../../../src/server/tls/acme/store.ts'
import { freePort } from '../../../../src/supervisor/free-port.ts'
import { certificateFile, type SiteAcme } from '../../../../src/was/acme.ts'
import { serve } from '../../../support/application.ts'
import { authorityOf } from '../../../support/certificates.ts'
import { acmePlace, keep, keptCertificate, NAME } from '../../../support/keeper.ts'
import { NEEDS_PEBBLE, type PebbleOptions, startPebble } from '../../../support/pebble.ts'
import { eventually } from '../../../support/supervised.ts'
import { tlsOf } from '../../../support/tls.ts'

const authority = authorityOf(t)
const caFile = join(authority.dir, 'roots.pem')
writeFileSync(caFile, authority.root)
const pair = authority.issue('own', ['own.test'])

/** A server that answers challenges, and an authority that asks it. */
async function place(t: Test, more: Partial<SiteAcme> = {}, options: Partial<PebbleOptions> = {}) {
  const made = await acmePlace(t, { caFile, ...more })
  const httpPort = options.httpPort ?? (await answering(t, made))
  const pebble = await startPebble(t, authority, { ...options, httpPort })
  return { acme: { ...made, directory: pebble.directory }, pebble }
}

/** The port of a server. */
async function answering(t: Test, acme: SiteAcme): Promise<number> {
  const challenges = new AcmeChallenges(challengesDir(acme))
  const tls = await tlsOf([pair], { challenges })
  return (await serve(t, () => text('not yet', { status: 404 }), { tls })).port
}

const accounts = (output: string) => output.match(/There are now \d+ accounts/g)?.length ?? 0

t.test(
  'one account orders a certificate for each name, and nobody else reads them',
  NEEDS_PEBBLE,
  async (t) => {
    const names = [NAME, 'example.org']
    const { acme, pebble } = await place(t, { names })
    const { heard, keeper } = keep(t, acme)
    for (const name of names) await heard(new RegExp(`a certificate for ${name} has come`))
    for (const name of names) {
      t.equal(keptCertificate(acme, name).subjectAltName, `DNS:${name}`)
      t.match(keptCertificate(acme, name).issuer, /CN=Pebble Intermediate CA/)
      t.equal(keptCertificate(acme, name).publicKey.asymmetricKeyType, 'ec')
    }
    await keeper.close()
    for (const file of readdirSync(acme.authorityDir)) {
      t.equal(statSync(join(acme.authorityDir, file)).mode & 0o777, 0o600, file)
    }
    t.strictSame(readdirSync(challengesDir(acme)), [], 'no answer is left')
    t.notOk(existsSync(join(acme.dir, 'lock')))
    t.equal(accounts(pebble.output()), 1)
    rmSync(certificateFile(acme, NAME))
    rmSync(join(acme.authorityDir, `${NAME}.attempts.json`))
    const next = keep(t, acme)
    await next.heard(/has come/)
    t.equal(accounts(pebble.output()), 1, 'the account is used again')
    t.equal(next.lines.length, 1, 'and the other certificate left alone')
  },
)

t.test('RSA keys, and an authority that wants to know who asks', NEEDS_PEBBLE, async (t) => {
  const hmacKey = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W'
  const externalAccount = { keyId: 'kid-1', hmacKey }
  const externalAccounts = { 'kid-1': hmacKey }
  const { acme } = await place(
    t,
    { keyType: 'rsa', externalAccount, email: 'admin@example.org' },
    { externalAccounts },
  )
  const { heard } = keep(t, acme)
  await heard(/has come/)
  t.strictSame(keptCertificate(acme).publicKey.asymmetricKeyDetails?.modulusLength, 2048)
  const stranger = { ...acme, externalAccount: null, authorityDir: join(acme.dir, 'stranger') }
  await openStore(stranger)
  const { heard: hears, lines } = keep(t, stranger)
  await hears(/externalAccountBinding|external account binding/i)
  t.match(lines, [/^uwas: error: no certificate for www\.example\.org from https:.*tried again/])
})

t.test('a certificate is renewed in time, not before', NEEDS_PEBBLE, async (t) => {
  const { acme } = await place(t)
  const put = (from: number, to: number) => {
    const { certFile, key } = authority.issue('before', [NAME], { from, to })
    writeFileSync(certificateFile(acme, NAME), `${key}${readFileSync(certFile, 'utf8')}`)
  }
  put(-10, 80)
  const early = keep(t, acme)
  await early.keeper.close()
  t.match(keptCertificate(acme).subject, /before/)
  put(-80, 10)
  const late = keep(t, acme)
  await late.heard(/has come/)
  t.match(keptCertificate(acme).issuer, /Pebble/)
})

t.test('what the authority says of a failure is told, and waited for', NEEDS_PEBBLE, async (t) => {
  const nobody = await freePort({ host: '127.0.0.1', port: 0 })
  const { acme, pebble } = await place(t, {}, { httpPort: nobody })
  const { heard, lines, keeper } = keep(t, acme)
  const line = await heard(/no certificate/)
  t.match(
    line,
    new RegExp(`www\\.example\\.org from ${acme.directory}: .*connection refused.*in 3 min$`),
  )
  t.strictSame(keeper.kept(), [{ name: NAME, failures: 1 }])
  await keeper.close()
  t.notOk(existsSync(certificateFile(acme, NAME)))
  t.strictSame(readdirSync(challengesDir(acme)), [])
  const orders = () => pebble.output().match(/Added order/g)?.length
  const before = orders()
  const again = keep(t, acme)
  await again.keeper.close()
  t.equal(orders(), before, 'a new start does not ask at once')
  t.strictSame(again.keeper.kept(), [{ name: NAME, failures: 1 }])
  t.equal(lines.length, 1)
})

t.test('an authority that is away is asked again until it is there', NEEDS_PEBBLE, async (t) => {
  const { acme, pebble } = await place(t)
  await pebble.stop()
  const { heard, lines, keeper } = keep(t, acme, { retryUnitMs: 100 })
  await heard(/ECONNREFUSED/)
  await eventually('it has tried twice', () => lines.length >= 2)
  const httpPort = await answering(t, acme)
  await startPebble(t, authority, { port: pebble.port, httpPort })
  await heard(/has come/)
  t.strictSame(keeper.kept(), [{ name: NAME, failures: 0 }])
})

t.test('of two that look after the same names one orders', NEEDS_PEBBLE, async (t) => {
  const { acme, pebble } = await place(t)
  const keepers = [keep(t, acme), keep(t, acme)]
  await eventually('there is one', () => existsSync(certificateFile(acme, NAME)))
  for (const { keeper } of keepers) await keeper.close()
  t.equal(pebble.output().match(/Added order/g)?.length, 1)
  const release = await takeLock(join(acme.dir, 'lock'))
  rmSync(certificateFile(acme, NAME))
  rmSync(join(acme.authorityDir, `${NAME}.attempts.json`))
  const waiting = keep(t, acme)
  await waiting.keeper.close()
  t.strictSame(waiting.lines, [])
  await release?.()
})
