/** Certificates that workers order themselves: by one of them, for all, while they serve. */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { takeLock } from '../../src/server/tls/acme/lock.ts'
import { openStore } from '../../src/server/tls/acme/store.ts'
import { freePort } from '../../src/supervisor/free-port.ts'
import { acmeOf, certificateFile, type SiteAcme } from '../../src/was/acme.ts'
import { folder, launch, put, run } from '../support/binary.ts'
import { authorityOf } from '../support/certificates.ts'
import { NEEDS_PEBBLE, type Pebble, startPebble } from '../support/pebble.ts'
import { raw } from '../support/raw.ts'
import { configuration, eventually, SITE } from '../support/supervised.ts'
import { dialTls } from '../support/tls.ts'

const authority = authorityOf(t)
const NAME = 'www.example.org'
const GET = `GET / HTTP/1.1\r\nHost: ${NAME}\r\n`

/** A site that orders from `directory`, on ports that an authority has to know. */
async function siteOf(t: Test, httpPort: number, directory: string, keys: string) {
  const acme = `{ agreeToTerms: true, directory: '${directory}', caFile: 'roots.pem' }`
  const own = `${keys}, allowedHosts: ['${NAME}'], tls: { port: 0, acme: ${acme} }`
  const root = folder(t, {
    'urls.ts': SITE,
    'roots.pem': authority.root,
    'uwas.config.ts': configuration(own),
  })
  const start = async () => {
    const launched = launch(t, ['serve', '--port', String(httpPort)], { cwd: root })
    const [, tlsPort] = await launched.printed(/ and https:\/\/localhost:(\d+)\n/)
    return { ...launched, tlsPort: Number(tlsPort) }
  }
  const given = { agreeToTerms: true, directory, names: [NAME] } as const
  const site = { root, stateDir: join(root, '.uwas'), allowedHosts: undefined }
  return { root, start, acme: acmeOf(given, site) as SiteAcme }
}

const anyPort = () => freePort({ host: undefined, port: 0 })

/** One request on a connection of its own: who has answered, with whose certificate; null: without a handshake. */
async function ask(port: number): Promise<{ pid: number; issuer: string } | null> {
  const socket = await dialTls(port, { servername: NAME }).catch(() => null)
  if (socket === null) return null
  const issuer = String(socket.getPeerCertificate().issuer.CN)
  const { responses } = await raw(0, `${GET}Connection: close\r\n\r\n`, { socket })
  return { pid: Number(responses[0]?.body), issuer }
}

/** Until both workers have shown a certificate of Pebble. */
async function certified(port: number): Promise<Set<number>> {
  const pids = new Set<number>()
  return eventually('both workers have it', async () => {
    const answer = await ask(port)
    if (answer?.issuer.startsWith('Pebble') !== true) return false
    pids.add(answer.pid)
    return pids.size === 2 && pids
  })
}

const orders = (pebble: Pebble) => pebble.output().match(/Added order/g)?.length ?? 0

t.test(
  'two workers get a certificate while they serve, and a new start keeps it',
  NEEDS_PEBBLE,
  async (t) => {
    const port = await anyPort()
    const pebble = await startPebble(t, authority, { httpPort: port })
    const statusPort = await anyPort()
    const keys = `workers: 2, status: { listen: '127.0.0.1:${statusPort}' }`
    const { root, start } = await siteOf(t, port, pebble.directory, keys)
    const first = await start()
    await certified(first.tlsPort)
    const clear = await raw(port, `${GET}\r\n`)
    t.match(clear.responses, [
      { status: 308, headers: { location: `https://${NAME}:${first.tlsPort}/` } },
    ])
    t.equal(orders(pebble), 1)
    const told = await (await fetch(`http://127.0.0.1:${statusPort}/metrics`)).text()
    t.match(told, `uwas_acme_failed_orders{name="${NAME}"} 0\n`)
    t.match(told, `uwas_tls_certificate_expiry_timestamp_seconds{name="${NAME}"} `)
    const check = await run(['check'], { cwd: root })
    t.equal(check.code, 0)
    t.match(check.stderr, new RegExp(`the certificate \\S+/${NAME}\\.pem ends in \\d+ days`))
    first.child.kill('SIGTERM')
    t.equal((await first.finished).code, 0)
    const again = await start()
    t.match((await ask(again.tlsPort))?.issuer, 'Pebble')
    await certified(again.tlsPort)
    t.equal(orders(pebble), 1)
  },
)

t.test('a renewal drops no connection', NEEDS_PEBBLE, async (t) => {
  const port = await anyPort()
  const pebble = await startPebble(t, authority, { httpPort: port })
  const { start, acme } = await siteOf(t, port, pebble.directory, 'workers: 2')
  await openStore(acme)
  const before = authority.issue('before', [NAME], { from: -80, to: 10 })
  const pem = `${before.key}${readFileSync(before.certFile, 'utf8')}`
  writeFileSync(certificateFile(acme, NAME), pem, { mode: 0o600 })
  // Until there is load this process is the one that orders.
  const release = await takeLock(join(acme.dir, 'lock'))
  const { tlsPort } = await start()
  const open = await dialTls(tlsPort, { servername: NAME })
  t.equal(open.getPeerCertificate().subject.CN, 'before')
  let isOver = false
  const issuers = new Set<string>()
  const client = async () => {
    while (!isOver) {
      const answer = await ask(tlsPort)
      if (answer === null || !(answer.pid > 0)) throw new Error('a request has failed')
      issuers.add(answer.issuer)
    }
  }
  const lasting = async () => {
    for (; !isOver; await sleep(50)) {
      open.write(`${GET}\r\n`)
      const [reply] = await once(open, 'data')
      if (!/^HTTP\/1\.1 200 OK/.test(String(reply))) throw new Error(String(reply))
    }
  }
  const clients = Promise.all([client(), client(), lasting()])
  await eventually('the load has begun', () => issuers.size > 0)
  t.equal(orders(pebble), 0)
  await release?.()
  await certified(tlsPort)
  isOver = true
  await clients
  t.equal(issuers.size, 2, 'it came under load')
  t.notOk(open.destroyed, 'the connection of the old one goes on')
  open.destroy()
  t.equal(orders(pebble), 1)
})

t.test('without an authority it serves all else, and says what it waits for', async (t) => {
  const [port, nobody] = [await anyPort(), await anyPort()]
  const directory = `https://127.0.0.1:${nobody}/dir`
  const { root, start } = await siteOf(t, port, directory, 'workers: 0')
  const { tlsPort, printed, child, finished } = await start()
  await printed(/error: no certificate for www\.example\.org from .*ECONNREFUSED.* again in 3 min/)
  t.equal(await ask(tlsPort), null, 'there is no handshake')
  const { responses } = await raw(port, `GET /healthz HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`)
  t.match(responses, [{ status: 200 }])
  child.kill('SIGTERM')
  t.equal((await finished).code, 0)
  const { code, stderr } = await run(['check'], { cwd: root })
  t.equal(code, 0)
  t.match(stderr, `no certificate for ${NAME} yet: it is ordered from ${directory} at the start`)
  t.match(
    stderr,
    /warning: tls\.acme: authorities ask at port 80 of each name, and the site listens/,
  )
})

t.test('what would keep every order from success ends the start', async (t) => {
  const { root } = await siteOf(t, 0, 'https://127.0.0.1:1/dir', 'workers: 1')
  put(root, 'roots.pem', 'nonsense')
  const start = () => run(['serve', '--port', '0', '--workers', '0'], { cwd: root })
  const told = async (pattern: RegExp) => {
    const [served, checked] = [await start(), await run(['check'], { cwd: root })]
    t.equal(served.code, 2)
    t.match(served.stderr, pattern)
    t.equal(checked.code, 1)
    t.match(checked.stderr, pattern)
  }
  await told(/error: tls: \S+roots\.pem: it holds no certificate in PEM form/)
  put(root, 'roots.pem', authority.root)
  put(root, '.uwas/acme', '')
  await told(
    /tls\.acme: the account and the certificates are kept in \S+acme, which cannot be used/,
  )
})
