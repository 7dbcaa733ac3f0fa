/** The certificate of `uwas dev --tls`: made once, believed by who knows its authority, good for this machine alone. */
import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { devCertificate } from '../../../src/commands/dev/certificate.ts'
import { loadCertificate } from '../../../src/server/tls/certificate.ts'
import { folder, launch, run } from '../../support/binary.ts'
import { temporaryFolder } from '../../support/catalogue.ts'

const SITE = {
  'uwas.config.ts': "export { config } from './site.ts'",
  'site.ts': `import { defineConfig, path, text, urlconf } from 'uwas'
export const config = defineConfig({ urls: urlconf(path('/', (req) => text('hello ' + req.client.scheme))), database: false })`,
}

const partsOf = ({ certFile }: { certFile: string }) => new X509Certificate(readFileSync(certFile))

t.test('it is made once, for localhost alone, with keys that nobody else can read', async (t) => {
  const home = temporaryFolder(t)
  const first = await devCertificate(home)
  const certificate = await loadCertificate(
    { ...first, passphrase: null, names: null },
    'intermediate',
  )
  t.strictSame(certificate.warnings, [])
  const covered = ['localhost', 'a.localhost', '127.0.0.1', '[::1]', 'example.org', '10.0.0.1']
  t.strictSame(
    covered.map((name) => certificate.covers(name)),
    [true, true, true, true, false, false],
  )
  t.equal(statSync(first.keyFile).mode & 0o077, 0)
  t.equal(statSync(join(home, 'authority', 'authority.key')).mode & 0o077, 0)
  t.strictSame(readdirSync(home).sort(), ['authority', 'localhost'], 'nothing is left over')
  const { serialNumber } = partsOf(first)
  t.equal(partsOf(await devCertificate(home)).serialNumber, serialNumber)
})

t.test('what is missing, or of another authority, is made anew', async (t) => {
  const home = temporaryFolder(t)
  const first = partsOf(await devCertificate(home))
  rmSync(join(home, 'localhost'), { recursive: true })
  const second = await devCertificate(home)
  t.not(partsOf(second).serialNumber, first.serialNumber)
  t.equal(partsOf(second).issuer, first.issuer)
  rmSync(join(home, 'authority'), { recursive: true })
  const third = await devCertificate(home)
  const authority = new X509Certificate(readFileSync(third.authorityFile))
  t.ok(partsOf(third).verify(authority.publicKey))
  t.strictSame(readdirSync(home).sort(), ['authority', 'localhost'])
})

t.test('two that make it at once end with one that fits', async (t) => {
  const home = temporaryFolder(t)
  await Promise.all([devCertificate(home), devCertificate(home)])
  const { authorityFile, certFile } = await devCertificate(home)
  const authority = new X509Certificate(readFileSync(authorityFile))
  t.ok(partsOf({ certFile }).verify(authority.publicKey))
})

t.test('a folder that cannot be, and a machine without openssl, are told', async (t) => {
  const home = join(temporaryFolder(t), 'file')
  writeFileSync(home, '')
  await t.rejects(devCertificate(home), {
    code: 'UWAS_ERR_COMMANDS_CERTIFICATE',
    message: new RegExp(`^no certificate for development could be made in ${home}: EEXIST`),
  })
  const { code, stderr } = await run(['dev', '--port', '0', '--tls', '0'], {
    cwd: folder(t, SITE),
    env: { XDG_DATA_HOME: temporaryFolder(t), PATH: temporaryFolder(t) },
  })
  t.equal(code, 2)
  t.match(
    stderr,
    /no certificate for development could be made in \S+uwas: openssl is not installed/,
  )
})

async function get(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: 'localhost', port, ca, family: 4 }, (response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += chunk
      })
      response.on('end', () => resolve(body))
    })
    asked.on('error', reject).end()
  })
}

async function developing(t: Test, home: string) {
  const args = ['dev', '--port', '0', '--tls', '0']
  const launched = launch(t, args, { cwd: folder(t, SITE), env: { XDG_DATA_HOME: home } })
  const [, file = ''] = await launched.printed(/trust (\S+) in your browser/)
  const [, port] = await launched.printed(/on http:\S+ and https:\/\/localhost:(\d+)\n/)
  return { file, port: Number(port) }
}

t.test('uwas dev --tls serves who knows the authority, and no other name', async (t) => {
  const { file, port } = await developing(t, temporaryFolder(t))
  const ca = readFileSync(file, 'utf8')
  t.equal(await get(port, ca), 'hello https')
  const stranger = await devCertificate(temporaryFolder(t))
  const other = readFileSync(stranger.authorityFile, 'utf8')
  await t.rejects(get(port, other), { code: /CERT|SELF_SIGNED|UNABLE/ })
})
