/** Several addresses and unix sockets, of a supervised server and of one without workers. */
import { closeSync, existsSync, lstatSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { loadNative } from '../../src/native/load.ts'
import { changedAddresses, type SocketAddress } from '../../src/supervisor/addresses.ts'
import { activate, hears } from '../support/activated.ts'
import { folder, put, type RunningBinary, run, serve } from '../support/binary.ts'
import { childrenOf, configuration, eventually, skipWithoutGate } from '../support/supervised.ts'

const skip = skipWithoutGate

const SITE = `import { path, text, urlconf } from 'uwas'
export const urls = urlconf(
  path('/', (req) => text([process.pid, req.remoteAddress, req.client.address, req.client.host].join(' '))),
)
`

interface Answer {
  readonly pid: number
  readonly peer: string
  readonly client: string
  readonly host: string
}

/** A request on a connection of its own. */
function ask(where: { socketPath: string } | { host: string; port: number }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { Host: 'x.test', 'X-Forwarded-For': '192.0.2.9', Connection: 'close' }
    const asked = request({ ...where, headers }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk
      })
      response.on('end', () => {
        const [pid = '', peer = '', client = '', host = ''] = body.split(' ')
        resolve({ pid: Number(pid), peer, client, host })
      })
    })
    asked.on('error', reject).end()
  })
}

async function superviseAt(
  t: Parameters<typeof serve>[0],
  keys: string,
): Promise<RunningBinary & { readonly root: string; readonly ports: number[] }> {
  const root = folder(t, { 'uwas.config.ts': configuration(keys), 'urls.ts': SITE })
  const running = await serve(t, ['serve'], { cwd: root })
  const ports = [...running.stderr().matchAll(/http:\/\/[^:]+:(\d+)/g)].map(([, port]) =>
    Number(port),
  )
  return { ...running, root, ports }
}

const LISTEN = `listen: ['127.0.0.1:0', '[::1]:0', 'unix:site.sock'], trustedProxies: ['unix']`

t.test('all addresses answer, by all workers, over reloads and crashes', { skip }, async (t) => {
  const { root, ports, child } = await superviseAt(t, `${LISTEN}, workers: 2`)
  const [four = 0, six = 0] = ports
  const socketPath = join(root, 'site.sock')
  t.match(await ask({ host: '127.0.0.1', port: four }), { peer: '127.0.0.1', client: '127.0.0.1' })
  t.match(await ask({ host: '::1', port: six }), { peer: '::1', client: '::1' })
  const { pid, ...local } = await ask({ socketPath })
  t.strictSame(local, { peer: 'unix:', client: '192.0.2.9', host: 'x.test' })
  t.ok(childrenOf(child.pid ?? 0).includes(pid))

  t.equal((await run(['reload'], { cwd: root })).code, 0)
  const { pid: next } = await ask({ socketPath })
  t.not(next, pid)
  for (const one of childrenOf(child.pid ?? 0)) process.kill(one, 'SIGKILL')
  t.ok((await ask({ socketPath })).pid > 0, 'it waits for the worker that is to come')
  t.ok((await ask({ host: '::1', port: six })).pid > 0)

  const status = await run(['status'], { cwd: root })
  t.match(status.stdout, `127.0.0.1:${four}, [::1]:${six}, unix:${socketPath} (pid`)
  put(root, 'uwas.config.ts', configuration("listen: ['127.0.0.1:0']"))
  t.match((await run(['reload'], { cwd: root })).stderr, /listen/)

  child.kill('SIGTERM')
  await eventually('the file of the socket has gone', () => !existsSync(socketPath))
})

t.test(
  'a unix socket has its permissions, and takes the place of a dead one',
  { skip },
  async (t) => {
    const keys = `listen: [{ path: 'site.sock', mode: 0o600 }], workers: 1`
    const { root, child, finished } = await superviseAt(t, keys)
    const socketPath = join(root, 'site.sock')
    t.equal(lstatSync(socketPath).mode & 0o777, 0o600)
    const second = await run(['serve', '--pid-file', join(root, 'other.pid')], { cwd: root })
    t.equal(second.code, 2)
    t.match(second.stderr, 'site.sock: another program listens there')
    child.kill('SIGKILL')
    await finished
    t.ok(existsSync(socketPath))
    await serve(t, ['serve'], { cwd: root })
    t.match(await ask({ socketPath }), { peer: 'unix:', client: 'unix:' })
  },
)

t.test('a process without workers listens everywhere, too', { skip }, async (t) => {
  const { root, ports, child, finished } = await superviseAt(t, `${LISTEN}, workers: 0`)
  const socketPath = join(root, 'site.sock')
  for (const where of [
    { host: '127.0.0.1', port: ports[0] ?? 0 },
    { host: '::1', port: ports[1] ?? 0 },
    { socketPath },
  ]) {
    t.equal((await ask(where)).pid, child.pid)
  }
  child.kill('SIGTERM')
  await finished
  t.notOk(existsSync(socketPath))
})

t.test('where one address cannot be had nothing is served', { skip }, async (t) => {
  for (const workers of [0, 1]) {
    const keys = `listen: ['127.0.0.1:0', 'unix:site.sock', 'unix:taken'], workers: ${workers}`
    const root = folder(t, { 'uwas.config.ts': configuration(keys), 'urls.ts': SITE })
    writeFileSync(join(root, 'taken'), 'precious')
    const { code, stderr } = await run(['serve'], { cwd: root })
    t.equal(code, 2)
    t.match(stderr, 'taken: there is a file that is no socket; take it away')
    t.match(stderr, 'UWAS_ERR_SERVER_LISTEN')
    t.notOk(existsSync(join(root, 'site.sock')))
  }
})

t.test('a unix socket that it is started with is served', { skip }, async (t) => {
  const { gate } = loadNative()
  const root = folder(t, { 'uwas.config.ts': configuration('workers: 2'), 'urls.ts': SITE })
  const socketPath = join(root, 'given.sock')
  const { fd } = gate?.listenPath({ path: socketPath }) ?? { fd: -1 }
  t.teardown(() => closeSync(fd))
  const child = activate(t, [fd], [], root)
  t.match(await hears(child, /serving/), 'on unix:inherited')
  t.match(await ask({ socketPath }), { peer: 'unix:' })
  child.kill('SIGTERM')
  await new Promise((resolve) => child.once('exit', resolve))
  t.ok(existsSync(socketPath), 'it is not of this server')
})

t.test('what a reload cannot change is told by its key', async (t) => {
  const one = { host: null, port: 80, path: null, mode: 0o666, isTls: false }
  const tls = { ...one, port: 443, isTls: true }
  const changedOf = (lists: string[], after: SocketAddress[]): string[] =>
    changedAddresses({ addresses: [one, tls], lists: [] }, { addresses: after, lists })
  const changed = (...after: SocketAddress[]): string[] => changedOf([], after)
  t.strictSame(changed(one, tls), [])
  t.strictSame(changed({ ...one, port: 81 }, tls), ['port'])
  t.strictSame(changed({ ...one, host: 'x' }, { ...tls, host: 'x' }), ['host'])
  t.strictSame(changed(one, { ...tls, port: 444 }), ['tls.port'])
  t.strictSame(changed(one), ['tls'])
  t.strictSame(changedOf(['listen', 'tls.listen'], [one, tls]), [], 'the same in other words')
  t.strictSame(changedOf(['listen'], [{ ...one, port: 81 }, tls]), ['listen'])
  t.strictSame(changedOf(['listen'], [one, one, tls]), ['listen'])
  t.strictSame(changedOf(['tls.listen'], [one, { ...tls, port: 444 }]), ['tls.listen'])
})

t.test('and a reload says it by the key that the site has', { skip }, async (t) => {
  const { root } = await superviseAt(t, "listen: ['127.0.0.1:0'], workers: 1")
  put(root, 'uwas.config.ts', configuration("listen: ['127.0.0.1:1'], workers: 1"))
  const { code, stderr } = await run(['reload'], { cwd: root })
  t.not(code, 0)
  t.match(stderr, 'the configuration changes listen, which a reload cannot do')
})
