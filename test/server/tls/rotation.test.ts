/** New certificates while a server serves: which are taken, which are not, and that nobody notices. */
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createLog } from '../../../src/core/log.ts'
import { text } from '../../../src/http/reply.ts'
import type { CertificateFiles } from '../../../src/server/tls/certificate.ts'
import { Certificates } from '../../../src/server/tls/certificates.ts'
import { serve } from '../../support/application.ts'
import { authorityOf, type Issued, replace } from '../../support/certificates.ts'
import { raw } from '../../support/raw.ts'
import { dialTls, rawTls, tlsOf } from '../../support/tls.ts'

const authority = authorityOf(t)
const first = authority.issue('first', ['x.test'])
const second = authority.issue('second', ['x.test', 'y.test'])
const elsewhere = authority.issue('elsewhere', ['z.test'])
const late = authority.issue('late', ['x.test'], { from: -20, to: -10 })
const GET = 'GET / HTTP/1.1\r\nHost: x.test\r\n\r\n'

let places = 0

/** A pair of files that a test may overwrite. */
function placeOf(pair: Issued): CertificateFiles {
  const name = `place${++places}`
  const place = {
    certFile: join(authority.dir, `${name}.pem`),
    keyFile: join(authority.dir, `${name}.key`),
    passphrase: null,
    names: null,
  }
  writeFileSync(place.keyFile, '', { mode: 0o600 })
  replace(place, pair)
  return place
}

async function watched(t: Test, ...all: CertificateFiles[]) {
  const certificates = await Certificates.load(all, 'intermediate')
  const lines: string[] = []
  const log = createLog((line) => lines.push(line))
  t.teardown(() => certificates.close())
  return { certificates, lines, look: () => certificates.look(log), log }
}

const shown = async (port: number | null, servername = 'x.test') => {
  const socket = await dialTls(port ?? 0, { servername })
  const { CN } = socket.getPeerCertificate().subject
  return { CN: [CN].flat()[0], socket }
}

t.test('a new pair is served, and its names; open connections go on', async (t) => {
  const place = placeOf(first)
  const { certificates, lines, look } = await watched(t, place, elsewhere)
  const tls = await tlsOf([first], { certificates })
  const { tlsPort } = await serve(t, () => text('hello'), { tls })
  const before = await shown(tlsPort)
  t.equal(before.CN, 'first')
  await look()
  t.strictSame(lines, [])
  replace(place, second)
  await look()
  t.match(lines, [/^uwas: a new certificate is served: .*place1\.pem ends in \d+ days \(2\d{3}-/])
  const { fingerprint256 } = new X509Certificate(readFileSync(second.certFile))
  t.ok(lines[0]?.endsWith(`, SHA-256 ${fingerprint256}`), 'which one it is')
  for (const name of ['x.test', 'y.test', '']) {
    const { CN, socket } = await shown(tlsPort, name)
    socket.destroy()
    t.equal(CN, 'second', name)
  }
  const { responses } = await raw(0, GET, { socket: before.socket })
  t.match(responses, [{ status: 200 }], 'on the connection of the old one')
  t.equal(certificates.find('z.test')?.file, elsewhere.certFile)
})

t.test('half a renewal is waited for: no word, and the old one is served', async (t) => {
  const place = placeOf(first)
  const { certificates, lines, look } = await watched(t, place)
  writeFileSync(place.certFile, second.cert)
  await look()
  t.strictSame(lines, [])
  t.equal(
    certificates.default?.validToMs,
    (await watched(t, first)).certificates.default?.validToMs,
  )
  writeFileSync(place.keyFile, second.key)
  await look()
  t.match(lines, [/its chain ends/, /a new certificate is served/])
  t.ok(certificates.covers('y.test'))
})

t.test('what stays wrong is told once, with what is served meanwhile', async (t) => {
  const place = placeOf(first)
  const { certificates, lines, look } = await watched(t, place)
  const isFirst = () => !certificates.covers('y.test') && certificates.covers('x.test')
  const problems: [RegExp, () => void][] = [
    [/the key in \S+ is not that of CN=second/, () => writeFileSync(place.certFile, second.cert)],
    [/it holds no certificate in PEM form/, () => writeFileSync(place.certFile, 'nonsense')],
    [/has expired/, () => replace(place, late)],
    [/there is no such file/, () => rmSync(place.keyFile)],
  ]
  for (const [problem, spoil] of problems) {
    spoil()
    for (let i = 0; i < 4; i++) await look()
    t.equal(lines.length, 1, String(problem))
    t.match(lines.pop(), new RegExp(`error: a new certificate is not taken: .*${problem.source}`))
    t.ok(isFirst())
  }
  replace(place, first)
  await look()
  t.match(lines.pop(), /a new certificate is served/)
})

t.test('one that takes the name of another is not taken', async (t) => {
  const place = placeOf(elsewhere)
  const { certificates, lines, look } = await watched(t, first, place)
  replace(place, second)
  await look()
  await look()
  t.match(lines, [/not taken: tls: \S+first\.pem and \S+ are both for x\.test; say in `names`/])
  t.equal(certificates.find('z.test')?.file, place.certFile)
})

t.test(
  'one that is awaited is served from when it comes, key and certificate in one file',
  async (t) => {
    const file = join(authority.dir, 'awaited.pem')
    const both = { certFile: file, keyFile: file, passphrase: null, names: ['x.test'] }
    const { certificates, lines, look } = await watched(t, { ...both, awaits: 'x.test' })
    const tls = await tlsOf([first], { certificates })
    const { tlsPort } = await serve(t, () => text('hello'), { tls })
    t.equal(certificates.default, undefined)
    t.strictSame(certificates.ends(), [])
    t.ok(certificates.covers('x.test'), 'requests in clear belong there already')
    t.notOk(certificates.covers('y.test'))
    for (const name of ['x.test', 'y.test', '']) {
      await t.rejects(shown(tlsPort, name), /disconnected|handshake failure/, name)
    }
    await look()
    t.strictSame(lines, [])
    writeFileSync(file, `${second.key}${second.cert}`)
    await look()
    t.match(
      lines,
      [/^uwas: a new certificate is served: \S+awaited\.pem/],
      'and nothing of its chain',
    )
    for (const name of ['x.test', '']) {
      const { CN, socket } = await shown(tlsPort, name)
      socket.destroy()
      t.equal(CN, 'second', name)
    }
    writeFileSync(file, 'spoilt')
    await look()
    await look()
    t.match(
      lines[1],
      /a new certificate is not taken: .*\n {2}served as before: \S+awaited\.pem ends/,
    )
    const { certificates: next } = await watched(t, { ...both, awaits: 'x.test' })
    t.equal(next.default, undefined, 'what cannot be read is awaited anew')
    await t.rejects(Certificates.load([first, { ...both, awaits: 'x.test' }], 'intermediate'), {
      code: 'UWAS_ERR_SERVER_CERTIFICATE_NAME',
      message: /first\.pem and \S+awaited\.pem are both for x\.test/,
    })
  },
)

t.test('links that are turned over are followed', async (t) => {
  const { dir } = authority
  for (const [link, { certFile, keyFile }] of Object.entries({ live: first, next: second })) {
    symlinkSync(certFile, join(dir, `${link}.pem`))
    symlinkSync(keyFile, join(dir, `${link}.key`))
  }
  const files = { certFile: join(dir, 'live.pem'), keyFile: join(dir, 'live.key') }
  const place = { ...files, passphrase: null, names: null }
  const { certificates, look } = await watched(t, place)
  renameSync(join(dir, 'next.pem'), place.certFile)
  renameSync(join(dir, 'next.key'), place.keyFile)
  await look()
  t.ok(certificates.covers('y.test'))
})

t.test('it looks by itself, and says when one is about to end', async (t) => {
  const place = placeOf(authority.issue('short', ['x.test'], { from: -80, to: 5 }))
  const { certificates, lines, log } = await watched(t, place)
  certificates.watch(log, 5)
  t.match(lines, [/warning: renew the certificate \S+\.pem: it ends in [45] days \(/])
  replace(place, second)
  for (let i = 0; i < 4000 && !certificates.covers('y.test'); i++) await sleep(5)
  t.ok(certificates.covers('y.test'))
})

t.test('no request fails while certificates change under load', async (t) => {
  const place = placeOf(first)
  const { certificates, look } = await watched(t, place)
  const tls = await tlsOf([first], { certificates })
  const { tlsPort } = await serve(t, () => text('hello'), { tls })
  const seen = new Set<string>()
  let isOver = false
  const client = async () => {
    let count = 0
    for (; !isOver; count++) {
      const { CN, socket } = await shown(tlsPort)
      seen.add(CN ?? '')
      for (let i = 0; i < 2; i++) {
        socket.write(GET)
        const [reply] = await once(socket, 'data')
        if (!/^HTTP\/1\.1 200 OK/.test(String(reply))) throw new Error(String(reply))
      }
      socket.destroy()
    }
    return count
  }
  const clients = Promise.all([client(), client(), client()])
  for (let i = 0; i < 20; i++) {
    replace(place, i % 2 === 0 ? second : first)
    await look()
    await rawTls(tlsPort, GET, { tls: { servername: 'x.test' } })
  }
  isOver = true
  const counts = await clients
  t.ok(
    counts.every((count) => count > 0),
    `${counts} connections`,
  )
  t.strictSame([...seen].sort(), ['first', 'second'])
})
