/** TLS by workers: all of them serve it, with what is on the disk now, through reloads and ends. */
import { closeSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadNative } from '../../src/native/load.ts'
import { freePort } from '../../src/supervisor/free-port.ts'
import { activate, hears } from '../support/activated.ts'
import { folder, put, type RunOptions, run } from '../support/binary.ts'
import { authorityOf, type Issued, replace } from '../support/certificates.ts'
import {
  configuration,
  eventually,
  SITE,
  skipWithoutGate,
  superviseSite,
} from '../support/supervised.ts'
import { dialTls, rawTls } from '../support/tls.ts'

const authority = authorityOf(t)
const first = authority.issue('first', ['x.test'])
const second = authority.issue('second', ['x.test'])
const late = authority.issue('late', ['x.test'], { from: -20, to: -10 })
let places = 0

/** Files of a pair that a test may overwrite. */
function placeOf(pair: Issued): Issued {
  const name = `place${++places}`
  const certFile = join(authority.dir, `${name}.pem`)
  const keyFile = join(authority.dir, `${name}.key`)
  writeFileSync(keyFile, '', { mode: 0o600 })
  replace({ ...pair, certFile, keyFile }, pair)
  return { ...pair, certFile, keyFile }
}

const tlsKey = ({ certFile, keyFile }: Issued, more = '') =>
  `tls: { port: 0, certificates: [${JSON.stringify({ certFile, keyFile })}], ${more} }`

async function superviseTls(t: Test, keys: string, options: RunOptions = {}) {
  const running = await superviseSite(t, keys, options)
  const [, port] = await running.printed(/ and https:\/\/localhost:(\d+)\n/)
  return { ...running, tlsPort: Number(port) }
}

/** One request on a connection of its own: who has answered, with which certificate. */
async function ask(port: number, path = '/'): Promise<{ pid: number; CN: string }> {
  const socket = await dialTls(port, { servername: 'x.test' })
  const CN = String(socket.getPeerCertificate().subject.CN)
  const request = `GET ${path} HTTP/1.1\r\nHost: x.test\r\nConnection: close\r\n\r\n`
  const { responses } = await rawTls(port, request, { socket })
  return { pid: Number(responses[0]?.body), CN }
}

/** Certificates by the pids of `count` workers. */
async function answering(port: number, count: number): Promise<Map<number, string>> {
  const seen = new Map<number, string>()
  return eventually(`${count} workers answer`, async () => {
    const { pid, CN } = await ask(port)
    seen.set(pid, CN)
    return seen.size >= count && seen
  })
}

t.test('all workers serve it, and a new certificate comes to all of them', async (t) => {
  const place = placeOf(first)
  const { tlsPort, port } = await superviseTls(t, `workers: 2, ${tlsKey(place)}`)
  const before = await answering(tlsPort, 2)
  t.strictSame([...before.values()], ['first', 'first'])
  const clear = await fetch(`http://127.0.0.1:${port}/`, {
    redirect: 'manual',
    headers: { host: 'x.test' },
  })
  t.equal(clear.status, 421, 'fetch names the address, which no certificate is for')
  replace(place, second)
  await eventually('both have the new one', async () => {
    const all = await answering(tlsPort, 2)
    return [...all.values()].every((CN) => CN === 'second')
  })
  const after = await answering(tlsPort, 2)
  t.strictSame([...after.keys()].sort(), [...before.keys()].sort(), 'by the same workers')
})

t.test('a ticket is good for all workers, also for those after a reload', async (t) => {
  const keys = `workers: 2, ${tlsKey(placeOf(first))}`
  const { tlsPort, child, printed, stderr } = await superviseTls(t, keys)
  const visit = async (session?: Buffer) => {
    const options = { servername: 'x.test', maxVersion: 'TLSv1.2' as const }
    const socket = await dialTls(tlsPort, { ...options, ...(session && { session }) })
    const request = 'GET / HTTP/1.1\r\nHost: x.test\r\nConnection: close\r\n\r\n'
    const { responses } = await rawTls(tlsPort, request, { socket })
    const isReused = socket.isSessionReused()
    return { pid: Number(responses[0]?.body), isReused, session: socket.getSession() }
  }
  const { session } = await visit()
  const comesBack = async () => {
    const pids = new Set<number>()
    return await eventually('two workers answer', async () => {
      const { pid, isReused } = await visit(session)
      t.ok(isReused, 'without a whole handshake')
      pids.add(pid)
      return pids.size === 2 && pids
    })
  }
  const before = await comesBack()
  const told = stderr().length
  child.kill('SIGHUP')
  await printed(/reloaded/, told)
  t.notOk([...(await comesBack())].some((pid) => before.has(pid)))
})

t.test('a worker that is killed, and a reload, lose no request by TLS', async (t) => {
  const keys = `workers: 2, ${tlsKey(placeOf(first))}`
  const { tlsPort, child, printed, stderr } = await superviseTls(t, keys)
  const [victim = 0] = (await answering(tlsPort, 2)).keys()
  const slow = ask(tlsPort, '/slow')
  const before = stderr().length
  child.kill('SIGHUP')
  let asked = 0
  let isOver = false
  const load = (async () => {
    for (; !isOver; asked++) await ask(tlsPort)
  })()
  await printed(/reloaded/, before)
  t.ok((await slow).pid > 0)
  t.notOk((await answering(tlsPort, 2)).has(victim))
  isOver = true
  await load
  t.ok(asked > 0)
  const [next = 0] = (await answering(tlsPort, 2)).keys()
  process.kill(next, 'SIGKILL')
  await eventually('another one answers', async () => !(await answering(tlsPort, 2)).has(next))
})

t.test('a certificate that cannot be served ends the start, and not what serves', async (t) => {
  const place = placeOf(late)
  const files = { 'uwas.config.ts': configuration(tlsKey(place)), 'urls.ts': SITE }
  const root = folder(t, files)
  for (const workers of ['0', '1']) {
    const args = ['serve', '--port', '0', '--workers', workers]
    const { code, stderr } = await run(args, { cwd: root })
    t.equal(code, 2)
    t.match(stderr, /error: tls: \S+\.pem: it has expired: it was valid until .*CERTIFICATE/)
  }
  const good = placeOf(first)
  const keys = `workers: 1, ${tlsKey(good)}`
  const running = await superviseTls(t, keys)
  const { pid } = await ask(running.tlsPort)
  put(running.root, 'uwas.config.ts', configuration(`workers: 1, ${tlsKey(place)}`))
  const reload = await run(['reload'], { cwd: running.root })
  t.equal(reload.code, 2)
  t.match(reload.stderr, 'it has expired')
  t.strictSame(await ask(running.tlsPort), { pid, CN: 'first' })
  put(running.root, 'uwas.config.ts', configuration('workers: 1'))
  const without = await run(['reload'], { cwd: running.root })
  t.match(without.stderr, /changes tls/)
  const status = await run(['status'], { cwd: running.root })
  t.match(status.stdout, `:${running.tlsPort} by TLS (pid`)
})

t.test('without the addon workers share one socket for TLS', async (t) => {
  const env = { UWAS_NATIVE: 'off' }
  const keys = `workers: 2, ${tlsKey(placeOf(first))}`
  const { tlsPort, root, child, stderr, printed } = await superviseTls(t, keys, { env })
  const [victim = 0] = (await answering(tlsPort, 2)).keys()
  process.kill(victim, 'SIGKILL')
  await eventually('another one answers', async () => !(await answering(tlsPort, 2)).has(victim))
  const before = stderr().length
  child.kill('SIGHUP')
  await printed(/reloaded/, before)
  await answering(tlsPort, 2)
  put(root, 'uwas.config.ts', configuration(keys.replace('port: 0', `port: ${tlsPort}`)))
  const taken = await run(['serve', '--port', '0'], { cwd: root, env })
  t.equal(taken.code, 2)
  t.match(
    taken.stderr,
    new RegExp(`cannot listen on \\S*:${tlsPort}: another program listens there`),
  )
})

t.test(
  'of inherited sockets the one at the port for TLS is for TLS',
  { skip: skipWithoutGate },
  async (t) => {
    const { gate } = loadNative()
    const listening = [1, 2].flatMap(() => gate?.listen({ host: '127.0.0.1', port: 0 }) ?? [])
    const fds = listening.map(({ fd }) => fd)
    t.teardown(() => fds.forEach(closeSync))
    const [clear, secure] = listening.map(({ port }) => port)
    const keys = tlsKey(placeOf(first)).replace('port: 0', `port: ${secure}`)
    const root = folder(t, { 'uwas.config.ts': configuration(keys), 'urls.ts': SITE })
    const child = activate(t, fds, ['--workers', '2'], root)
    const line = `on http://localhost:${clear} and https://localhost:${secure}`
    t.match(await hears(child, /serving/), line)
    t.equal((await answering(secure ?? 0, 2)).size, 2)
    child.kill('SIGTERM')
    await new Promise((resolve) => child.once('exit', resolve))
  },
)

t.test('one port for both is refused, also where the command line says so', async (t) => {
  const port = String(await freePort({ host: undefined, port: 0 }))
  const keys = tlsKey(placeOf(first)).replace('port: 0', `port: ${port}`)
  const root = folder(t, { 'uwas.config.ts': configuration(keys), 'urls.ts': SITE })
  for (const workers of ['0', '2']) {
    const args = ['serve', '--port', port, '--workers', workers]
    const { code, stderr } = await run(args, { cwd: root })
    t.equal(code, 2)
    t.match(stderr, new RegExp(`cannot listen on \\S*:${port}: another program listens there`))
  }
})
