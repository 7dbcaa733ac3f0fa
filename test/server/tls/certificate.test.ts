/** What is said of a certificate and its key before they are served. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type CertificateFiles, loadCertificate } from '../../../src/server/tls/certificate.ts'
import { Certificates } from '../../../src/server/tls/certificates.ts'
import { describeEnd, isEnding } from '../../../src/server/tls/expiry.ts'
import { authorityOf } from '../../support/certificates.ts'

const authority = authorityOf(t)
const { dir, root, intermediate } = authority
const good = authority.issue('good', ['example.org', '*.Example.org', 'IP:127.0.0.1', 'IP:::1'])
const other = authority.issue('other', ['other.test'])

const load = (files: Partial<CertificateFiles>) =>
  loadCertificate({ ...good, ...files }, 'intermediate')

function file(name: string, ...parts: string[]): string {
  const path = join(dir, name)
  writeFileSync(path, parts.join(''), { mode: 0o600 })
  return path
}

/** The message behind the code's own words. */
const refused = (problem: string | RegExp) => ({
  code: 'UWAS_ERR_SERVER_CERTIFICATE',
  message: problem,
})

t.test('a good one is taken without a word, with the names that it has', async (t) => {
  const certificate = await load({})
  t.strictSame(certificate.names, ['example.org', '*.example.org'])
  t.strictSame(certificate.warnings, [])
  t.equal(certificate.file, good.certFile)
  const expected: Record<string, boolean> = {
    'example.org': true,
    'a.example.org': true,
    'a.b.example.org': false,
    '.example.org': false,
    'example.com': false,
    '127.0.0.1': true,
    '127.0.0.2': false,
    '[::1]': true,
    '[::2]': false,
    '': false,
  }
  for (const [name, covers] of Object.entries(expected))
    t.equal(certificate.covers(name), covers, name)
})

t.test('files that are not there, or hold something else, are told by name', async (t) => {
  const none = join(dir, 'none.pem')
  await t.rejects(load({ certFile: none }), refused(`tls: ${none}: there is no such file`))
  await t.rejects(load({ keyFile: none }), refused(`tls: ${none}: there is no such file`))
  await t.rejects(load({ certFile: dir }), refused(/it is a folder; name the file$/))
  const swapped = { certFile: good.keyFile, keyFile: good.certFile }
  await t.rejects(load(swapped), refused(/good\.key: it holds no certificate in PEM form/))
  await t.rejects(load({ keyFile: good.certFile }), refused(/good\.pem: it holds no private key/))
  const empty = file('empty.pem')
  await t.rejects(load({ certFile: empty }), refused(/empty\.pem: it holds no certificate/))
  const cut = good.cert.replace(/^(-.*\n.{64}\n)[\s\S]*?(-----END)/, '$1$2')
  const cutFile = file('cut.pem', cut)
  await t.rejects(load({ certFile: cutFile }), refused(/its certificate 1 cannot be read: /))
  const torn = file('torn.key', good.key.replace(/\n[^-\n]{20}/, '\n'))
  await t.rejects(load({ keyFile: torn }), refused(/torn\.key: the key cannot be read: /))
})

t.test('a file that may not be read is told with the user', async (t) => {
  if (process.getuid?.() === 0) return t.comment('root may read everything')
  const path = file('closed.key', good.key)
  chmodSync(path, 0)
  await t.rejects(
    load({ keyFile: path }),
    refused(/this user \(\d+\) may not read it: let its group read it, /),
  )
})

t.test('a key of another certificate is refused, with both names', async (t) => {
  const problem = `tls: ${good.certFile}: the key in ${other.keyFile} is not that of CN=good or CN=middle or CN=root; give each certificate the key that it was made with`
  await t.rejects(load({ keyFile: other.keyFile }), refused(problem))
})

t.test('what has expired, or is not valid yet, is refused with its date', async (t) => {
  const late = authority.issue('late', ['late.test'], { from: -20, to: -10 })
  await t.rejects(
    loadCertificate(late, 'modern'),
    refused(/late\.pem: it has expired: it was valid until \w{3} .* GMT$/),
  )
  const early = authority.issue('early', ['early.test'], { from: 2, to: 9 })
  await t.rejects(
    loadCertificate(early, 'modern'),
    refused(/it is not valid before \w{3} .*; is the clock of this machine right\?$/),
  )
})

t.test('an encrypted key needs its passphrase, which no message quotes', async (t) => {
  const passphrase = 'a lamp and a kettle'
  const locked = authority.issue('locked', ['locked.test'], { passphrase })
  await t.rejects(
    loadCertificate(locked, 'modern'),
    refused(/locked\.key: the key is encrypted; say its passphrase, from the environment$/),
  )
  const wrong = loadCertificate({ ...locked, passphrase: 'a pan' }, 'modern')
  await t.rejects(wrong, refused(/locked\.key: the passphrase does not open it: /))
  t.notMatch(((await wrong.catch((error) => error)) as Error).message, 'a pan')
  t.ok(await loadCertificate({ ...locked, passphrase }, 'modern'))
})

t.test('a certificate that is for no server, no name, or too weak is refused', async (t) => {
  const mail = authority.issue('mail', ['mail.test'], { extendedKeyUsage: 'emailProtection' })
  await t.rejects(loadCertificate(mail, 'modern'), refused(/its extended key usage has no server/))
  const nameless = authority.issue('nameless', [])
  await t.rejects(loadCertificate(nameless, 'modern'), refused(/it has no subjectAltName: /))
  const weak = authority.issue('weak', ['weak.test'], { rsaBits: 1024 })
  const bits = 'its RSA key has 1024 bits, and browsers want 2048'
  await t.rejects(loadCertificate(weak, 'modern'), refused(`tls: ${weak.certFile}: ${bits}`))
})

t.test('names of the configuration have to be those of the certificate', async (t) => {
  const names = ['www.example.org']
  t.strictSame((await load({ names })).names, names)
  t.notOk((await load({ names })).covers('example.org'))
  await t.rejects(
    load({ names: ['example.org', 'b.test', 'a.b.example.org'] }),
    refused(/good\.pem: it is not for b\.test, a\.b\.example\.org; it is for example\.org, \*\.ex/),
  )
})

t.test('a chain out of order is put in order, and said', async (t) => {
  const certFile = file('mixed.pem', root, intermediate, other.cert, good.cert)
  const { warnings, material } = await load({ certFile })
  t.match(warnings, [
    /mixed\.pem: its certificates are out of order, and are sent as CN=good → CN=middle/,
    /mixed\.pem: what belongs to no chain of it is not sent: CN=other/,
  ])
  t.equal(material.cert, good.cert + intermediate)
})

t.test('a chain that leads nowhere, and a self-signed certificate, are warnings', async (t) => {
  const certFile = file('alone.pem', good.cert)
  t.match((await load({ certFile })).warnings, [
    /its chain ends at CN=good, whose issuer CN=middle is neither in the file nor a root that Node/,
  ])
  t.strictSame(
    (await load({ certFile: file('whole.pem', good.cert, intermediate, root) })).warnings,
    [],
  )
})

t.test('a key that everybody can read is a warning', async (t) => {
  const keyFile = file('open.key', good.key)
  chmodSync(keyFile, 0o644)
  t.match((await load({ keyFile })).warnings, [/its key .*open\.key can be read by every user/])
  chmodSync(keyFile, 0o640)
  t.strictSame((await load({ keyFile })).warnings, [])
})

t.test('a name finds its certificate: exact before wildcard, else the first', async (t) => {
  const exact = authority.issue('exact', ['www.other.test'])
  const wild = authority.issue('wild', ['*.other.test'])
  const all = await Certificates.load([good, other, wild, exact], 'modern')
  const expected: [string | undefined | false, string][] = [
    [undefined, good.certFile],
    [false, good.certFile],
    ['', good.certFile],
    ['nobody.test', good.certFile],
    ['OTHER.test', other.certFile],
    ['other.test.', other.certFile],
    ['www.other.test', exact.certFile],
    ['a.other.test', wild.certFile],
    ['a.b.other.test', good.certFile],
    ['__proto__', good.certFile],
  ]
  for (const [name, path] of expected) t.equal(all.find(name)?.file, path, String(name))
  t.ok(all.covers('a.other.test'))
  t.ok(all.covers('127.0.0.1'))
  t.notOk(all.covers('nobody.test'))
})

t.test('two certificates for one name are refused until one says what it is for', async (t) => {
  const again = authority.issue('again', ['example.org', 'again.test'])
  await t.rejects(Certificates.load([good, again], 'modern'), {
    code: 'UWAS_ERR_SERVER_CERTIFICATE_NAME',
    message: `tls: ${good.certFile} and ${again.certFile} are both for example.org; say in \`names\` of one of them what it is to answer for`,
  })
  const all = await Certificates.load([good, { ...again, names: ['again.test'] }], 'modern')
  t.equal(all.find('example.org')?.file, good.certFile)
})

t.test('the end of a certificate is told in time, by its own length', async (t) => {
  const DAY = 86_400_000
  const quarter = { validFromMs: 0, validToMs: 90 * DAY }
  t.notOk(isEnding(quarter, 70 * DAY))
  t.ok(isEnding(quarter, 77 * DAY))
  const week = { validFromMs: 0, validToMs: 6 * DAY }
  t.notOk(isEnding(week, 3 * DAY))
  t.ok(isEnding(week, 5 * DAY))
  t.equal(describeEnd(quarter, 7 * DAY), 'ends in 83 days (1970-04-01)')
  t.equal(describeEnd(quarter, 89 * DAY), 'ends in 1 day (1970-04-01)')
  t.equal(describeEnd(quarter, 91 * DAY), 'has expired (1970-04-01)')
})
